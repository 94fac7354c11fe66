/** Three nodes in one process, on a real engine that is frozen, killed and started empty. */
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Client } from '@usher/shared/client.ts'
import { UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import { ENGINE_SKIP, startEngine, type TestEngine } from '../../../shared/test/fleet/engine-kit.ts'
import { clientNumber } from '../../../shared/test/memory/test-table.ts'
import { fakeServer, HOLD_MS, startNode, until, untilUp, type FakeNode, type FakeNodeOptions } from './fake-node.ts'

const NEEDS_ENGINE = { skip: ENGINE_SKIP }
const NAMES = ['a', 'b', 'c']
/** Longer than two nodes' measurements of the engine's clock differ. */
const STAY_MS = 400
const NOWHERE = { hint: undefined, refusedBy: undefined }
/** Where the engine is to place whoever comes, however busy this machine is. */
const PATIENT = { patienceMs: 30_000 }

t.test('fleet link: a burst through three routers is spread as by one', NEEDS_ENGINE, async t => {
  const check = async (counts: readonly number[]): Promise<void> => {
    const { nodes } = await startFleet(t, PATIENT)
    let next = 0
    const placed = await Promise.all(nodes.flatMap((node, at) =>
      Array.from({ length: counts[at]! }, () => node.place(clientNumber(next++)))))
    const perServer = countOf(placed)
    t.equal(perServer.size, 9)
    t.equal(spreadOf([...perServer.values()]) <= 1, true, `${counts}: ${[...perServer.values()]}`)
    t.strictSame(nodes.map(({ localCount }) => localCount), [0, 0, 0])
  }
  await check([1000, 1000, 1000])
  await check([2700, 210, 90])
})

t.test('fleet link: counts who comes and goes, wherever it was placed', NEEDS_ENGINE, async t => {
  const { nodes, untilRight, arriveAll } = await startFleet(t, PATIENT)
  const placed = await placeAll(nodes, 90)
  await untilRight()
  t.ok(arriveAll(placed).every(isIn => isIn))
  await untilRight()
  for (const { client } of placed.slice(0, 30)) for (const node of nodes) node.leave(client)
  await untilRight()
  t.equal(total(nodes), 60)
})

t.test('fleet link: who comes back stays, and counts at one place', NEEDS_ENGINE, async t => {
  const { nodes, untilRight, arriveAll } = await startFleet(t, PATIENT)
  const [a, b] = nodes as [FakeNode, FakeNode, FakeNode]
  const placed = await placeAll(nodes, 9)
  arriveAll(placed)
  await untilRight()
  const there = placed.find(({ server }) => server!.startsWith('b/'))!
  t.equal(await a.place(there.client, there.server), there.server, 'a hint decides a tie')
  t.equal(await a.place(there.client, 'nowhere/s0') === undefined, false)
  b.servers[Number(there.server!.at(-1))]!.isAvailable = false
  await b.link.serversChanged()
  await until(async () => (await a.place(clientNumber(100), there.server)) !== there.server)
  const moved = (await a.place(there.client, there.server))!
  t.not(moved, there.server, 'its server drains')
  arriveAll([{ client: there.client, server: moved }])
  if (!moved.startsWith('b/')) {
    await until(() => !b.servers.some(({ activeClients }) => activeClients.size > 1))
    await until(() => total(nodes) <= 10)
  }
  await untilRight()
})

t.test('fleet link: a hint for a server of its own is looked up', NEEDS_ENGINE, async t => {
  const { nodes } = await startFleet(t, PATIENT)
  const a = nodes[0]!
  const lie = async (number: number): Promise<string | undefined> =>
    await a.place(clientNumber(number), 'a/s0')
  const places = await Promise.all(Array.from({ length: 18 }, (_, number) => lie(number)))
  t.equal(spreadOf([...countOf(places).values()]), 0)
})

t.test('fleet link: full, none, and a place that is not used', NEEDS_ENGINE, async t => {
  const { nodes, untilRight } = await startFleet(t, { ...PATIENT, capacity: 2 })
  const [a, b] = nodes as [FakeNode, FakeNode, FakeNode]
  const placed = await placeAll(nodes, 18)
  t.strictSame([...countOf(placed.map(({ server }) => server)).values()], Array(9).fill(2))
  t.match(await a.link.place(clientNumber(50), NOWHERE), { kind: 'full' })
  const { client, server } = placed.find(({ by, server }) => by === a && server!.startsWith('b/'))!
  a.link.release(client)
  await until(async () => await b.place(clientNumber(51)) !== undefined)
  await untilRight()
  t.equal(b.users(server!), 2)
  for (const node of nodes) {
    for (const one of node.servers) one.isAvailable = false
    await node.link.serversChanged()
  }
  await until(async () => (await a.link.place(clientNumber(52), NOWHERE)).kind === 'none')
})

t.test('fleet link: who was refused by a server gets another one, wherever both are', NEEDS_ENGINE, async t => {
  const { nodes, untilRight } = await startFleet(t, PATIENT)
  const [a, b] = nodes as [FakeNode, FakeNode, FakeNode]
  const placed = await placeAll(nodes, 18)
  await untilRight()
  for (const { client, server } of placed) {
    const other = (await a.place(client, server, server))!
    t.not(other, server)
    t.equal(await b.place(client), other, 'and holds its place there')
    if (server!.startsWith('a/')) a.giveBack(client, server!)
  }
  await untilRight()
  t.equal(total(nodes), 18, 'alone')
})

t.test('fleet link: servers that are added, removed and weighed', NEEDS_ENGINE, async t => {
  const { nodes } = await startFleet(t, PATIENT)
  const [a, b] = nodes as [FakeNode, FakeNode, FakeNode]
  a.servers.push({ ...fakeServer('new'), weight: 9 })
  await a.link.serversChanged()
  await untilUp(nodes, 10)
  t.match(b.link.servers.get('a/new'), { url: 'http://new.example', ownIndex: undefined })
  t.match(a.link.servers.get('a/new'), { ownIndex: 3 })
  const placed = await placeAll(nodes, 180)
  t.equal(countOf(placed.map(({ server }) => server)).get('a/new'), 90, 'half of all weight')
  a.servers.splice(0, 1)
  await a.link.serversChanged()
  await untilUp(nodes, 9)
  t.notOk(b.link.servers.has('a/s0'))
  t.equal(a.link.servers.get('a/new')?.ownIndex, 2)
})

t.test('fleet link: places go on while the engine is frozen, and are told afterwards', NEEDS_ENGINE, async t => {
  const { engine, nodes, untilRight, arriveAll } = await startFleet(t, { capacity: 100 })
  arriveAll(await placeAll(nodes, 90))
  await untilRight()
  engine.freeze()
  const frozen = await placeAll(nodes, 90, 1000)
  t.equal(frozen.every(({ server, by }) => server!.startsWith(by.name)), true, 'each at its own')
  await until(() => nodes.every(({ link }) => link.state === 'away'))
  t.ok(arriveAll(frozen.slice(0, 45)).every(isIn => isIn))
  await setTimeout(2500) // Longer than leases last.
  engine.thaw()
  await untilUp(nodes, 9)
  await untilRight()
  t.ok(total(nodes) >= 135, `${total(nodes)}`)
  checkStates(t, nodes)
})

t.test('fleet link: a node whose servers take nobody waits longer for a slow engine', NEEDS_ENGINE, async t => {
  const { engine, nodes, close } = await startFleet(t, {})
  const [a, b] = nodes as [FakeNode, FakeNode, FakeNode]
  await close(a)
  await untilUp(nodes, 9)
  engine.freeze()
  const places = [a.place(clientNumber(1)), b.place(clientNumber(2))]
  t.match(await places[1], /^b\//)
  t.strictSame([a, b].map(({ link }) => link.state), ['up', 'away'])
  engine.thaw()
  t.match(await places[0], /^[bc]\//)
})

t.test('fleet link: who comes to another node while the engine is away is counted there alone', NEEDS_ENGINE, async t => {
  const check = async (
    begin: (engine: TestEngine) => unknown, end: (engine: TestEngine) => unknown, awayMs = 0
  ): Promise<void> => {
    const { engine, nodes, untilRight, arriveAll } = await startFleet(t, {})
    const [a, b] = nodes as [FakeNode, FakeNode, FakeNode]
    const placed = await placeAll(nodes, 18)
    arriveAll(placed)
    await untilRight()
    await begin(engine)
    await until(() => nodes.every(({ link }) => link.state === 'away'))
    const moved = await Promise.all(placed.filter(({ server }) => server!.startsWith('b/'))
      .map(async ({ client, server }) => ({ client, server: await a.place(client, server) })))
    t.ok(moved.length > 0 && moved.every(({ server }) => server!.startsWith('a/')))
    arriveAll(moved)
    await setTimeout(awayMs)
    await end(engine)
    await untilUp(nodes, 9)
    await until(() => b.servers.every(({ activeClients }) => activeClients.size === 0))
    await until(() => total(nodes) === 18)
    await untilRight()
  }
  await check(engine => { engine.freeze() }, engine => { engine.thaw() })
  await check(engine => engine.kill(), engine => engine.restart())
  // Longer than a place is held.
  await check(engine => { engine.freeze() }, engine => { engine.thaw() }, HOLD_MS + 500)
})

t.test('fleet link: who goes and comes back while the engine is away stays', NEEDS_ENGINE, async t => {
  await checkReturn(t, engine => { engine.freeze() }, engine => { engine.thaw() })
  await checkReturn(t, engine => engine.kill(), engine => engine.restart())
})

async function checkReturn (
  t: Test, begin: (engine: TestEngine) => unknown, end: (engine: TestEngine) => unknown
): Promise<void> {
  const { engine, nodes, untilRight, arriveAll } = await startFleet(t, {})
  const [a, b] = nodes as [FakeNode, FakeNode, FakeNode]
  const placed = await placeAll(nodes, 18)
  arriveAll(placed)
  await untilRight()
  const ofB = placed.filter(({ server }) => server!.startsWith('b/'))
  await begin(engine)
  await until(() => nodes.every(({ link }) => link.state === 'away'))
  await Promise.all(ofB.map(async ({ client, server }) => {
    const there = await a.place(client, server)
    arriveAll([{ client, server: there }])
    await setTimeout(STAY_MS)
    const back = await b.place(client, there)
    b.leave(client)
    arriveAll([{ client, server: back }])
  }))
  await end(engine)
  await untilUp(nodes, 9)
  await until(() => total(nodes) === 18)
  await untilRight()
  t.equal(total([b]), ofB.length)
}

t.test('fleet link: an engine that was killed and started empty is told all', NEEDS_ENGINE, async t => {
  const { engine, nodes, untilRight, arriveAll } = await startFleet(t, { capacity: 100 })
  arriveAll(await placeAll(nodes, 90))
  await untilRight()
  await placeAll(nodes, 45, 1000)
  await engine.kill()
  const away = await placeAll(nodes, 45, 2000)
  t.ok(away.every(({ server }) => server !== undefined))
  await engine.restart()
  await untilUp(nodes, 9)
  await untilRight()
  checkStates(t, nodes)
  t.ok(await nodes[0]!.place(clientNumber(5000)))
})

t.test('fleet link: capacities hold whatever the engine does', NEEDS_ENGINE, async t => {
  const { engine, nodes, untilRight } = await startFleet(t, { capacity: 20 })
  let next = 0
  let isOver = false
  let failures = 0
  const load = { isOver: false }
  const visit = async (): Promise<void> => {
    const client = clientNumber(next++)
    try {
      const server = await nodes[next % 3]!.place(client)
      if (server === undefined) return
      await setTimeout(20)
      const there = nodes.find(({ name }) => server.startsWith(`${name}/`))!
      there.arrive(server, client)
      isOver ||= there.servers.some(({ activeClients }) => activeClients.size > 20)
      await setTimeout(400 + next % 400)
      for (const node of nodes) node.leave(client)
    } catch {
      failures++
    }
  }
  const visited = (async () => {
    const visits: Array<Promise<void>> = []
    while (!load.isOver) {
      visits.push(visit(), visit())
      await setTimeout(4)
    }
    await Promise.all(visits)
  })()
  const isUp = (): boolean => nodes.every(({ link }) => link.state === 'up')
  await setTimeout(500)
  engine.freeze()
  await until(() => nodes.every(({ link }) => link.state === 'away'))
  await setTimeout(1500)
  engine.thaw()
  await until(isUp)
  await engine.kill()
  await until(() => nodes.every(({ link }) => link.state === 'away'))
  await engine.restart()
  await until(isUp)
  load.isOver = true
  await visited
  t.equal(isOver, false)
  t.equal(failures, 0)
  await untilRight()
})

t.test('fleet link: a node that dies is forgotten with its servers', NEEDS_ENGINE, async t => {
  const { nodes } = await startFleet(t, PATIENT)
  const [a, b, c] = nodes as [FakeNode, FakeNode, FakeNode]
  await placeAll(nodes, 90)
  c.die()
  await untilUp([a, b], 6)
  const placed = await placeAll([a, b], 60, 1000)
  t.notOk(placed.some(({ server }) => server!.startsWith('c/')))
})

t.test('fleet link: a node that was held up hears who has gone elsewhere meanwhile', NEEDS_ENGINE, async t => {
  const { nodes, untilRight, arriveAll, close } = await startFleet(t, PATIENT)
  const [a, b, c] = nodes as [FakeNode, FakeNode, FakeNode]
  const placed = await placeAll(nodes, 18)
  arriveAll(placed)
  await untilRight()
  await close(b)
  b.die()
  const moved = await Promise.all(placed.filter(({ server }) => server!.startsWith('b/'))
    .map(async ({ client, server }) => ({ client, server: await a.place(client, server) })))
  arriveAll(moved)
  await untilUp([a, c], 6)
  b.wake()
  await untilUp(nodes, 9)
  await until(() => total(nodes) === 18)
  await untilRight()
})

t.test('fleet link: who is back stays, though the node hears at once of the move and of the choice', NEEDS_ENGINE, async t => {
  const check = async (isToldFirst: boolean): Promise<void> => {
    const { nodes, untilRight } = await startFleet(t, { ...PATIENT, serverCount: 1 })
    const [a, b, c] = nodes as [FakeNode, FakeNode, FakeNode]
    const ana = clientNumber(0)
    // So many elsewhere that whoever comes is sent to the first node.
    for (const node of [b, c]) {
      for (let other = 1; other <= 9; other++) node.arrive(`${node.name}/s0`, clientNumber(other))
    }
    a.arrive('a/s0', ana)
    await untilRight()
    for (const node of nodes) node.die()
    b.link.placedHere(ana, 0, 'a/s0')
    b.arrive('b/s0', ana)
    await setTimeout(STAY_MS)
    if (isToldFirst) await b.link.serversChanged()
    t.equal(await c.place(ana, 'b/s0'), 'a/s0')
    a.arrive('a/s0', ana)
    await b.link.serversChanged()
    await a.link.serversChanged()
    t.equal(a.servers[0]!.activeClients.size, 1, isToldFirst ? 'move, choice' : 'choice, move')
    for (const node of nodes) node.wake()
    await until(() => b.servers[0]!.activeClients.size === 9)
    await untilRight()
    t.equal(a.servers[0]!.activeClients.size, 1)
  }
  await check(true)
  await check(false)
})

t.test('fleet link: who is back while its removal waits for the user table stays', NEEDS_ENGINE, async t => {
  const { nodes, untilRight } = await startFleet(t, { ...PATIENT, serverCount: 1 })
  const [a, b] = nodes as [FakeNode, FakeNode, FakeNode]
  const ana = clientNumber(0)
  a.arrive('a/s0', ana)
  await untilRight()
  b.link.placedHere(ana, 0, 'a/s0')
  b.arrive('b/s0', ana)
  await until(() => a.removals.length > 0)
  t.strictSame(a.removals.map(isBack => isBack()), [false])
  await setTimeout(STAY_MS)
  a.link.placedHere(ana, 0, 'b/s0')
  t.strictSame(a.removals.map(isBack => isBack()), [true])
})

t.test('fleet link: who closes is gone at once', NEEDS_ENGINE, async t => {
  const { nodes } = await startFleet(t, PATIENT)
  const [a, b, c] = nodes as [FakeNode, FakeNode, FakeNode]
  await c.link.close()
  await c.link.close()
  t.match(await c.link.place(clientNumber(1), NOWHERE), { kind: 'local' })
  const placed = await placeAll([a, b], 60)
  t.notOk(placed.some(({ server }) => server!.startsWith('c/')))
})

t.test('fleet link: a second node of a name is warned, and waits', NEEDS_ENGINE, async t => {
  const { engine, nodes } = await startFleet(t, PATIENT)
  const other = await startNode(t, engine, { name: 'a' })
  await until(() => other.warnings.length > 0)
  t.match(other.warnings, [/NODE_NAME has to differ/])
  t.equal(other.link.state, 'away')
  await nodes[0]!.link.close()
  await until(() => other.link.state === 'up')
})

t.test('fleet link: starts without an engine, and not with a wrong one', NEEDS_ENGINE, async t => {
  const engine = await startEngine(t)
  await engine.kill()
  const node = await startNode(t, engine, { name: 'a' })
  t.equal(node.link.state, 'away')
  t.match(await node.place(clientNumber(1)), /^a\//)
  await engine.restart()
  await until(() => node.link.state === 'up')
  const evicting = await startEngine(t, { args: ['--maxmemory-policy', 'allkeys-lru'] })
  await t.rejects(startNode(t, evicting, { name: 'a' }), { code: 'USHER_ENGINE_REFUSED' })
})

interface Placed {
  readonly client: Client
  readonly by: FakeNode
  readonly server: string | undefined
}

interface Fleet {
  readonly engine: TestEngine
  readonly nodes: readonly FakeNode[]
  /** The engine's counts are those of the nodes. */
  untilRight (): Promise<void>
  /** Resolves when the engine knows that none of the node's servers takes visitors. */
  close (node: FakeNode): Promise<void>
  arriveAll (placed: ReadonlyArray<Pick<Placed, 'client' | 'server'>>): readonly boolean[]
}

/** Three nodes of three servers each, up. */
async function startFleet (
  t: Test, options: Omit<FakeNodeOptions, 'name'>
): Promise<Fleet> {
  const engine = await startEngine(t)
  const nodes = await Promise.all(NAMES.map(name => startNode(t, engine, { name, ...options })))
  await untilUp(nodes, NAMES.length * nodes[0]!.servers.length)
  const library = new UsherLibrary(engine.call, 'shop')
  const isRight = async (): Promise<boolean> => {
    const { servers } = await library.view()
    return servers.every(({ node, name, active, held }) =>
      active + held === nodes.find(other => other.name === node)!.users(`${node}/${name}`))
  }
  return {
    engine,
    nodes,
    untilRight: () => until(isRight),
    async close ({ name, servers, link }) {
      for (const server of servers) server.isAvailable = false
      await link.serversChanged()
      await until(async () => (await library.view()).servers
        .every(({ node, share }) => node !== name || share === 0))
    },
    arriveAll: placed => placed.map(({ client, server }) =>
      nodes.find(({ name }) => server!.startsWith(`${name}/`))!.arrive(server!, client))
  }
}

/** Through all routers in turn, at once. */
function placeAll (
  nodes: readonly FakeNode[], count: number, firstClient = 0
): Promise<readonly Placed[]> {
  return Promise.all(Array.from({ length: count }, async (_, at) => {
    const client = clientNumber(firstClient + at)
    const by = nodes[at % nodes.length]!
    return { client, by, server: await by.place(client) }
  }))
}

function countOf (names: ReadonlyArray<string | undefined>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

function spreadOf (counts: readonly number[]): number {
  return Math.max(...counts) - Math.min(...counts)
}

function total (nodes: readonly FakeNode[]): number {
  return nodes.reduce((sum, { servers, users, name }) =>
    sum + servers.reduce((all, server) => all + users(`${name}/${server.name}`), 0), 0)
}

/** Was away, and waited for the warm-up afterwards. */
function checkStates (t: Test, nodes: readonly FakeNode[]): void {
  for (const { states } of nodes) {
    t.ok(states.slice(states.indexOf('away')).includes('warm'), `${states}`)
  }
}
