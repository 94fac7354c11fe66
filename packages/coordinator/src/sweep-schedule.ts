/**
 * Every HEARTBEAT_INTERVAL: removes users who have been silent beyond TIMEOUT_THRESHOLD and logs
 * the count per server when it changed. Works in slices, so that visitors are not kept waiting.
 */
import { setImmediate } from 'node:timers/promises'
import { formatClient } from '@usher/shared/client.ts'
import type { RemovedUser } from '@usher/shared/memory/removal.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'

/** The longest that a sweep keeps the loop to itself. */
const SLICE_MS = 2

export interface Sweep {
  close (): Promise<void>
}

export interface SweepParts {
  readonly table: Pick<UserTable, 'shardCount' | 'sweepShard' | 'activeUsersPerServer'>
  readonly settings: Pick<Settings, 'heartbeatIntervalMs' | 'timeoutThresholdMs' | 'ports'>
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
  return {
    close: async () => {
      clearInterval(timer)
      await running
    }
  }
}

/** Sweeps all shards once, giving way to the loop every SLICE_MS. */
export async function sweepOnce ({ table, settings, now, log }: SweepParts): Promise<void> {
  let sliceStartMs = now()
  for (let shard = 0; shard < table.shardCount; shard++) {
    let slot: number | undefined = 0
    while (slot !== undefined) {
      const step = table.sweepShard(shard, settings.timeoutThresholdMs, slot)
      if (step === 'busy') break // Left to the next sweep.
      logTimedOut(step.removed, settings.ports, log)
      slot = step.nextSlot
      if (now() - sliceStartMs < SLICE_MS) continue
      await setImmediate()
      sliceStartMs = now()
    }
  }
}

function logTimedOut (
  removed: readonly RemovedUser[], ports: readonly number[], log: Logger
): void {
  if (!log.isLevelEnabled('debug')) return
  for (const { client, server } of removed) {
    log.debug({ client: formatClient(client), server: ports[server] }, 'user timed out')
  }
}

/** Active users by port. */
export function countsPerServer (
  { table, settings }: Pick<SweepParts, 'table' | 'settings'>
): Record<string, number> {
  const counts = table.activeUsersPerServer()
  return Object.fromEntries(settings.ports.map((port, server) => [port, counts[server]!]))
}
