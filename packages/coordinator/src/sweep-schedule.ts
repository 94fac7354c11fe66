/**
 * Every HEARTBEAT_INTERVAL: removes users who have been silent beyond TIMEOUT_THRESHOLD and logs
 * the count per server when it changed. Several times a second: ends those whose page has left, and
 * those who were never confirmed. Main thread.
 */
import { formatClient } from '@usher/shared/client.ts'
import type { RemovedUser } from '@usher/shared/memory/removal.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { presentServers, type Slot } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'
import { walkTable } from './table-walk.ts'

/** A busy shard is tried again at the next pass, so no user stays 250 ms beyond their time. */
const END_INTERVAL_MS = 100

export interface Sweep {
  close (): Promise<void>
}

export interface SweepParts {
  readonly table: Pick<UserTable, 'shardCount' | 'sweepShard' | 'endDue' | 'activeUsersPerServer'>
  readonly settings: Pick<Settings, 'heartbeatIntervalMs' | 'timeoutThresholdMs' | 'servers'>
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Logger
}

export function startSweep (parts: SweepParts): Sweep {
  let running: Promise<void> | undefined
  let lastCounts = JSON.stringify(countsPerServer(parts))
  const sweepAndCount = async (): Promise<void> => {
    await sweepOnce(parts)
    const counts = countsPerServer(parts)
    const text = JSON.stringify(counts)
    if (text !== lastCounts) parts.log.info({ activeUsers: counts }, 'active users')
    lastCounts = text
  }
  const timer = setInterval(() => {
    // One that takes longer than the interval is not joined by a second.
    running ??= sweepAndCount().finally(() => { running = undefined })
  }, parts.settings.heartbeatIntervalMs)
  let ending: Promise<void> | undefined
  const endTimer = setInterval(() => {
    ending ??= endOnce(parts).finally(() => { ending = undefined })
  }, END_INTERVAL_MS)
  return {
    close: async () => {
      clearInterval(timer)
      clearInterval(endTimer)
      await Promise.all([running, ending])
    }
  }
}

/** Ends all users who are due, once. */
export async function endOnce ({ table, settings, now, log }: SweepParts): Promise<void> {
  await walkTable(table.shardCount, now, (shard, fromSlot) => {
    const step = table.endDue(shard, fromSlot)
    if (step === 'busy') return undefined // The shard is left to the next pass.
    for (const user of step.removed) {
      logEnded(user, user.hasLeft ? 'user left' : 'user timed out', settings.servers, log)
    }
    return step.nextSlot
  })
}

/** Sweeps all shards once. */
export async function sweepOnce ({ table, settings, now, log }: SweepParts): Promise<void> {
  await walkTable(table.shardCount, now, (shard, fromSlot) => {
    const step = table.sweepShard(shard, settings.timeoutThresholdMs, fromSlot)
    if (step === 'busy') return undefined // The shard is left to the next sweep.
    for (const user of step.removed) logEnded(user, 'user timed out', settings.servers, log)
    return step.nextSlot
  })
}

function logEnded (
  { client, server }: RemovedUser, news: string, servers: readonly Slot[], log: Logger
): void {
  if (!log.isLevelEnabled('debug')) return
  log.debug({ client: formatClient(client), server: servers[server]?.name }, news)
}

/** Active users by the server's name. */
export function countsPerServer (
  { table, settings }: Pick<SweepParts, 'table' | 'settings'>
): Record<string, number> {
  const counts = table.activeUsersPerServer()
  return Object.fromEntries(presentServers(settings.servers).map(
    ({ name, index }) => [name, counts[index]!]))
}
