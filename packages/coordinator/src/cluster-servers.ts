/**
 * All that concerns the servers as they come and go: their states, their health, and the list of
 * them. Main thread.
 */
import { monotonicNowMs } from '@usher/shared/clock.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { externalServers } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import type { Logger } from 'pino'
import { HealthKeeper } from './health-keeper.ts'
import { ServerKeeper } from './server-keeper.ts'
import { ServerStates } from './server-states.ts'
import type { Workers } from './workers.ts'

export interface ClusterServersParts {
  readonly settings: Settings
  readonly table: UserTable
  readonly programDir: string
  readonly workers: () => Pick<Workers, 'tellAll' | 'monitor'>
  /** Somebody who waits for a server may have waited long enough: it is looked at, or gone. */
  readonly onNews: () => void
  readonly log: Logger
}

const ORDER_TIMEOUT_MS = 5000
/** A server's thread may be starting; then nobody is sent to a new server before it has. */
const LIST_TIMEOUT_MS = 20_000

export interface ClusterServers {
  readonly states: ServerStates
  readonly health: HealthKeeper
  readonly list: ServerKeeper
}

export function clusterServers (
  { settings, table, programDir, workers, onNews, log }: ClusterServersParts
): ClusterServers {
  const states = new ServerStates({
    table, servers: settings.servers, now: monotonicNowMs, log
  })
  const health = new HealthKeeper({
    servers: externalServers(settings.servers),
    programDir,
    states,
    onFirstLook: onNews,
    tellMonitor: order => workers().monitor.ask(order, ORDER_TIMEOUT_MS),
    log
  })
  const list = new ServerKeeper({
    settings,
    table,
    states,
    health,
    tellAll: order => workers().tellAll(order, LIST_TIMEOUT_MS),
    onChange: onNews,
    log
  })
  return { states, health, list }
}
