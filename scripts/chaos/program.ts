/**
 * The built program with the chaos preload in each of its threads: knows which workers are up,
 * injects faults, and counts the deaths in the program's own log.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
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
  /** Those that change while it runs. */
  readonly fileSettings: () => Record<string, string>
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
  /** Of external servers, by port, as the log has said it last. */
  readonly #said = new Map<number, 'up' | 'down' | 'added' | 'gone'>()
  readonly #downCounts = new Map<number, number>()
  readonly #changes = new Map<number, number>()
  readonly #questions = new Map<number, (found: Found) => void>()
  readonly #listeners = new Set<() => void>()
  #nextId = 1
  #life = 0
  #isReady = false
  #folder = ''
  /** Of its own servers, by index. */
  #ports: readonly number[] = []

  constructor (options: ChaosProgramOptions) {
    this.#options = options
    for (const victim of [MONITOR, ...Array(options.servers).keys()]) {
      this.#victims.set(victim, { upSinceMs: undefined, deathsInARow: 0 })
    }
  }

  /** Resolves when the program is ready for visitors. */
  async start (): Promise<void> {
    const { servers } = this.#options
    this.#folder = mkdtempSync(join(tmpdir(), 'usher-'))
    this.writeSettings()
    this.#program = await this.#run({ PORTS: Array(servers).fill(0).join(), DECISION_PORT: '0' })
    this.#ports = this.#program.ports.slice(0, servers)
    this.#isReady = true
  }

  /** Kills the whole program at once. @param onEnd when nothing of it is left */
  async killAndStart (onEnd: () => void): Promise<void> {
    const { routingPort, monitoringPort, decisionPort } = this
    this.#isReady = false
    await this.#program!.stop('SIGKILL')
    for (const victim of this.#victims.values()) {
      victim.upSinceMs = undefined
      victim.deathsInARow = 0
    }
    this.#said.clear()
    onEnd()
    this.#program = await this.#run({
      PORTS: this.#ports.join(),
      ROUTING_PORT: String(routingPort),
      MONITORING_PORT: String(monitoringPort),
      DECISION_PORT: String(decisionPort)
    })
    this.#isReady = true
  }

  async #run (ports: Record<string, string>): Promise<Program> {
    const { program, settings } = this.#options
    const life = ++this.#life
    // What an earlier one has said may still be on its way.
    const isOfThisLife = (): boolean => life === this.#life
    const started = await startProgram({ ...settings, ...ports, LOG_FILE: '-' }, {
      folder: this.#folder,
      program,
      nodeOptions: `--import=${pathToFileURL(PRELOAD).href}`,
      onMessage: news => { if (isOfThisLife()) this.#hear(news as ChaosNews) },
      onLine: line => { if (isOfThisLife()) this.#read(line) }
    })
    void started.exited.then(() => { this.#wake() })
    return started
  }

  /** False while it starts: whether it has read its settings yet is not known. */
  get isReady (): boolean {
    return this.#isReady
  }

  /** Where it works. */
  get folder (): string {
    return this.#folder
  }

  /** The settings that change, into the file; in force with `reload`. */
  writeSettings (): void {
    const lines = Object.entries(this.#options.fileSettings()).map(entry => `${entry.join('=')}\n`)
    writeFileSync(join(this.#folder, 'usher.env'), lines.join(''))
  }

  reload (): void {
    this.#program!.process.kill('SIGHUP')
  }

  /** Of its own servers, by index. */
  get ports (): readonly number[] {
    return this.#ports
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

  /** Of an external server: what the program has said of it last, in this life. */
  isDown (port: number): boolean {
    return this.#said.get(port) === 'down'
  }

  /** Another text when an external server was added, changed or removed, or the program started. */
  changesOf (port: number): string {
    return `${this.#life} ${this.#changes.get(port) ?? 0}`
  }

  isUpElsewhere (port: number): boolean {
    return this.#said.get(port) === 'up'
  }

  /** It is none of its servers. */
  isGone (port: number): boolean {
    return (this.#said.get(port) ?? 'gone') === 'gone'
  }

  /** How often it has said so. */
  downCount (port: number): number {
    return this.#downCounts.get(port) ?? 0
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
    const { process } = this.#program!
    const hasEnded = (): boolean => process.exitCode !== null || process.signalCode !== null
    this.#questions.set(id, answer => { found = answer })
    this.#order({ type, id })
    await this.until(() => found !== undefined || hasEnded(), LOOK_MS_MAX)
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
    const code = await this.#program!.stop(signal)
    rmSync(this.#folder, { recursive: true, force: true })
    return code
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
    if (/^a server was (added|changed|removed)$/.test(msg)) {
      this.#changes.set(port, (this.#changes.get(port) ?? 0) + 1)
    }
    if (msg === 'server is up') this.#said.set(port, 'up')
    if (msg === 'a server was added') this.#said.set(port, 'added')
    if (msg === 'a server was removed') this.#said.set(port, 'gone')
    if (msg === 'server is down') {
      this.#said.set(port, 'down')
      this.#downCounts.set(port, this.downCount(port) + 1)
    }
    if (msg.startsWith('shards that a dead worker')) this.counts.killsHoldingLock++
    this.#wake()
  }

  #wake (): void {
    for (const look of [...this.#listeners]) look()
  }
}
