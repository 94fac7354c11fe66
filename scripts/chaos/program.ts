/**
 * The built program with the chaos preload in each of its threads: knows which workers are up,
 * injects faults, and counts the deaths in the program's own log.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { nextRestart } from '@usher/coordinator/restart-pause.ts'
import { startProgram, type LogLine, type Program } from '../kit/program.ts'
import { TOOLS_DIR } from '../kit/places.ts'
import type { ChaosNews, ChaosOrder, Found } from './orders.ts'
import { portOfServer } from './apps.ts'
import { MONITOR, type Fault } from './schedule.ts'

export interface ChaosProgramOptions {
  /** The path of coordinator.js. */
  readonly program: string
  readonly servers: number
  readonly settings: Record<string, string>
}

/** A worker as the tool sees it. */
interface Victim {
  upSinceMs: number | undefined
  deathsInARow: number
}

const LOOK_MS_MAX = 30_000
/** The longest pause before a replacement that the run asks of the program. */
const PAUSE_MS_MAX = 500
const PRELOAD = join(TOOLS_DIR, 'chaos-preload.js')

export class ChaosProgram {
  /** Deaths, and those after which the coordinator found a lock held, as its log has them. */
  readonly counts = { kills: 0, killsHoldingLock: 0 }
  /** Of each death, in the log's words. */
  readonly causes: string[] = []
  readonly #options: ChaosProgramOptions
  #program: Program | undefined
  readonly #victims = new Map<number, Victim>()
  readonly #down = new Set<number>()
  readonly #downCounts = new Map<number, number>()
  readonly #questions = new Map<number, (found: Found) => void>()
  readonly #listeners = new Set<() => void>()
  #nextId = 1

  constructor (options: ChaosProgramOptions) {
    this.#options = options
    for (const victim of [MONITOR, ...Array(options.servers).keys()]) {
      this.#victims.set(victim, { upSinceMs: undefined, deathsInARow: 0 })
    }
  }

  /** Resolves when the program is ready for visitors. */
  async start (): Promise<void> {
    const { program, servers, settings } = this.#options
    this.#program = await startProgram({ PORTS: Array(servers).fill(0).join(), ...settings }, {
      program,
      nodeOptions: `--import=${pathToFileURL(PRELOAD).href}`,
      onMessage: news => { this.#hear(news as ChaosNews) },
      onLine: line => { this.#read(line) }
    })
    void this.#program.exited.then(() => { this.#wake() })
  }

  /** Of its own servers, by index. */
  get ports (): readonly number[] {
    return this.#program!.ports.slice(0, this.#options.servers)
  }

  /** Of all servers, external ones included, by index. */
  get allPorts (): readonly number[] {
    return this.#program!.ports
  }

  get routingPort (): number {
    return this.#program!.routingPort
  }

  get monitoringPort (): number {
    return this.#program!.monitoringPort
  }

  get decisionPort (): number {
    return this.#program!.decisionPort!
  }

  /** Of an external server: what the program has said of it last. */
  isDown (port: number): boolean {
    return this.#down.has(port)
  }

  /** How often it has said so. */
  downCount (port: number): number {
    return this.#downCounts.get(port) ?? 0
  }

  get hasEnded (): boolean {
    const { exitCode, signalCode } = this.#program!.process
    return exitCode !== null || signalCode !== null
  }

  isUp (victim: number): boolean {
    return this.#victims.get(victim)!.upSinceMs !== undefined
  }

  /** Whether it is up, and its replacement will not have to wait for long. */
  isReadyToDie (victim: number): boolean {
    const { upSinceMs, deathsInARow } = this.#victims.get(victim)!
    if (upSinceMs === undefined) return false
    return nextRestart(deathsInARow, monotonicNowMs() - upSinceMs).pauseMs <= PAUSE_MS_MAX
  }

  get areAllUp (): boolean {
    return [...this.#victims.keys()].every(victim => this.isUp(victim))
  }

  /** Its thread is about to end; see `isUp`. */
  inject (fault: Fault): void {
    this.#order({ type: 'inject', fault })
  }

  /** The program's memory, from the inside; undefined when it does not answer. */
  async look (type: 'look-at-locks' | 'look-at-table'): Promise<Found | undefined> {
    const id = this.#nextId++
    let found: Found | undefined
    this.#questions.set(id, answer => { found = answer })
    this.#order({ type, id })
    await this.until(() => found !== undefined || this.hasEnded, LOOK_MS_MAX)
    return found
  }

  /** Resolves with whether it came true within so many milliseconds. */
  async until (isTrue: () => boolean, ms: number): Promise<boolean> {
    return await new Promise(resolve => {
      const end = (isDone: boolean): void => {
        clearTimeout(timer)
        clearInterval(again)
        this.#listeners.delete(look)
        resolve(isDone)
      }
      const look = (): void => { if (isTrue()) end(true) }
      const timer = setTimeout(end, ms, false)
      const again = setInterval(look, 100) // For what only time changes.
      this.#listeners.add(look)
      look()
    })
  }

  /** Ends it gracefully, or at once; resolves with its exit code when its folder is gone. */
  async stop (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    return await this.#program!.stop(signal)
  }

  #order (order: ChaosOrder): void {
    const { process } = this.#program!
    if (process.connected) process.send(order, () => {}) // One that has ended is noticed.
  }

  #hear (news: ChaosNews): void {
    if (news.type === 'looked') {
      this.#questions.get(news.id)?.(news.found)
      this.#questions.delete(news.id)
    } else {
      const victim = this.#victims.get(news.victim)!
      if (news.type === 'thread-serves') {
        victim.upSinceMs = monotonicNowMs()
      } else {
        const livedMs = monotonicNowMs() - (victim.upSinceMs ?? Infinity)
        victim.deathsInARow = nextRestart(victim.deathsInARow, livedMs).deathsInARow
        victim.upSinceMs = undefined
      }
    }
    this.#wake()
  }

  #read ({ msg, err, server }: LogLine): void {
    if (msg.startsWith('a worker died')) {
      this.counts.kills++
      this.causes.push((err as Error).message)
    }
    const port = portOfServer(String(server))
    if (msg === 'server is up') this.#down.delete(port)
    if (msg === 'server is down') {
      this.#down.add(port)
      this.#downCounts.set(port, this.downCount(port) + 1)
    }
    if (msg.startsWith('shards that a dead worker')) this.counts.killsHoldingLock++
    this.#wake()
  }

  #wake (): void {
    for (const look of [...this.#listeners]) look()
  }
}
