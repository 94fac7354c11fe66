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
  readonly workers: () => Pick<Workers, 'tellEach' | 'monitor'>
  /** Somebody who waits for a server may have waited long enough: it is looked at, or gone. */
  readonly onNews: () => void
  readonly log: Logger
}

const ORDER_TIMEOUT_MS = 5000
/** Less than the console waits for an answer, which says who is late. */
const LIST_TIMEOUT_MS = 10_000
/** Between two tries to tell threads that are late. */
const RETRY_MS = 2000

export interface ClusterServers {
  readonly states: ServerStates
  readonly health: HealthKeeper
  readonly list: ServerKeeper
  close (): void
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
    afterPause: action => {
      const timer = setTimeout(action, RETRY_MS)
      return () => { clearTimeout(timer) }
    },
    tellEach: order => workers().tellEach(order, LIST_TIMEOUT_MS),
    onChange: onNews,
    log
  })
  return {
    states,
    health,
    list,
    close () {
      list.close()
      health.close()
    }
  }
}
