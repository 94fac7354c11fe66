/**
 * What a fleet holds to, whatever happens to its engine and its nodes while visitors come and go:
 * nobody fails, no server has more than it admits, and the counts are right again afterwards. How
 * long that takes is said beside each test, and asserted nowhere.
 */
import t from 'tap'
import { UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import { ENGINE_SKIP } from '../packages/shared/test/fleet/engine-kit.ts'
import { isLong } from '../packages/shared/test/length.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { ask, until } from './cluster.ts'
import { ONCE, Person, startFleet, untilRight, untilUp, type FleetMember } from './fleet-nodes.ts'
import {
  CAPACITY, CROWD, more, openScene, SCENE_SETTINGS, timed, untilAway, wait, watch
} from './fleet-scene.ts'

const skip = ENGINE_SKIP
if (isLong) t.setTimeout(900_000)

const FROZEN_MS = isLong ? 30_000 : 3000

t.test('fleet bounds: an engine that is frozen, killed and started empty fails nobody and lets nobody in too many', { skip }, async t => {
  const scene = await openScene(t)
  const { engine, members, nodes, crowd } = scene
  const watching = watch(nodes)
  const trouble = async (what: string, begin: () => unknown, end: () => unknown): Promise<void> => {
    await begin()
    await untilAway(members)
    await more(scene, CROWD)
    await wait(FROZEN_MS)
    await timed(t, `${what}, under load: all have it again`, async () => {
      await end()
      await untilUp(members, 9)
    })
    await more(scene, CROWD)
    await begin()
    await untilAway(members)
    await more(scene, CROWD)
    await crowd.pause()
    await timed(t, `${what}: the counts are right`, async () => {
      await end()
      await untilRight(scene)
    })
    crowd.resume()
    await untilUp(members, 9)
    await more(scene, CROWD)
  }
  await trouble('frozen', () => { engine.freeze() }, () => { engine.thaw() })
  await trouble('killed', () => engine.kill(), () => engine.restart())
  await crowd.pause()
  await timed(t, 'after it all: the counts are right', () => untilRight(scene))
  const { samples, most } = await watching.end()
  await crowd.end()
  t.strictSame(crowd.failures, [])
  t.equal(most, CAPACITY, `the most of ${samples} samples`)
  t.comment(crowd.counts)
})

t.test('fleet bounds: the ghosts of a node that was killed go, and whom its router has placed elsewhere comes in', { skip }, async t => {
  // Held for longer than this takes.
  const fleet = await startFleet(t, {
    ...SCENE_SETTINGS, CAPACITY: '4', RESERVATION_TTL: '120', DELAY_BETWEEN_ROUTING: '0'
  })
  const { engine, members } = fleet
  const [dying, ...others] = members as [FleetMember, FleetMember, FleetMember]
  const placed: Array<readonly [Person, URL]> = []
  await until(async () => {
    const person = new Person()
    const place = await person.knock(dying)
    if (place.hostname !== dying.host) placed.push([person, place])
    return placed.length
  }, count => count === 6)
  const library = new UsherLibrary(engine.call, 'usher')
  const inView = async (): Promise<readonly string[]> =>
    (await library.view()).servers.map(({ node }) => node)
  await dying.cluster.stop('SIGKILL')
  await timed(t, 'killed: its servers and who was counted there are gone', () =>
    until(() => inView().catch(() => []), nodes => nodes.length === 6))
  t.notOk((await inView()).includes(dying.node))
  await untilUp(others, 6)
  for (const member of others) {
    // All that is not held is taken.
    await until(() => new Person().knock(member).then(() => 'placed', String), end => /503/.test(end))
  }
  const statuses = await Promise.all(placed.map(async ([person, place]) =>
    (await person.ask(place)).status))
  t.strictSame(statuses, placed.map(() => 200), 'what is held is held')
  await untilRight({ engine, members: others })
  await untilUp([await dying.again(), ...others], 9)
  t.equal((await new Person().enter(others[0])).hostname, dying.host, 'where there is room again')
})

t.test('fleet bounds: a denial and a log-out are in force on all nodes', { skip }, async t => {
  const { members } = await startFleet(t, { DELAY_BETWEEN_ROUTING: '0' })
  const [first, ...others] = members as [FleetMember, FleetMember, FleetMember]
  const elsewhere = others.map(({ cluster }) => {
    const operator = new Operator(cluster)
    operator.cookie = first.operator.cookie
    return operator
  })
  const statuses = (): Promise<number[]> => Promise.all(
    elsewhere.map(async operator => (await operator.get('/denied')).status))
  await until(async () => {
    await first.servers() // Logs in again where another node's account is its own now.
    for (const operator of elsewhere) operator.cookie = first.operator.cookie
    return await statuses()
  }, all => all.every(status => status === 200))
  for (const round of [1, 2, 3]) {
    const person = new Person()
    const place = await person.enter(others[0])
    const userId = person.cookies.get(place.hostname)!.get('client_id')!
    const routers = members.map(({ host, cluster }) =>
      new URL(`http://${host}:${cluster.routingPort}/`))
    const statusAt = async (door: URL): Promise<number> => {
      const headers = { cookie: `client_id=${userId}` }
      const { port, hostname: host } = door
      return (await ask(Number(port), '/', { host, headers, agent: ONCE })).status
    }
    await timed(t, `denied, ${round}`, async () => {
      t.equal((await first.operator.post('/deny', { userId })).status, 200)
      // The visitor's connections are closed, perhaps in the middle of an answer.
      await Promise.all([place, ...routers].map(door =>
        until(() => statusAt(door).catch(() => 0), status => status === 403)))
    })
  }
  await timed(t, 'logged out', async () => {
    t.equal((await elsewhere[0]!.post('/logout')).status, 200)
    await Promise.all([first.operator, elsewhere[1]!].map(operator =>
      until(async () => (await operator.get('/denied')).status, status => status === 401)))
  })
})

t.test('fleet bounds: nodes that are stopped and started one after another fail nobody', { skip }, async t => {
  const scene = await openScene(t, { CAPACITY: '', UNCONFIRMED_TIMEOUT: '10' })
  const { engine, nodes, crowd } = scene
  for (const node of nodes) {
    t.equal(await node.stop(), 0)
    await more(scene, CROWD)
    await node.again()
    await untilUp(nodes.map(({ member }) => member), 9)
    await more(scene, CROWD)
  }
  await crowd.pause()
  const members = nodes.map(({ member }) => member)
  const usersThere = async (): Promise<ReadonlyMap<string, number>> => {
    const all = await Promise.all(members.map(async ({ host, servers }) => {
      const there = Object.values(await servers())
      return there.map(({ port, active_users: users }) => [`http://${host}:${port}`, users] as const)
    }))
    return new Map(all.flat())
  }
  await until(usersThere, there => {
    const known = crowd.users()
    return [...there].every(([origin, users]) => users === (known.get(origin) ?? 0))
  })
  t.pass('everybody is counted, at one place')
  await untilRight({ engine, members })
  await crowd.end()
  t.strictSame(crowd.failures, [])
  t.ok(crowd.counts.lost > 0)
  t.comment(crowd.counts)
})
