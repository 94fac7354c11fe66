/**
 * Puts into the log what the monitor refused because it may be an attack: a cross-site request
 * (CSRF), a host name that is not ours, a denied address, a missing permission, a wrong password or
 * token, too much at the same time, too many attempts. So many lines a minute of each kind, the
 * rest are counted: refused requests cannot fill a disk. Runs in the monitor's thread.
 */
import type { Logger } from 'pino'
import type { ApiErrorCode } from '@usher/shared/api/error-answer.ts'

/** Who was refused what. Never the query: it may name a visitor. */
export interface Refused {
  readonly method: string
  readonly path: string | undefined
  readonly address: string
  /** The account, where there is a session or a token. */
  readonly who: string | undefined
  /** The name of the token, where it is one of ours. */
  readonly token: string | undefined
  /** Whether a token was sent along: without one, a missing session is not worth a line. */
  readonly hasToken: boolean
}

export const LINES_PER_MINUTE_MAX = 20
const MINUTE_MS = 60_000
const PATH_LENGTH_MAX = 256

const REMARKABLE: ReadonlySet<ApiErrorCode> = new Set([
  'denied', 'forbidden', 'forged_action', 'invalid_token', 'misdirected_request', 'too_many_at_once',
  'too_many_attempts', 'wrong_password'
])

/** Of one code: what was written and what was not since `sinceMs`. */
interface Minute {
  readonly sinceMs: number
  lines: number
  unlogged: number
}

export class RefusalLog {
  readonly #log: Pick<Logger, 'warn'>
  readonly #now: () => number
  readonly #minutes = new Map<ApiErrorCode, Minute>()

  /** @param now monotonic milliseconds */
  constructor (log: Pick<Logger, 'warn'>, now: () => number) {
    this.#log = log
    this.#now = now
  }

  note (code: ApiErrorCode, { hasToken, path, ...refused }: Refused): void {
    if (!REMARKABLE.has(code) && !(code === 'not_logged_in' && hasToken)) return
    const nowMs = this.#now()
    let minute = this.#minutes.get(code) ?? { sinceMs: nowMs, lines: 0, unlogged: 0 }
    let unlogged: number | undefined
    if (nowMs - minute.sinceMs >= MINUTE_MS) {
      if (minute.unlogged > 0) unlogged = minute.unlogged
      minute = { sinceMs: nowMs, lines: 0, unlogged: 0 }
    }
    this.#minutes.set(code, minute)
    if (minute.lines === LINES_PER_MINUTE_MAX) {
      minute.unlogged++
      return
    }
    minute.lines++
    this.#log.warn({ code, ...refused, path: path?.slice(0, PATH_LENGTH_MAX), unlogged }, 'refused')
  }
}
