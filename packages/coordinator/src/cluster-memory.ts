/**
 * What all threads share: the user table with the main thread's handle of it, and the meters. Made
 * once, before any worker. Main thread.
 */
import { randomBytes } from 'node:crypto'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import {
  allocateMeters, ClusterMeter, ROUTER_METER, ThreadMeter, type MeterMemory
} from '@usher/shared/memory/meters.ts'
import { SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import { Newcomers, ROUTER } from '@usher/shared/memory/newcomers.ts'
import {
  allocateTable, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG, type TableMemory
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { newcomerSettings } from '@usher/shared/newcomer-settings.ts'
import { ownServers } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'

export interface ClusterMemory {
  readonly memory: TableMemory
  readonly meters: MeterMemory
  readonly table: UserTable
  /** The router's, for those who are placed at another node of the fleet. */
  readonly newcomers: Newcomers
  /** The router's. */
  readonly meter: ThreadMeter
  readonly clusterMeter: ClusterMeter
}

export function allocateClusterMemory (settings: Settings): ClusterMemory {
  const randomWord = (): number => randomBytes(4).readInt32LE()
  const times = {
    unconfirmedMs: Math.min(settings.unconfirmedTimeoutMs, settings.timeoutThresholdMs),
    leaveGraceMs: settings.leaveGraceMs
  }
  const memory = allocateTable(
    settings.maxUsers, settings.servers.length, times, randomWord, SERVERS_MAX)
  const meters = allocateMeters(ownServers(settings.servers).length)
  const meter = new ThreadMeter(meters, ROUTER_METER)
  const allowance = newcomerSettings(settings, ROUTER)
  const table = new UserTable(memory, {
    threadTag: MAIN_THREAD_TAG,
    patience: MAIN_THREAD_PATIENCE,
    now: monotonicNowMs,
    onLockWaited: ms => { meter.lockWaited(ms) },
    newcomers: allowance
  })
  const newcomers = new Newcomers(memory.newcomers, { ...allowance, now: monotonicNowMs })
  return { memory, meters, table, newcomers, meter, clusterMeter: new ClusterMeter(meters) }
}
