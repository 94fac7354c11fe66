/**
 * The workers of a cluster: a static server for each port, and the monitor. Says in the user table
 * which servers are up, and has the table recovered when a thread dies. Main thread.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { WorkerGone } from '@usher/shared/errors.ts'
import type { ServerState } from '@usher/shared/memory/layout.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { BootData, Order } from '@usher/shared/messages.ts'
import type { Logger } from 'pino'
import { superviseWorker, type SupervisedWorker } from './supervisor.ts'

export interface WorkersParts {
  /** What every worker boots with; asked at each start. */
  readonly boot: () => Omit<BootData, 'name' | 'threadTag' | 'isFirstStart' | 'server'>
  readonly ports: readonly number[]
  readonly programDir: string
  readonly table: UserTable
  readonly log: Logger
}

/** In place of a server's index. */
const MONITOR = -1

export class Workers {
  readonly monitor: SupervisedWorker
  readonly #servers: readonly SupervisedWorker[]
  readonly #parts: WorkersParts

  constructor (parts: WorkersParts) {
    this.#parts = parts
    this.#servers = parts.ports.map((port, server) =>
      this.#supervise(`server ${port}`, 'static-server.js', server))
    this.monitor = this.#supervise('monitor', 'monitor.js', MONITOR)
  }

  /** Resolves when all serve; rejects with the error of the first that cannot. */
  async start (): Promise<void> {
    await Promise.all([...this.#servers, this.monitor].map(worker => worker.start()))
  }

  /** Resolves when every server has carried out the order. */
  async askServers (order: Order, timeoutMs: number): Promise<void> {
    await Promise.all(this.#servers.map(server => server.ask(order, timeoutMs)))
  }

  /** For what boot data carries too: one that is down is not told, its replacement knows. */
  async tellAll (order: Order, timeoutMs: number): Promise<void> {
    await Promise.all([...this.#servers, this.monitor].map(async worker => {
      try {
        await worker.ask(order, timeoutMs)
      } catch (error) {
        if (!(error instanceof WorkerGone)) throw error
      }
    }))
  }

  async closeServers (timeoutMs: number): Promise<void> {
    await Promise.all(this.#servers.map(server => server.close(timeoutMs)))
  }

  async close (timeoutMs: number): Promise<void> {
    await Promise.all([this.closeServers(timeoutMs), this.monitor.close(timeoutMs)])
  }

  #supervise (name: string, file: string, server: number): SupervisedWorker {
    const { boot, programDir, log } = this.#parts
    return superviseWorker({
      name,
      file: pathToFileURL(join(programDir, file)),
      boot: () => ({ ...boot(), server }),
      onUp: () => { this.#setState(server, 'up') },
      onDown: threadTag => {
        this.#setState(server, 'down')
        this.#recover(threadTag)
      },
      log
    })
  }

  #setState (server: number, state: ServerState): void {
    if (server === MONITOR) return
    const { table, ports, log } = this.#parts
    table.setServerState(server, state)
    log.info({ server: ports[server] }, `server is ${state}`)
  }

  #recover (deadThreadTag: number): void {
    const { table, log } = this.#parts
    const repaired = table.recover(deadThreadTag)
    if (repaired > 0) log.warn({ repaired }, 'shards that a dead worker had locked were repaired')
  }
}
