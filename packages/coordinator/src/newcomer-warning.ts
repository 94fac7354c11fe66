/**
 * Tells the operator of networks whose newcomers are not counted any more: which one, how many, and
 * what to do. One line a minute for all threads, whose refusals are in shared memory. Main thread.
 */
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Logger } from 'pino'

const LOOK_MS = 1000
const MINUTE_MS = 60_000

export interface NewcomerWarningParts {
  readonly table: Pick<UserTable, 'refusedNetworks'>
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Pick<Logger, 'warn'>
}

/** Returns what ends it. */
export function watchNewcomers (parts: NewcomerWarningParts): () => void {
  const warn = newcomerWarning(parts)
  const timer = setInterval(warn, LOOK_MS)
  timer.unref()
  return () => { clearInterval(timer) }
}

/** To be called every LOOK_MS. */
export function newcomerWarning ({ table, now, log }: NewcomerWarningParts): () => void {
  let quietSinceMs = -Infinity
  return () => {
    const elapsedMs = now() - quietSinceMs
    if (elapsedMs < MINUTE_MS) return
    const fresh = table.refusedNetworks().filter(({ lastAgoMs }) => lastAgoMs < elapsedMs)
    const [first] = fresh
    if (first === undefined) return
    quietSinceMs = now()
    const { network, notCounted, sinceAgoMs } = first
    const more = fresh.length > 1 ? { moreNetworks: fresh.length - 1 } : {}
    log.warn({ network, notCounted, forSeconds: Math.round(sinceAgoMs / 1000), ...more },
      'this network has more newcomers than NEWCOMERS_PER_MINUTE allows: the rest are served, ' +
      'but not counted. If they mean harm, deny it; if it is an office or a school, name it in ' +
      'TRUSTED_NETWORKS')
  }
}
