/**
 * Warns of a certificate that browsers refuse or will refuse soon: at the start, when it is
 * replaced, as soon as something changes, and once a day while it lasts. Main thread.
 */
import {
  DAY_MS, problemOf, readCertificate, warningsOf, type Certificate
} from '@usher/shared/certificate.ts'
import type { Logger } from 'pino'

const LOOK_MS = 3_600_000

export interface CertificateWatchParts {
  readonly publicHosts: readonly string[]
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Pick<Logger, 'warn'>
}

export class CertificateWatch {
  readonly #parts: CertificateWatchParts
  #certificate: Certificate | undefined
  #lastProblem = ''
  #lastWarnedMs = -Infinity
  #timer: NodeJS.Timeout | undefined

  constructor (parts: CertificateWatchParts) {
    this.#parts = parts
  }

  /** From now on this one, which has been checked, is watched. */
  watch (cert: string): void {
    this.#certificate = readCertificate(cert)
    this.#lastWarnedMs = -Infinity
    this.look()
    this.#timer ??= setInterval(() => { this.look() }, LOOK_MS).unref()
  }

  /** To be called every LOOK_MS. */
  look (): void {
    const { publicHosts, wallNow, now, log } = this.#parts
    if (this.#certificate === undefined) return
    const problem = problemOf(this.#certificate, wallNow())
    if (problem === this.#lastProblem && now() - this.#lastWarnedMs < DAY_MS) return
    this.#lastProblem = problem
    this.#lastWarnedMs = now()
    for (const warning of warningsOf(this.#certificate, publicHosts, wallNow())) {
      log.warn({ setting: 'TLS_CERT' }, warning)
    }
  }

  close (): void {
    clearInterval(this.#timer)
  }
}
