/** Three running programs that count as one, by way of an engine that fails in all ways. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { parseClientId } from '@usher/shared/client.ts'
import { UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import { ENGINE_SKIP, startEngine } from '../packages/shared/test/fleet/engine-kit.ts'
import { isLong } from '../packages/shared/test/length.ts'
import { startCluster, until, workingFolder } from './cluster.ts'
import {
  countByHost, fleetSettings, Person, spreadOf, startFleet, startMember, untilRight, untilUp,
  type FleetMember
} from './fleet-nodes.ts'

const skip = ENGINE_SKIP
if (isLong) t.setTimeout(600_000)

/** So many newcomers at once, by the routers in these shares; some wait for others to be placed. */
async function burst (
  members: readonly FleetMember[], count: number, shares = members.map(() => 1 / members.length)
): Promise<URL[]> {
  const routers = members
    .flatMap((member, at) => {
      const own = Math.round(count * shares[at]!)
      return Array.from({ length: own }, (_, place) => ({ member, place: place / own }))
    })
    .sort((a, b) => a.place - b.place)
  const places: URL[] = []
  const come = async (): Promise<void> => {
    for (let next = routers.pop(); next !== undefined; next = routers.pop()) {
      places.push(await new Person().knock(next.member))
    }
  }
  await Promise.all(Array.from({ length: ON_WAY_MAX }, come))
  return places
}

/** People come in one after another by each router until it is told to end; how many have. */
function flow (members: readonly FleetMember[]): { end (): Promise<URL[]> } {
  const state = { isOver: false }
  const ways = members.map(async member => {
    const places: URL[] = []
    while (!state.isOver) places.push(await new Person().enter(member))
    return places
  })
  const all = Promise.all(ways)
  all.catch(() => {}) // Looked at in the end.
  return {
    async end () {
      state.isOver = true
      return (await all).flat()
    }
  }
}

async function usersOf (members: readonly FleetMember[]): Promise<number[]> {
  const servers = await Promise.all(members.map(member => member.servers()))
  return servers.flatMap(all => Object.values(all).map(server => server.active_users))
}

/** One who has its id at these nodes' host names. */
function personAt (members: readonly FleetMember[], id: string): Person {
  const person = new Person()
  for (const { host } of members) person.cookies.set(host, new Map([['client_id', id]]))
  return person
}

const TRIES_MAX = 5
const BURST = isLong ? 3000 : 450
/** Of a burst: what this one process keeps up with on a busy machine. */
const ON_WAY_MAX = 450

/** The engine, for this node. */
function wasAway ({ cluster }: FleetMember): boolean {
  return cluster.log.some(({ msg }) => /engine is away/.test(String(msg)))
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0)

/** On a busy machine a router may run out of patience, and places some itself: then once more. */
async function patiently<Seen extends { readonly members: readonly FleetMember[] }> (
  attempt: () => Promise<Seen>
): Promise<Seen> {
  for (let tries = 1; ; tries++) {
    const seen = await attempt()
    if (tries === TRIES_MAX || !seen.members.some(wasAway)) return seen
    await Promise.all(seen.members.map(({ cluster }) => cluster.stop()))
  }
}

t.test('fleet: whoever comes at once, by whichever router, is spread over all servers', { skip }, async t => {
  const { members, evenly, uneven } = await patiently(async () => {
    const { members } = await startFleet(t, { RESERVATION_TTL: '600' })
    const evenly = await burst(members, BURST)
    return { members, evenly, uneven: await burst(members, BURST, [0.9, 0.07, 0.03]) }
  })
  t.ok(spreadOf(countByHost(evenly, members)) <= 1)
  t.ok(spreadOf(countByHost([...evenly, ...uneven], members)) <= 1)
})

t.test('fleet: a person is one user, at another node as at one\'s own', { skip }, async t => {
  const { members, users } = await patiently(async () => {
    const { members } = await startFleet(t)
    const people = Array.from({ length: 18 }, () => new Person())
    const [door] = members
    for (const person of people) {
      const place = await person.enter(door!)
      const ids = [...person.cookies.values()].map(jar => jar.get('client_id'))
      t.equal(new Set(ids).size, 1, 'the same id under each address')
      t.equal((await person.ask(new URL('/', place))).status, 200)
      t.equal((await person.enter(door!)).host, place.host, 'and the same place when it comes again')
    }
    const users = await usersOf(members)
    t.equal(sum(users), people.length)
    return { members, users }
  })
  t.ok(spreadOf(users) <= 1)
  // A ticket that nobody has used is good for a stranger, at its server alone.
  const [home, owner] = [members[0]!, new Person()]
  let place = await owner.knock(home)
  while (place.hostname === home.host) place = await new Person().knock(home)
  const other = members.find(({ host }) => host === place.hostname)!
  const wrong = new URL(place)
  wrong.port = String(other.cluster.ports.find(port => String(port) !== place.port))
  const id = JSON.parse(Buffer.from(place.searchParams.get('usher_ticket')!.split('.')[1]!, 'base64url').toString()).sub as string
  const idAt = async (url: URL): Promise<string | undefined> => {
    const stranger = new Person()
    t.equal((await stranger.ask(url)).status, 200)
    return stranger.cookies.get(url.hostname)!.get('client_id')
  }
  t.not(await idAt(wrong), id)
  t.equal(await idAt(place), id)
  t.not(await idAt(place), id, 'and once')
})

t.test('fleet: whom a full server sends back gets a place at another one', { skip }, async t => {
  const engine = await startEngine(t)
  const settings = { CAPACITY: '1', DELAY_BETWEEN_ROUTING: '0' }
  const members = await Promise.all([1, 2].map(number => startMember(t, engine, number, settings)))
  await untilUp(members, 6)
  const [home, other] = members as [FleetMember, FleetMember]
  const full = new URL(`http://${other.host}:${other.cluster.ports[0]}/`)
  t.equal((await personAt([other], randomUUID()).ask(full)).status, 200)
  await untilRight({ engine, members })
  // A router that does not know it yet holds a place there.
  const id = randomUUID()
  const library = new UsherLibrary(engine.call, 'usher')
  const router = { name: 'elsewhere', run: '1' }
  const { nowMs, servers } = await library.view()
  const { index } = servers.find(({ url }) => new URL(url).host === full.host)!
  const told = [{ client: parseClientId(id)!, index, chosenMs: nowMs, holdMs: 60_000 }]
  await library.join(nowMs, router, [])
  await library.report(nowMs, router, {
    seq: 1, fed: 0, arrived: [], released: [], told, active: []
  })
  const person = personAt(members, id)
  let url = await person.knock(home)
  t.equal(url.host, full.host, 'whoever holds a place keeps it')
  const hops: string[] = []
  for (let status = 302; status === 302;) {
    hops.push(url.host)
    const answer = await person.ask(url)
    status = answer.status
    if (status === 302) url = new URL(answer.headers.location!)
    else t.equal(status, 200)
    if (hops.length === 10) break
  }
  t.equal(hops.length, 3, `the server, its router and another server: ${hops.join(', ')}`)
  t.not(url.host, full.host)
  await untilRight({ engine, members })
  t.equal(sum(await usersOf(members)), 2)
})

t.test('fleet: an engine that freezes, dies and comes back empty fails nobody', { skip }, async t => {
  const fleet = await startFleet(t, { DELAY_BETWEEN_ROUTING: '0.05' })
  const { engine, members } = fleet
  const isAway = (): Promise<unknown> => Promise.all(members.map(({ fleet }) =>
    until(fleet, ({ state }) => state === 'away')))
  const people = flow(members)
  engine.freeze()
  await isAway()
  engine.thaw()
  await untilUp(members, 9)
  await engine.kill()
  await isAway()
  await engine.restart()
  await untilUp(members, 9)
  const places = await people.end()
  t.ok(places.length > members.length)
  await untilRight(fleet)
  const users = await usersOf(members)
  t.equal(sum(users), places.length, 'each of them is counted once')
  // On a busy machine a router may run out of patience once more, and places some of them itself.
  await until(async () => {
    const known = countByHost(places, members)
    places.push(...await burst(members, 9 * (spreadOf(known) + 2)))
    return spreadOf(countByHost(places, members))
  }, spread => spread <= 1)
})

t.test('fleet: a node that stops sends everybody on, and one that dies takes its servers along', { skip }, async t => {
  const { engine, members } = await startFleet(t, { DELAY_BETWEEN_ROUTING: '0.05' })
  const [dying, other, leaving] = members as [FleetMember, FleetMember, FleetMember]
  const people = flow([dying, other])
  t.equal(await leaving.cluster.stop(), 0)
  await untilUp([dying, other], 6)
  const again = await startMember(t, engine, 3)
  await untilUp([dying, other, again], 9)
  t.ok((await people.end()).length > 0, 'and nobody was sent to one that was gone')
  await dying.cluster.stop('SIGKILL')
  await untilUp([other, again], 6)
  const places = await burst([other, again], 60)
  t.notOk(places.some(({ hostname }) => hostname === dying.host))
})

t.test('fleet: a node that drains sends everybody on from the first moment', { skip }, async t => {
  const { places, draining } = await patiently(async () => {
    const { members } = await startFleet(t, { DELAY_BETWEEN_ROUTING: '0' })
    const draining = members[0]!
    const order = async (what: string, how: object): Promise<void> => {
      const { status } = await draining.operator.post(`/nodes/${draining.node}/${what}`, how)
      t.equal(status, 200)
    }
    const places: string[] = []
    for (let round = 0; round < 10; round++) {
      await order('drain', { force: true })
      places.push(...await Promise.all(Array.from({ length: 10 }, () =>
        new Person().knock(draining).then(({ hostname }) => hostname, String))))
      await order('ready', {})
    }
    return { members, places, draining }
  })
  t.strictSame(places.filter(place => !/^127\./.test(place)), [], 'nobody is refused')
  t.notOk(places.includes(draining.host))
})

t.test('fleet: an engine that is not there yet keeps nobody from starting', { skip }, async t => {
  const engine = await startEngine(t)
  await engine.kill()
  const member = await startMember(t, engine, 1)
  t.match(await member.fleet(), { node: 'node-1', state: 'away' })
  t.equal((await new Person().enter(member)).hostname, member.host)
  t.ok(member.cluster.log.some(({ level, msg }) => Number(level) >= 40 && /engine/.test(msg)))
  await engine.restart()
  await untilUp([member], 3)
})

t.test('fleet: wrong settings are refused in words, and no secret is told', { skip }, async t => {
  const engine = await startEngine(t)
  const refused = async (settings: Record<string, string>): Promise<string> => {
    const given = { ...fleetSettings(engine, 1), ...settings }
    return await startCluster(t, given, { cwd: workingFolder(t) }).then(
      () => 'started', error => String(error))
  }
  t.match(await refused({ CLUSTER_SECRET: '' }), /ended with 2 .*CLUSTER_URL \(environment\) needs a secret/s)
  const short = await refused({ CLUSTER_SECRET: 'hunter2' })
  t.match(short, /ended with 2 .*CLUSTER_SECRET \(environment\) has a wrong value \(not shown\)/s)
  t.notMatch(short, 'hunter2')
  t.match(await refused({ NODE_NAME: 'Oak' }), /ended with 2 .*NODE_NAME \(environment\) is "Oak"/s)
  await engine.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
  t.match(await refused({}), /ended with 1 .*maxmemory-policy is allkeys-lru/s)
})
