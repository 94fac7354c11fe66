/**
 * One run: an engine, nodes with a link to it each, and visitors; the schedule's faults one after
 * another, and in between a calm in which engine, nodes and visitors must agree on who is where.
 */
import { setTimeout } from 'node:timers/promises'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { openEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import { UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import { EngineProcess } from '../../packages/shared/test/fleet/engine-process.ts'
import { Random } from '../kit/random.ts'
import { Crowd } from './crowd.ts'
import { FleetProgram } from './fleet-program.ts'
import { LinkProxy } from './link-proxy.ts'
import { faultText, schedule, type Fault } from './schedule.ts'

export interface RunOptions {
  readonly program: string
  readonly seconds: number
  /** The run ends when there were so many, if that is sooner. */
  readonly faults: number
  readonly seed: number
  readonly nodes: number
  /** Of each server. */
  readonly capacity: number
  readonly visitors: number
  /** Told of everything that happens. */
  readonly note: (what: string) => void
}

export interface RunResult {
  readonly faults: number
  readonly calms: number
  readonly entered: number
  readonly samples: number
  /** Sentences. */
  readonly failures: readonly string[]
  readonly violations: readonly string[]
}

const FLEET = 'usher'
const PAUSE_MS = 300
const SAMPLE_MS = 50
const CALM_EVERY_FAULTS = 4
/** Between two faults, half of the time the next one comes before all is as it was. */
const RESTS_MS = [0, 300, 1500, 3000]
/** Whoever is counted where it is no more has to be silent for SILENT_S first. */
const CALM_MS_MAX = 90_000
const CALM_LOOK_MS = 100
const SILENT_S = '15'
const SETTINGS = {
  CLUSTER_NAME: FLEET,
  CLUSTER_SECRET: 'a-secret-of-all-nodes'.padEnd(32, '-'),
  DELAY_BETWEEN_ROUTING: '0.05',
  RESERVATION_TTL: '2',
  LEAVE_GRACE: '0',
  RETURN_GRACE: '0',
  HEARTBEAT_INTERVAL: '1',
  TIMEOUT_THRESHOLD: SILENT_S,
  UNCONFIRMED_TIMEOUT: SILENT_S,
  SOCKET_TIMEOUT: '60',
  NEWCOMERS_PER_MINUTE: '1000000'
}

export async function fleetChaosRun (options: RunOptions): Promise<RunResult> {
  const run = new Run(options)
  try {
    await run.start()
    return await run.runFaults()
  } finally {
    await run.close()
  }
}

class Run {
  readonly #options: RunOptions
  readonly #engine = new EngineProcess()
  readonly #links: readonly LinkProxy[]
  readonly #nodes: readonly FleetProgram[]
  readonly #crowd: Crowd
  readonly #random: Random
  readonly #violations: string[] = []
  readonly #counts = { faults: 0, calms: 0, samples: 0 }
  #own: Engine | undefined
  #isOver = false

  constructor (options: RunOptions) {
    const { nodes, seed, capacity, visitors, program } = options
    this.#options = options
    this.#random = new Random(seed, 1)
    this.#links = Array.from({ length: nodes }, () => new LinkProxy(this.#engine))
    this.#nodes = this.#links.map(({ host, port }, at) => new FleetProgram(at + 1, program, {
      ...SETTINGS, CAPACITY: String(capacity), CLUSTER_URL: `redis://${host}:${port}`
    }))
    this.#crowd = new Crowd({
      nodes: this.#nodes, size: visitors, capacity, random: new Random(seed, 2), pauseMs: PAUSE_MS
    })
  }

  async start (): Promise<void> {
    await this.#engine.start()
    this.#own = openEngine({ address: this.#engine.address, name: 'chaos' })
    await Promise.all(this.#links.map(link => link.start()))
    await Promise.all(this.#nodes.map(node => node.start()))
    this.#crowd.start()
    for (const node of this.#nodes) void this.#sample(node)
    await this.#calm()
  }

  async runFaults (): Promise<RunResult> {
    const { seconds, faults, seed, nodes } = this.#options
    const endMs = monotonicNowMs() + seconds * 1000
    for (const fault of schedule(seed, nodes)) {
      if (monotonicNowMs() >= endMs || this.#counts.faults >= faults || !this.#isWell) break
      this.#options.note(faultText(fault))
      this.#counts.faults++
      await this.#carryOut(fault)
      if (this.#counts.faults % CALM_EVERY_FAULTS === 0) await this.#calm()
      else await setTimeout(this.#random.pick(RESTS_MS))
    }
    if (this.#isWell) await this.#calm()
    this.#isOver = true
    await this.#crowd.end()
    const { failures, counts: { entered } } = this.#crowd
    return { ...this.#counts, entered, failures, violations: this.#violations }
  }

  async close (): Promise<void> {
    this.#isOver = true
    this.#engine.thaw()
    await Promise.all(this.#nodes.map(node => node.close()))
    await Promise.all(this.#links.map(link => link.close()))
    await this.#own?.close()
    await this.#engine.close()
  }

  get #isWell (): boolean {
    return this.#violations.length === 0 && this.#crowd.failures.length === 0
  }

  async #carryOut ({ kind, node: at, forMs }: Fault): Promise<void> {
    const [node, link] = [this.#nodes[at]!, this.#links[at]!]
    switch (kind) {
      case 'engine-freeze':
        this.#engine.freeze()
        await setTimeout(forMs)
        return this.#engine.thaw()
      case 'engine-kill':
        await this.#engine.kill()
        await setTimeout(forMs)
        return await this.#engine.start()
      case 'link-cut':
      case 'link-stall':
        link.become(kind === 'link-cut' ? 'cut' : 'stalled')
        await setTimeout(forMs)
        return link.become('whole')
      case 'node-kill':
        await node.kill()
        await setTimeout(forMs)
        return await node.start()
      case 'node-stop': {
        const code = await node.stop()
        if (code !== 0) this.#complain(`${node.name} ended with ${code}`)
        await setTimeout(forMs)
        return await node.start()
      }
    }
  }

  /** How full the servers of a node are, again and again. */
  async #sample (node: FleetProgram): Promise<void> {
    const { capacity } = this.#options
    while (!this.#isOver) {
      for (const [name, { active_users: users }] of Object.entries(await node.servers() ?? {})) {
        this.#counts.samples++
        if (users > capacity) {
          this.#complain(`${node.name}/${name} has ${users} users, and admits ${capacity}`)
        }
      }
      await setTimeout(SAMPLE_MS)
    }
  }

  /** Nobody comes or leaves until all agree; afterwards they do again. */
  async #calm (): Promise<void> {
    await this.#crowd.pause()
    const startMs = monotonicNowMs()
    let differences = await this.#differences()
    while (differences.length > 0 && monotonicNowMs() - startMs < CALM_MS_MAX) {
      await setTimeout(CALM_LOOK_MS)
      differences = await this.#differences()
    }
    for (const what of differences) this.#complain(what)
    this.#counts.calms++
    this.#options.note(`calm after ${(monotonicNowMs() - startMs).toFixed(0)} ms, ` +
      `${this.#crowd.counts.entered} have entered, ${this.#crowd.failures.length} failures`)
    this.#crowd.resume()
  }

  /** Between the engine, the nodes and the visitors, as sentences. */
  async #differences (): Promise<readonly string[]> {
    const library = new UsherLibrary(this.#own!.call, FLEET)
    const view = await library.view().catch(() => undefined)
    if (view === undefined) return ['the engine does not answer']
    const there = this.#crowd.users()
    const all = await Promise.all(this.#nodes.map(async node => {
      const servers = Object.entries(await node.servers() ?? {})
      if (servers.length === 0) return [`${node.name} does not answer`]
      return servers.flatMap(([name, { port, active_users: active, load }]) => {
        const known = view.servers.find(server => server.node === node.name && server.name === name)
        const visitors = there.get(`http://${node.host}:${port}`) ?? 0
        const isRight = known?.active === active && known.active + known.held === load
        return [
          ...isRight ? [] : [`${node.name}/${name}: the engine counts ${known?.active} and holds ${known?.held}, the node ${active} and ${load - active}`],
          ...visitors === active ? [] : [`${node.name}/${name}: ${visitors} are there, it counts ${active}`]
        ]
      })
    }))
    return all.flat()
  }

  #complain (what: string): void {
    this.#violations.push(what)
    this.#options.note(`VIOLATION: ${what}`)
  }
}
