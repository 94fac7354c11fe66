/**
 * In which order the parts of the program start: what the first redirect needs goes first, which is
 * one server, its files and who is denied. The router opens with it, or, where all servers are
 * external, as soon as it is known who is denied. The other servers follow, and their visitors wait
 * for them (start-waits.ts). Main thread.
 */
import { statSync } from 'node:fs'
import { ownServers, type Slot } from '@usher/shared/settings/servers.ts'
import type { HealthKeeper } from './health-keeper.ts'
import type { Workers } from './workers.ts'

export interface StartOrderParts {
  readonly servers: readonly Slot[]
  readonly workers: Pick<Workers, 'startServers' | 'serverUp' | 'monitor'>
  /** Of the external servers. */
  readonly health: Pick<HealthKeeper, 'start'>
  /** Where there is no database yet nobody is denied. */
  readonly hasDatabase: boolean
  /** Opens the router's port when the promise resolves, and not at all when it rejects. */
  readonly openRouter: (mayOpen: Promise<void>) => Promise<void>
  /** Told when all servers serve. */
  readonly onServersUp: () => void
}

/** Resolves when all parts run; rejects with the error of the first that cannot. */
export async function startInOrder (parts: StartOrderParts): Promise<void> {
  const { servers, workers, health, hasDatabase, openRouter, onServersUp } = parts
  const starts: Array<Promise<void>> = []
  const begin = (start: Promise<void>): Promise<void> => {
    start.catch(() => {}) // Looked at below.
    starts.push(start)
    return start
  }
  // On a tie, visitors go to the first.
  const [first, ...others] = ownServers(servers)
  const firstReady = first === undefined ? undefined : begin(workers.startServers([first]))
  void begin(health.start())
  // No server opens its port before the monitor has brought the deny list. To make the database is
  // slow, because each step waits for the disk.
  const monitorUp = hasDatabase ? begin(workers.monitor.start()) : undefined
  const failed = Promise.race(starts.map(failureOf))
  failed.catch(() => {}) // Looked at below, by way of `starts`.
  await openRouter(firstReady === undefined
    ? monitorUp ?? Promise.resolve()
    : Promise.race([workers.serverUp, failed]))
  await (firstReady && Promise.race([firstReady, failed]))
  void begin(workers.startServers(others)).then(onServersUp, () => {})
  if (!hasDatabase) void begin(workers.monitor.start())
  await Promise.all(starts)
}

/** Never resolves; rejects as the other does. */
function failureOf (start: Promise<void>): Promise<void> {
  return start.then(() => new Promise(() => {}))
}

/** As database/open.ts sees it: an empty file becomes a new one. */
export function hasDatabase (path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0
}
