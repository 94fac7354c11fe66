/**
 * The workers of a cluster: a static server for each port, and the monitor. Says which servers are
 * up, and has the user table recovered when a thread dies. Main thread.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { OrderTimedOut, WorkerGone } from '@usher/shared/errors.ts'
import { MONITOR_METER, type ClusterMeter } from '@usher/shared/memory/meters.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Ask, AskAnswer, BootData, Order } from '@usher/shared/messages.ts'
import { ownServers, type OwnServer, type Slot } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'
import type { TakeThread } from './early-server.ts'
import type { ServerStates } from './server-states.ts'
import type { SiteKeeper } from './site-keeper.ts'
import type { SupervisedWorker } from './supervised-worker.ts'
import { superviseWorker } from './supervisor.ts'
import { SERVER_BUNDLE, THREAD_FILE } from './thread-options.ts'

export interface WorkersParts {
  /** What every worker boots with; asked at each start. */
  readonly boot: () => Omit<BootData, 'name' | 'threadTag' | 'isFirstStart' | 'server'>
  readonly servers: readonly Slot[]
  readonly programDir: string
  readonly table: Pick<UserTable, 'recover'>
  readonly states: ServerStates
  readonly meter: ClusterMeter
  readonly sites: Pick<SiteKeeper, 'endHold'>
  /** One more server serves. */
  readonly onServerUp: () => void
  /** One that was started for a server, before all of this was known. */
  readonly takeServerThread: TakeThread
  readonly onAsk: (ask: Ask) => Promise<AskAnswer>
  /** For a server that is restarted to answer what has begun. */
  readonly retireTimeoutMs: number
  readonly log: Logger
}

export interface LateWorker {
  /** Its name. */
  readonly worker: string
  readonly error: unknown
}

/** In place of a server's index. */
const MONITOR = MONITOR_METER

export class Workers {
  readonly monitor: SupervisedWorker
  /** Resolves when the first server takes visitors, which may be before it serves. */
  readonly serverUp: Promise<void>
  #tellServerUp = (): void => {}
  readonly #servers: readonly SupervisedWorker[]
  readonly #parts: WorkersParts

  constructor (parts: WorkersParts) {
    this.#parts = parts
    this.serverUp = new Promise(resolve => { this.#tellServerUp = resolve })
    this.#servers = ownServers(parts.servers).map(({ name, index }) =>
      this.#supervise(`server ${name}`, SERVER_BUNDLE, index))
    this.monitor = this.#supervise('monitor', 'monitor.js', MONITOR)
  }

  /** Resolves when these servers serve; rejects with the error of the first that cannot. */
  async startServers (servers: readonly OwnServer[]): Promise<void> {
    await Promise.all(servers.map(({ index }) => this.#servers[index]!.start()))
  }

  /**
   * For what a new thread knows from its boot data: a server that is down is not told, and one that
   * starts with the program may be told late, because it opens no port before it has the deny list.
   */
  async tellServers (order: Order, timeoutMs: number): Promise<void> {
    await Promise.all(this.#servers.map(worker => tell(worker, order, timeoutMs)))
  }

  /** As `tellServers`, and the monitor too. */
  async tellAll (order: Order, timeoutMs: number): Promise<void> {
    await Promise.all([this.tellServers(order, timeoutMs), tell(this.monitor, order, timeoutMs)])
  }

  /** As `tellAll`, but waits for all of them; who has not carried it out by then, and why. */
  async tellEach (order: Order, timeoutMs: number): Promise<readonly LateWorker[]> {
    const told = [...this.#servers, this.monitor].map(async (worker): Promise<LateWorker[]> => {
      try {
        await tell(worker, order, timeoutMs)
        return []
      } catch (error) {
        return [{ worker: worker.name, error }]
      }
    })
    return (await Promise.all(told)).flat()
  }

  /** As SupervisedWorker's `replace`. */
  async replaceServer (server: number, isSideBySide: boolean): Promise<void> {
    await this.#servers[server]!.replace(isSideBySide, this.#parts.retireTimeoutMs)
  }

  async closeServers (timeoutMs: number): Promise<void> {
    await Promise.all(this.#servers.map(server => server.close(timeoutMs)))
  }

  async close (timeoutMs: number): Promise<void> {
    await Promise.all([this.closeServers(timeoutMs), this.monitor.close(timeoutMs)])
  }

  #supervise (name: string, bundle: string, server: number): SupervisedWorker {
    const { boot, programDir, states, meter, sites, onServerUp, onAsk, log } = this.#parts
    const worker = superviseWorker({
      name,
      file: pathToFileURL(join(programDir, THREAD_FILE)),
      ...(server === MONITOR ? {} : { takeThread: this.#parts.takeServerThread }),
      boot: () => ({ ...boot(), server, bundle }),
      onUp: () => {
        // Before the state: whoever reads that a server is up also reads since when.
        meter.setUp(server, worker.restarts, Date.now())
        if (server === MONITOR) return
        states.setUp(server)
        this.#tellServerUp()
        onServerUp()
      },
      onDown: (threadTag, isReplaced) => {
        if (server !== MONITOR && !isReplaced) {
          states.setDown(server)
          sites.endHold(server)
        }
        if (!isReplaced) meter.setDown(server, worker.restarts)
        this.#recover(threadTag)
      },
      onAsk,
      log
    })
    return worker
  }

  #recover (deadThreadTag: number): void {
    const { table, log } = this.#parts
    const repaired = table.recover(deadThreadTag)
    if (repaired > 0) log.warn({ repaired }, 'shards that a dead worker had locked were repaired')
  }
}

async function tell (worker: SupervisedWorker, order: Order, timeoutMs: number): Promise<void> {
  try {
    await worker.ask(order, timeoutMs)
  } catch (error) {
    const mayHearLate = error instanceof OrderTimedOut && !worker.hasServed
    if (!(error instanceof WorkerGone) && !mayHearLate) throw error
  }
}
