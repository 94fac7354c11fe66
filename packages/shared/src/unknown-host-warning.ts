/**
 * Tells the operator of host names under which requests come and that PUBLIC_HOSTS does not list,
 * each once: usually the site's own name, which nobody has set yet. One in each thread that minds.
 */
import type { Logger } from 'pino'
import { publicHost } from './settings/kinds.ts'

/** Anybody can make up names. */
const NAMES_MAX = 8
const KIND = publicHost()

export class UnknownHostWarning {
  readonly #log: Pick<Logger, 'warn'>
  readonly #publicHosts: readonly string[]
  readonly #consequence: string
  readonly #noted = new Set<string>()

  /** @param consequence what happens to such requests: the end of a sentence */
  constructor (log: Pick<Logger, 'warn'>, publicHosts: readonly string[], consequence: string) {
    this.#log = log
    this.#publicHosts = publicHosts
    this.#consequence = consequence
  }

  /** @param host lower-case, as parseAuthority gives it */
  note (host: string): void {
    if (this.#noted.has(host) || this.#noted.size === NAMES_MAX) return
    if (KIND.parse(host).refusal !== undefined) return // No name that could be set.
    this.#noted.add(host)
    this.#log.warn({ host }, `requests come for ${host}, which PUBLIC_HOSTS does not list: ` +
      `${this.#consequence}. If this name is yours, set ` +
      `PUBLIC_HOSTS=${[...this.#publicHosts, host].join(',')} and restart`)
  }
}
