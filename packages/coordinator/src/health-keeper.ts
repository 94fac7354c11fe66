/**
 * What is known of the health of external servers: keeps the thread that checks them, and passes on
 * what it finds to the servers' states and to the monitor. A thread that dies is replaced, and its
 * successor goes on from what was known. Main thread.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { HealthNews, HealthReport, HealthTask, Order } from '@usher/shared/messages.ts'
import type { ExternalServer } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'
import { nextRestart } from './restart-pause.ts'
import type { ServerStates } from './server-states.ts'
import { startTask } from './supervisor.ts'

export interface HealthKeeperParts {
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
  #endThread = NOTHING
  #isClosed = false
  #deathsInARow = 0
  #pause: NodeJS.Timeout | undefined
  #allKnown = NOTHING

  constructor (parts: HealthKeeperParts) {
    this.#parts = parts
  }

  get reports (): readonly HealthReport[] {
    return [...this.#reports.values()]
  }

  /** Resolves when every server has been looked at. */
  start (): Promise<void> {
    if (this.#parts.servers.length === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#allKnown = resolve
      this.#startThread()
    })
  }

  close (): void {
    this.#isClosed = true
    clearTimeout(this.#pause)
    this.#endThread()
  }

  #startThread (): void {
    const { servers, programDir } = this.#parts
    const startMs = performance.now()
    this.#endThread = startTask<HealthNews>({
      name: 'health checks',
      file: pathToFileURL(join(programDir, 'health-checks.js')),
      data: {
        servers: servers.map(({ index, publicUrl, check }) =>
          ({ index, publicUrl, check, isUp: this.#reports.get(index)?.isUp }))
      } satisfies HealthTask,
      onNews: ({ reports }) => { this.#hear(reports) },
      onEnd: cause => { this.#replaceThread(cause, performance.now() - startMs) }
    })
  }

  #hear (reports: readonly HealthReport[]): void {
    const { servers, states, onFirstLook, tellMonitor } = this.#parts
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
    if (this.#reports.size === servers.length) this.#allKnown()
  }

  #replaceThread (cause: Error, livedMs: number): void {
    if (this.#isClosed) return
    const { deathsInARow, pauseMs } = nextRestart(this.#deathsInARow, livedMs)
    this.#deathsInARow = deathsInARow
    this.#parts.log.error({ err: cause, pauseMs }, 'the thread of the health checks died and is replaced')
    this.#pause = setTimeout(() => { this.#startThread() }, pauseMs)
  }
}
