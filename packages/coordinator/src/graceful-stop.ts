/**
 * The graceful stop: what has begun is answered, users are saved, threads end; each within its
 * share of SHUTDOWN_TIMEOUT. Main thread.
 */
import { setTimeout } from 'node:timers/promises'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'
import { logUsers } from './log-users.ts'
import type { SiteKeeper } from './site-keeper.ts'
import type { Workers } from './workers.ts'

export interface StopParts {
  readonly settings: Pick<Settings, 'shutdownTimeoutMs' | 'servers'>
  readonly table: UserTable
  readonly sites: Pick<SiteKeeper, 'close'>
  readonly workers: Workers
  /** Resolves when nobody is sent here any more by other nodes; undefined without a fleet. */
  readonly leaveFleet: (withinMs: number) => Promise<void> | undefined
  /** Undefined where the router was never opened. */
  readonly closeRouter: () => Promise<void> | undefined
  readonly tellReadiness: (reason: string) => Promise<void>
  /** Of what is looked at now and then; the last sweep is over when it resolves. */
  readonly endWatches: () => Promise<void>
  readonly log: Logger
}

/** For leaving the fleet, of SHUTDOWN_TIMEOUT. */
const LEAVING_SHARE = 0.2
/** For connections, of SHUTDOWN_TIMEOUT; the rest is for saving the users. */
export const CONNECTIONS_SHARE = 0.7
/** Of what is left then, for saving; and of that, for a database that is locked. */
const SAVING_SHARE = 0.6
const LOCKED_SHARE = 0.8
/** Of what is left after that, for the monitor's end. */
const ENDING_SHARE = 0.8

export async function stopGracefully (
  {
    settings, table, sites, workers, leaveFleet, closeRouter, tellReadiness, endWatches, log
  }: StopParts
): Promise<void> {
  const { shutdownTimeoutMs, servers } = settings
  const endMs = monotonicNowMs() + shutdownTimeoutMs
  const leftMs = (): number => Math.max(0, endMs - monotonicNowMs())
  log.info('stopping: requests that have begun are answered')
  sites.close()
  const readinessTold = tellReadiness('stopping').catch(() => {}) // It may be down.
  await leaveFleet(shutdownTimeoutMs * LEAVING_SHARE)
  const connectionsMs = leftMs() * CONNECTIONS_SHARE
  const [isRouterDone] = await Promise.all([
    isDoneWithin(connectionsMs, closeRouter()),
    workers.closeServers(connectionsMs),
    readinessTold
  ])
  if (!isRouterDone) log.warn('connections to the router took too long and were closed')
  await endWatches()
  try {
    const savingMs = leftMs() * SAVING_SHARE
    await workers.monitor.ask(
      { type: 'save-users', withinMs: savingMs * LOCKED_SHARE }, savingMs)
  } catch (error) {
    log.error({ err: error }, 'the active users could not be saved')
  }
  logUsers(table, servers, log)
  await workers.close(leftMs() * ENDING_SHARE)
}

async function isDoneWithin (ms: number, work: Promise<void> | undefined): Promise<boolean> {
  const over = new AbortController()
  const timeout = setTimeout(ms, false, { signal: over.signal }).catch(() => false)
  const isDone = await Promise.race([Promise.resolve(work).then(() => true), timeout])
  over.abort()
  return isDone
}
