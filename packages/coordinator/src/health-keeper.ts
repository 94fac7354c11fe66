/**
 * What is known of the health of external servers: keeps the thread that checks them, and passes on
 * what it finds to the servers' states and to the monitor. A thread that dies is replaced, and its
 * successor goes on from what was known. Main thread.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { HealthNews, HealthReport, HealthTask, Order } from '@usher/shared/messages.ts'
import type { ExternalServer } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'
import { nextRestart } from './restart-pause.ts'
import type { ServerStates } from './server-states.ts'
import { startTask, type TaskRun } from './supervisor.ts'

export interface HealthKeeperParts {
  /** At the start. */
  readonly servers: readonly ExternalServer[]
  readonly programDir: string
  readonly states: Pick<ServerStates, 'setHealth'>
  /** One more server is known to be up or down. */
  readonly onFirstLook: () => void
  readonly tellMonitor: (order: Order) => Promise<void>
  readonly log: Pick<Logger, 'error'>
}

const NOTHING = (): void => {}

export class HealthKeeper {
  readonly #parts: HealthKeeperParts
  /** The latest, by index of the server. */
  readonly #reports = new Map<number, HealthReport>()
  #servers: readonly ExternalServer[]
  /** Raised with each list of servers: what was found by an earlier one may be of others. */
  #version = 0
  #thread: TaskRun | undefined
  #isClosed = false
  #deathsInARow = 0
  #pause: NodeJS.Timeout | undefined
  #allKnown = NOTHING

  constructor (parts: HealthKeeperParts) {
    this.#parts = parts
    this.#servers = parts.servers
  }

  get reports (): readonly HealthReport[] {
    return [...this.#reports.values()]
  }

  /** Resolves when every server has been looked at. */
  start (): Promise<void> {
    if (this.#servers.length === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#allKnown = resolve
      this.#startThread()
    })
  }

  /** From now on these are checked. Of one with another address the first look decides. */
  replace (servers: readonly ExternalServer[]): void {
    if (this.#isClosed || isDeepStrictEqual(servers, this.#servers)) return
    const before = new Map(this.#servers.map(server => [server.index, server]))
    for (const index of before.keys()) {
      const server = servers.find(one => one.index === index)
      if (!isSame(server, before.get(index))) this.#reports.delete(index)
    }
    this.#servers = servers
    this.#version++
    if (this.#thread !== undefined) this.#thread.tell(this.#task())
    else if (this.#pause === undefined && servers.length > 0) this.#startThread()
    this.#tellIfAllKnown()
  }

  close (): void {
    this.#isClosed = true
    clearTimeout(this.#pause)
    this.#thread?.end()
  }

  #startThread (): void {
    const { programDir } = this.#parts
    const startMs = performance.now()
    this.#pause = undefined
    this.#thread = startTask<HealthNews>({
      name: 'health checks',
      file: pathToFileURL(join(programDir, 'health-checks.js')),
      data: this.#task(),
      onNews: ({ version, reports }) => {
        // What is left out is followed by more, of the servers that there are now.
        if (version === this.#version) this.#hear(reports)
      },
      onEnd: cause => { this.#replaceThread(cause, performance.now() - startMs) }
    })
  }

  #task (): HealthTask {
    return {
      version: this.#version,
      servers: this.#servers.map(({ index, publicUrl, check }) =>
        ({ index, publicUrl, check, isUp: this.#reports.get(index)?.isUp }))
    }
  }

  #tellIfAllKnown (): void {
    if (this.#servers.every(({ index }) => this.#reports.has(index))) this.#allKnown()
  }

  #hear (reports: readonly HealthReport[]): void {
    const { states, onFirstLook, tellMonitor } = this.#parts
    if (this.#isClosed) return
    // Before the state, which it explains. What is lost is followed by more, and a monitor that
    // starts has the latest.
    tellMonitor({ type: 'note-health', reports }).catch(() => {})
    for (const report of reports) {
      const isFirst = !this.#reports.has(report.server)
      this.#reports.set(report.server, report)
      states.setHealth(report)
      if (isFirst) onFirstLook()
    }
    this.#tellIfAllKnown()
  }

  #replaceThread (cause: Error, livedMs: number): void {
    if (this.#isClosed) return
    this.#thread = undefined
    const { deathsInARow, pauseMs } = nextRestart(this.#deathsInARow, livedMs)
    this.#deathsInARow = deathsInARow
    this.#parts.log.error({ err: cause, pauseMs }, 'the thread of the health checks died and is replaced')
    this.#pause = setTimeout(() => { this.#startThread() }, pauseMs)
  }
}

/** Whether what was found of the one holds for the other, however it is checked from now on. */
function isSame (one: ExternalServer | undefined, other: ExternalServer | undefined): boolean {
  return one?.name === other?.name && one?.publicUrl === other?.publicUrl
}
