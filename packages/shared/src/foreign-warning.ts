/**
 * Tells the operator of beats and leaves that are refused because the page that caused them goes by
 * a host name which is not known to be ours. One in each thread that has visitors.
 */
import type { Logger } from 'pino'
import type { RequestValue } from './http/vocabulary/values.ts'
import { ThrottledWarning } from './throttled-warning.ts'

const MESSAGE =
  'a heartbeat or a leave was refused, because its page is of another host than this server. ' +
  'If that page is yours, name its host in PUBLIC_HOSTS'
const PAGE_LENGTH_MAX = 100

export class ForeignWarning {
  readonly #warning: ThrottledWarning

  /** @param now monotonic milliseconds */
  constructor (log: Pick<Logger, 'warn'>, now: () => number) {
    this.#warning = new ThrottledWarning(log, now, MESSAGE)
  }

  note ({ headers, authority }: Pick<RequestValue, 'headers' | 'authority'>): void {
    // The browser itself says that the page is of another site: no name would change that.
    if (headers['sec-fetch-site'] === 'cross-site') return
    const page = headers.origin ?? headers.referer ?? ''
    this.#warning.note(() => ({ page: page.slice(0, PAGE_LENGTH_MAX), host: authority }))
  }
}

const ORIGIN_MESSAGE =
  'a heartbeat or a leave was refused, because its page is none of a server that the router ' +
  'knows. If that page is yours, name its origin in ALLOWED_ORIGINS'

/** The same of pages that name a server to the router. */
export class ForeignOriginWarning {
  readonly #warning: ThrottledWarning

  /** @param now monotonic milliseconds */
  constructor (log: Pick<Logger, 'warn'>, now: () => number) {
    this.#warning = new ThrottledWarning(log, now, ORIGIN_MESSAGE)
  }

  note ({ headers: { origin }, query }: Pick<RequestValue, 'headers' | 'query'>): void {
    if (origin === undefined) return
    this.#warning.note(() => ({
      origin: origin.slice(0, PAGE_LENGTH_MAX),
      server: new URLSearchParams(query).get('server')?.slice(0, PAGE_LENGTH_MAX)
    }))
  }
}
