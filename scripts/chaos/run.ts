/**
 * One run: starts the program and its users, injects the schedule's faults round after round, and
 * compares program and model in between. The first violation ends it: what comes after would only
 * be its consequence.
 */
import { setTimeout } from 'node:timers/promises'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { Apps } from './apps.ts'
import { checkWhole, leftOver, tooFull } from './checker.ts'
import { ageTicketKeys } from './key-age.ts'
import { Ledger } from './ledger.ts'
import { Load } from './load.ts'
import { PASSWORD } from './operators.ts'
import { PAGE_ORIGIN, replay } from './page-elsewhere.ts'
import { ChaosProgram } from './program.ts'
import { Random } from '../kit/random.ts'
import { faultText, MONITOR, schedule, type Fault, type FaultRound } from './schedule.ts'
import { RetryGate } from './retry-gate.ts'
import { Web } from './web.ts'
import type { World } from './world.ts'

export interface RunOptions {
  readonly program: string
  /** Of one site, for all servers. */
  readonly htmlDir: string
  readonly seconds: number
  /** The run ends when so many have died, if that is sooner. */
  readonly kills: number
  readonly seed: number
  readonly servers: number
  /** External servers, which are in trouble now and then. */
  readonly apps: number
  /** More of them, which come and go as servers of the program. */
  readonly changing: number
  /** So many rounds of faults between two kills of the whole program; 0: none. */
  readonly killAllEvery: number
  /** Users that each server admits; 0: as many as come. */
  readonly capacity: number
  readonly clients: number
  /** Told of everything that happens. */
  readonly note: (what: string) => void
}

export interface RunResult {
  readonly kills: number
  readonly killsHoldingLock: number
  readonly requests: number
  /** Sentences. */
  readonly failures: readonly string[]
  readonly violations: readonly string[]
}

const RESERVATION_TTL_S = 2
const LEAVE_GRACE_S = 0.5
/** After which the place of one who has left is another's, where there is a capacity. */
const RETURN_GRACE_S = 1
/** Between two looks at how full the servers are. */
const SAMPLE_MS = 20
/** A leave takes effect so long after the grace; four times what is promised. */
const LEAVE_LATE_MS = 1000
/** Few shards, so that the threads get into each other's way; twice as large as it has to be. */
const MAX_USERS = '2048'
const CHECK_EVERY_ROUNDS = 5
const READY_MS_MAX = 60_000
const DEATH_MS_MAX = 60_000
const LOG_MS_MAX = 5000
const CAUSES_SHOWN = 12
/** Failures after which a run has shown enough. */
const FAILURES_MAX = 20
/** Longer than any ticket is on its way: the key before the last one is given up. */
const KEYS_AGE_MS = 10_000

export async function chaosRun (options: RunOptions): Promise<RunResult> {
  const run = new Run(options)
  await run.start()
  return await run.finish(await run.runRounds())
}

class Run {
  readonly #options: RunOptions
  readonly #program: ChaosProgram
  readonly #retryGate = new RetryGate()
  readonly #web: Web
  readonly #ledger = new Ledger()
  readonly #wanted = new Set<number>()
  readonly #violations: string[] = []
  readonly #world: World
  readonly #load: Load
  readonly #apps: Apps
  #faultCount = 0
  #samples = 0
  #lives = 1
  #keysAgedMs = 0
  /** What breaks off from then on is no failure. */
  #isEnding = false

  constructor (options: RunOptions) {
    this.#options = options
    this.#web = new Web(this.#retryGate, what => { if (!this.#isEnding) options.note(what) })
    this.#apps = new Apps(options.apps, options.changing, options.seed)
    this.#program = new ChaosProgram({
      program: options.program,
      servers: options.servers,
      settings: {
        HTML_DIRS: options.htmlDir,
        ADMIN_PASSWORD: PASSWORD,
        TRUST_PROXY: '127.0.0.1',
        MAX_USERS,
        // A machine that is busy with other things is not what is tried here.
        SOCKET_TIMEOUT: '60',
        RESERVATION_TTL: String(RESERVATION_TTL_S),
        DELAY_BETWEEN_ROUTING: '0.02',
        HEARTBEAT_INTERVAL: '0.5',
        TIMEOUT_THRESHOLD: '86400',
        UNCONFIRMED_TIMEOUT: '86400',
        LEAVE_GRACE: String(LEAVE_GRACE_S),
        RETURN_GRACE: String(RETURN_GRACE_S),
        CAPACITY: options.capacity === 0 ? '' : String(options.capacity),
        HEALTH_INTERVAL: '0.1',
        ALLOWED_ORIGINS: PAGE_ORIGIN,
        // Its clients come and leave all the time, from a few networks.
        NEWCOMERS_PER_MINUTE: '1000000'
      },
      fileSettings: () => ({ EXTERNAL_SERVERS: this.#apps.setting })
    })
    this.#world = {
      program: this.#program,
      web: this.#web,
      ledger: this.#ledger,
      random: new Random(options.seed + 1),
      apps: this.#apps,
      usedTickets: [],
      kids: new Set(),
      complain: what => { this.#complain(what) },
      wanted: this.#wanted
    }
    this.#load = new Load(this.#world, options.clients)
  }

  async start (): Promise<void> {
    await this.#apps.start()
    await this.#program.start()
    await this.#load.start()
    this.#apps.startTroubles({
      program: this.#program,
      note: this.#options.note,
      complain: what => { this.#complain(what) }
    })
    if (this.#options.capacity > 0) void this.#sample()
  }

  /** Until the time is over or something is wrong; whether all is well. */
  async runRounds (): Promise<boolean> {
    const { seconds, kills, seed, servers } = this.#options
    const endMs = monotonicNowMs() + seconds * 1000
    let rounds = 0
    for (const round of schedule(seed, servers)) {
      if (monotonicNowMs() >= endMs || this.#faultCount >= kills || !this.#isWell) break
      await this.#injectRound(round)
      rounds++
      const { killAllEvery } = this.#options
      if (killAllEvery > 0 && rounds % killAllEvery === 0 && this.#isWell) await this.#killAll()
      if (!this.#isWell || rounds % CHECK_EVERY_ROUNDS !== 0) continue
      await this.#check()
      this.#load.resume()
    }
    return this.#isWell
  }

  /** The last comparison, and the program's end. */
  async finish (isWell: boolean): Promise<RunResult> {
    if (isWell) await this.#check()
    if (this.#isWell) {
      await setTimeout(2 * RESERVATION_TTL_S * 1000)
      const found = await this.#program.look('look-at-table')
      this.#complainOfAll(found === undefined ? ['the main thread does not answer'] : leftOver(found))
    }
    this.#load.end()
    this.#apps.end()
    this.#isEnding = true
    const failures = [...this.#web.failures]
    const code = await this.#program.stop(this.#isWell ? 'SIGTERM' : 'SIGKILL')
    if (this.#isWell && code !== 0) this.#complain(`the program ended with ${code}`)
    this.#web.close()
    return {
      ...this.#program.counts,
      requests: this.#web.requests,
      failures,
      violations: this.#violations
    }
  }

  get #isWell (): boolean {
    return this.#violations.length === 0 && this.#web.failures.length < FAILURES_MAX
  }

  async #injectRound (round: FaultRound): Promise<void> {
    const program = this.#program
    const victims = round.map(({ victim }) => victim)
    const isAnotherUp = (): boolean => program.ports.some((_, server) =>
      program.isUp(server) && !victims.includes(server))
    const isReady = await program.until(() =>
      isAnotherUp() && victims.every(victim => program.isReadyToDie(victim)), READY_MS_MAX)
    if (!isReady) return this.#complain(`${victims.join()} are not up`)
    if (victims.includes(MONITOR)) await this.#ageKeys()
    await this.#retryGate.runFaults(async () => {
      await Promise.all(round.map(fault => this.#carryOut(fault)))
    })
    const found = await program.look('look-at-locks')
    this.#complainOfAll(found === undefined ? ['the main thread does not answer'] : found.broken)
    // The log may be a moment behind.
    await program.until(() => program.counts.kills >= this.#faultCount, LOG_MS_MAX)
    if (program.counts.kills !== this.#faultCount) {
      this.#complain(`${program.counts.kills} workers have died, ${this.#faultCount} were killed; ` +
        `the last ones of: ${program.causes.slice(-CAUSES_SHOWN).join(', ')}`)
    }
  }

  /** The monitor that takes the place of the one that dies now rotates them. */
  async #ageKeys (): Promise<void> {
    if (monotonicNowMs() - this.#keysAgedMs < KEYS_AGE_MS) return
    this.#keysAgedMs = monotonicNowMs()
    await ageTicketKeys(this.#program.folder)
  }

  /** In the midst of its load; then those tickets come that were used just before. */
  async #killAll (): Promise<void> {
    const { note } = this.#options
    this.#lives++
    note('the whole program is killed')
    await this.#retryGate.runFaults(async () => {
      await this.#program.killAndStart(() => { this.#ledger.startLife() })
    })
    note('the whole program is up again')
    await Promise.all(this.#world.usedTickets.map(used => replay(this.#world, used)))
  }

  /** How full the servers are, again and again. */
  async #sample (): Promise<void> {
    while (this.#isWell && !this.#isEnding) {
      const found = await this.#program.look('look-at-locks')
      // Undefined while it is killed.
      if (found !== undefined) {
        this.#complainOfAll(tooFull(found, this.#options.capacity))
        this.#samples++
      }
      await setTimeout(SAMPLE_MS)
    }
  }

  async #carryOut (fault: Fault): Promise<void> {
    const { victim, atWrite } = fault
    const port = this.#program.ports[victim]
    this.#options.note(faultText(fault))
    this.#faultCount++
    if (victim !== MONITOR && atWrite !== undefined) this.#wanted.add(port!)
    const startMs = monotonicNowMs()
    this.#program.inject(fault)
    const isDead = await this.#program.until(() => !this.#program.isUp(victim), DEATH_MS_MAX)
    this.#wanted.delete(port!)
    if (!isDead) return this.#complain(`${faultText(fault)}: it lives on`)
    this.#options.note(`${fault.number} is over after ${(monotonicNowMs() - startMs).toFixed(0)} ms`)
  }

  /** Leaves the load paused. */
  async #check (): Promise<void> {
    await this.#load.pause()
    const isReady = await this.#program.until(() => this.#program.areAllUp, READY_MS_MAX)
    if (!isReady) return this.#complain('not all workers are up again')
    await setTimeout(LEAVE_GRACE_S * 1000 + LEAVE_LATE_MS)
    this.#complainOfAll(await checkWhole(this.#world, this.#load))
    const { kills, killsHoldingLock } = this.#program.counts
    const found = await this.#program.look('look-at-locks')
    this.#options.note(`checked: ${kills} kills, ${killsHoldingLock} holding a lock, ` +
      `${this.#web.requests} requests, ${this.#web.failures.length} failed, ` +
      `${this.#samples} samples, ${this.#lives} lives, ${this.#load.changes.count} changes of servers, ` +
      `${this.#world.kids.size} keys of tickets, ${found?.residentMb} MB`)
  }

  #complain (what: string): void {
    this.#violations.push(what)
    this.#options.note(`VIOLATION: ${what}`)
  }

  #complainOfAll (whats: readonly string[]): void {
    for (const what of whats) this.#complain(what)
  }
}
