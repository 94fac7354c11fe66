/**
 * The built program in a process and a temporary folder of its own, with the chaos preload in each
 * of its threads: knows who is up, strikes, and counts what the program's own log says of deaths.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { nextRestart } from '@usher/coordinator/restart-pause.ts'
import { TOOLS_DIR } from '../places.ts'
import type { ChaosNews, ChaosOrder, Found } from './orders.ts'
import { MONITOR, type Fault } from './schedule.ts'

export interface ProgramOptions {
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

const START_MS_MAX = 60_000
const LOOK_MS_MAX = 30_000
/** The longest pause before a replacement that the run asks of the program. */
const PAUSE_MS_MAX = 500
const PRELOAD = join(TOOLS_DIR, 'chaos-preload.js')

export class ChaosProgram {
  /** By server. */
  ports: readonly number[] = []
  routingPort = 0
  monitoringPort = 0
  /** Deaths, and those after which the coordinator found a lock held, as its log has them. */
  readonly counts = { kills: 0, killsHoldingLock: 0 }
  /** Of each death, in the log's words. */
  readonly causes: string[] = []
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #exited: Promise<unknown>
  readonly #victims = new Map<number, Victim>()
  readonly #questions = new Map<number, (found: Found) => void>()
  readonly #listeners = new Set<() => void>()
  #nextId = 1
  #complaint = ''

  constructor ({ program, servers, settings }: ProgramOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), 'usher-chaos-'))
    this.#child = fork(program, [], {
      cwd: this.#folder,
      env: {
        PATH: process.env['PATH'],
        NODE_OPTIONS: `--import=${pathToFileURL(PRELOAD).href}`,
        HOST: '127.0.0.1',
        IP: '127.0.0.1',
        PORTS: Array(servers).fill(0).join(),
        ROUTING_PORT: '0',
        MONITORING_PORT: '0',
        LOG_FILE: '-',
        ...settings
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
    this.#exited = once(this.#child, 'exit')
    for (const victim of [MONITOR, ...Array(servers).keys()]) {
      this.#victims.set(victim, { upSinceMs: undefined, deathsInARow: 0 })
    }
  }

  /** Resolves when the program is ready for visitors. */
  async start (): Promise<void> {
    this.#child.stderr!.on('data', (text: Buffer) => { this.#complaint += text.toString() })
    this.#child.on('message', (news: ChaosNews) => { this.#hear(news) })
    createInterface(this.#child.stdout!).on('line', text => { this.#read(text) })
    void this.#exited.then(() => { this.#wake() })
    await this.until(() => this.routingPort !== 0 || this.hasEnded, START_MS_MAX)
    if (this.routingPort === 0) throw new Error(`the program did not start: ${this.#complaint}`)
  }

  get hasEnded (): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** What it wrote beside its log. */
  get complaint (): string {
    return this.#complaint
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
  strike (fault: Fault): void {
    this.#order({ type: 'strike', fault })
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
    if (!this.hasEnded) this.#child.kill(signal)
    await this.#exited
    rmSync(this.#folder, { recursive: true, force: true })
    return this.#child.exitCode
  }

  #order (order: ChaosOrder): void {
    if (this.#child.connected) this.#child.send(order, () => {}) // One that has ended is noticed.
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

  #read (text: string): void {
    const line = parseLine(text)
    const message = String(line['msg'])
    if (message.startsWith('a worker died')) {
      this.counts.kills++
      this.causes.push((line['err'] as Error).message)
    }
    if (message.startsWith('shards that a dead worker')) this.counts.killsHoldingLock++
    if (message.startsWith('Usher is ready')) {
      const portOf = (url: unknown): number => Number(new URL(String(url)).port)
      this.ports = (line['servers'] as unknown[]).map(portOf)
      this.monitoringPort = portOf(line['monitor'])
      this.routingPort = portOf(line['router'])
    }
    this.#wake()
  }

  #wake (): void {
    for (const look of [...this.#listeners]) look()
  }
}

/** The last line may have been cut off by the program's end. */
function parseLine (text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
