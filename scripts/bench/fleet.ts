/**
 * What fleets of several sizes cost the engine, the largest of 100 nodes with 300 servers and ten
 * million users: its share of one core and its memory. Each node reports every quarter of a second
 * and asks for each newcomer's place in batches, as fleet-link.ts does; users are numbers here.
 * Source: INFO of a redis-server, or the program named by USHER_BENCH_ENGINE. Then what a visitor
 * waits for in a fleet (fleet-router.ts).
 */
import { randomInt, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseClientId, type Client } from '@usher/shared/client.ts'
import { EngineAway } from '@usher/shared/errors.ts'
import { openEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import { FleetClock } from '@usher/shared/fleet/fleet-clock.ts'
import { NO_INDEX, type Arrival, type FleetIndex } from '@usher/shared/fleet/packed-texts.ts'
import { bringLibrary, UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import { EngineProcess } from '../../packages/shared/test/fleet/engine-process.ts'
import { benchFleetRouter, engineOption } from './fleet-router.ts'

/** The last is what the floors are for. */
const SIZES: readonly Size[] = [
  { nodes: 3, users: 100_000, seconds: 8 },
  { nodes: 10, users: 1_000_000, seconds: 8 },
  { nodes: 30, users: 3_000_000, seconds: 8 },
  { nodes: 100, users: 10_000_000, seconds: 20 }
]
const SERVERS_EACH = 3
/** On average; as many come as leave. */
const VISIT_S = 1200
/** From the choice to the first request. */
const WAY_MS = 500
const HOLD_MS = 10_350
const REPORT_MS = 250
const CONNECTIONS = 10
/** In the engine's folder. */
const SOCKET = 'engine.sock'
/** Of what has to be known before anything is measured. */
const TRIES_MAX = 20
const RETRY_MS = 250
const BATCH_MAX = 512
const SHARE_MAX = 60
const MEGABYTES_MAX = 16

interface Size {
  readonly nodes: number
  readonly users: number
  /** That are measured. */
  readonly seconds: number
}

interface SimulatedNode {
  readonly library: UsherLibrary
  readonly clock: FleetClock
  readonly run: { readonly name: string, readonly run: string }
  number: number
  indexes: readonly FleetIndex[]
  readonly active: Map<FleetIndex, number>
  newcomers: Client[]
  arrived: Arrival[]
  isAsking: boolean
  fed: number
  seq: number
}

export async function benchFleet (): Promise<void> {
  for (const size of SIZES) await benchSize(size)
  await benchFleetRouter()
}

/** Each with an engine of its own. */
async function benchSize (size: Size): Promise<void> {
  const server = new EngineProcess({ ...engineOption(), args: ['--unixsocket', SOCKET] })
  const engines: Engine[] = []
  try {
    await server.start()
    const socket = join(server.folder, SOCKET)
    while (engines.length < CONNECTIONS) engines.push(await connect(socket))
    await measure(engines, size)
  } finally {
    await Promise.all(engines.map(engine => engine.close()))
    await server.close()
  }
}

function connect (path: string): Promise<Engine> {
  return new Promise((resolve, reject) => {
    const engine = openEngine({
      address: {
        kind: 'socket', path, db: 0, isTls: false, username: undefined, password: undefined
      },
      name: 'bench',
      prepare: bringLibrary,
      onReady: () => { resolve(engine) },
      onRefused: reject
    })
  })
}

async function measure (
  engines: readonly Engine[], size: Size
): Promise<void> {
  const nodes = await Promise.all(Array.from({ length: size.nodes }, (_, at) =>
    persist(() => joinFleet(engines[at % CONNECTIONS]!, `n${at}`, size))))
  const nodeOf = new Map(nodes.flatMap(node => node.indexes.map(index => [index, node] as const)))
  const life = live(nodes, nodeOf, size.users)
  await life.untilWarm
  const before = await persist(() => usage(engines[0]!))
  const { placed: placedBefore, late: lateBefore } = life.counts
  await setTimeout(size.seconds * 1000)
  const after = await persist(() => usage(engines[0]!))
  const placed = life.counts.placed - placedBefore
  const late = life.counts.late - lateBefore
  await life.end()
  const share = (after.cpuS - before.cpuS) / (after.atS - before.atS) * 100
  const megabytes = after.bytes / 1e6
  process.stdout.write(`fleet: ${size.nodes} nodes, ${nodeOf.size} servers, ${size.users} users, visits of ` +
    `${VISIT_S} s: ${(placed / size.seconds).toFixed(0)} places/s, ${late} calls late or unanswered\n` +
    row('share of one core', share, '%', SHARE_MAX) +
    row('memory', megabytes, 'MB', MEGABYTES_MAX))
}

function row (what: string, value: number, unit: string, most: number): string {
  const verdict = value <= most ? 'floor' : 'missed'
  return `${what}: ${value.toFixed(1)} ${unit}, ${verdict} of <= ${most} ${unit}\n`
}

/** The engine may be busy for longer than a call waits. */
async function persist<T> (work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof EngineAway) || tries === TRIES_MAX) throw error
      await setTimeout(RETRY_MS)
    }
  }
}

async function joinFleet (
  engine: Engine, name: string, { nodes, users }: Size
): Promise<SimulatedNode> {
  const library = new UsherLibrary(engine.call, 'bench')
  const clock = new FleetClock(() => performance.now())
  const sentMs = performance.now()
  const { nowMs } = await library.view()
  clock.note(sentMs, performance.now(), nowMs)
  const run = { name, run: randomUUID() }
  const joined = await library.join(clock.engineNowMs(), run, Array.from(
    { length: SERVERS_EACH }, (_, at) => (
      { name: `s${at}`, url: `https://s${at}.${name}.example`, capacity: undefined, share: 100 }
    )))
  if (joined.status === 'late') throw new EngineAway(`${name} could not join: ${joined.status}`)
  if (joined.status !== 'ok') throw new Error(`${name} could not join: ${joined.status}`)
  const { number, indexes } = joined
  const active = new Map(indexes.map(index => [index, users / nodes / SERVERS_EACH | 0]))
  return {
    library,
    clock,
    run,
    number,
    indexes,
    active,
    newcomers: [],
    arrived: [],
    isAsking: false,
    fed: 0,
    seq: 0
  }
}

/** People come, are placed, arrive and leave until the end. */
function live (
  nodes: readonly SimulatedNode[], nodeOf: ReadonlyMap<FleetIndex, SimulatedNode>,
  users: number
) {
  /** late: a node survives that, and places its visitors itself or reports once more. */
  const counts = { placed: 0, late: 0 }
  const life = { isOver: false }
  const begunMs = performance.now()
  let come = 0
  const onWay: Array<readonly [atMs: number, arrival: Arrival]> = []
  const ask = async (node: SimulatedNode): Promise<void> => {
    if (node.isAsking || node.newcomers.length === 0) return
    node.isAsking = true
    const batch = node.newcomers.splice(0, BATCH_MAX)
    const answer = await orLate(node.library.place(node.clock.engineNowMs(), node.number, HOLD_MS,
      batch.map(client => ({ client, hint: NO_INDEX, refusedBy: NO_INDEX }))))
    node.isAsking = false
    if (answer.status === 'late') counts.late++
    if (answer.status !== 'ok') return
    counts.placed += batch.length
    for (const [at, client] of batch.entries()) {
      const arrival = {
        client, index: answer.indexes[at]!, from: NO_INDEX, chosenMs: answer.nowMs
      }
      onWay.push([performance.now() + WAY_MS, arrival])
    }
  }
  /** They are told again. */
  const untold = new Map<SimulatedNode, readonly Arrival[]>()
  const report = async (node: SimulatedNode): Promise<boolean> => {
    const newly = node.arrived.splice(0)
    const arrived = [...untold.get(node) ?? [], ...newly]
    untold.delete(node)
    for (const index of node.indexes) {
      node.active.set(index, node.active.get(index)! - leaving(node.active.get(index)!))
    }
    for (const { index } of newly) node.active.set(index, node.active.get(index)! + 1)
    const answer = await orLate(node.library.report(node.clock.engineNowMs(), node.run, {
      seq: ++node.seq, fed: node.fed, arrived, released: [], told: [], active: [...node.active]
    }))
    if (answer.status === 'late') counts.late++
    if (answer.status !== 'ok') {
      untold.set(node, arrived)
      return false
    }
    node.fed = answer.fed
    return !answer.isWarm
  }
  const turn = (): void => {
    const nowMs = performance.now()
    const due = (nowMs - begunMs) / 1000 * users / VISIT_S
    for (; come < due; come++) {
      nodes[randomInt(nodes.length)]!.newcomers.push(parseClientId(randomUUID())!)
    }
    for (const node of nodes) void ask(node)
    let at = 0
    for (; at < onWay.length && onWay[at]![0] <= nowMs; at++) {
      const [, arrival] = onWay[at]!
      nodeOf.get(arrival.index)!.arrived.push(arrival)
    }
    onWay.splice(0, at)
  }
  const timer = setInterval(turn, 2)
  let warmed: () => void
  const untilWarm = new Promise<void>(resolve => { warmed = resolve })
  const reporting = nodes.map(async (node, at) => {
    await setTimeout(at / nodes.length * REPORT_MS)
    while (!life.isOver) {
      if (await report(node)) warmed()
      await setTimeout(REPORT_MS)
    }
  })
  return {
    untilWarm,
    counts,
    async end (): Promise<void> {
      life.isOver = true
      clearInterval(timer)
      await Promise.all(reporting)
    }
  }
}

/** What is not answered in time is as one that came late. */
async function orLate<T> (answer: Promise<T>): Promise<T | { readonly status: 'late' }> {
  return await answer.catch((error: unknown) => {
    if (!(error instanceof EngineAway)) throw error
    return { status: 'late' as const }
  })
}

/** Of so many, in the time between two reports; the fraction by chance. */
function leaving (users: number): number {
  const share = users / VISIT_S * REPORT_MS / 1000
  return Math.floor(share) + (Math.random() < share % 1 ? 1 : 0)
}

async function usage (engine: Engine) {
  const info = String(await engine.call('INFO', 'everything'))
  const figure = (name: string): number =>
    Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)![1])
  return {
    atS: performance.now() / 1000,
    cpuS: figure('used_cpu_sys') + figure('used_cpu_user'),
    bytes: figure('used_memory')
  }
}
