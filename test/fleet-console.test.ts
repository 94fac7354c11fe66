/** The console of any node of a fleet shows and does what concerns all of them. */
import t, { type Test } from 'tap'
import { ENGINE_SKIP, startEngine } from '../packages/shared/test/fleet/engine-kit.ts'
import { until } from './cluster.ts'
import { startFleet, startMember, untilUp, type FleetMember, type TestFleet } from './fleet-nodes.ts'
import { enter, logInEverywhere } from './fleet-people.ts'

interface ListedUser {
  readonly id: string
  readonly server: string
  readonly node: string
  readonly first_seen: string
}

interface Users {
  readonly users: readonly ListedUser[]
  readonly matched: number
  readonly next_cursor: string | null
  readonly nodes: {
    readonly asked: number
    readonly answered: number
    readonly missing: readonly string[]
  }
}

/** Nobody beats: whoever has come stays however long the test takes. */
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', TIMEOUT_THRESHOLD: '3600' }
const ALL_ANSWER = { asked: 3, answered: 3, missing: [] }

async function usersAt ({ operator }: FleetMember, query = ''): Promise<Users> {
  return (await operator.get(`/users${query}`)).json as unknown as Users
}

/** On a busy machine a node may not answer in half a second, and is asked again. */
function allUsersAt (member: FleetMember, query = ''): Promise<Users> {
  return until(() => usersAt(member, query), ({ nodes }) => nodes.answered === nodes.asked)
}

type Points = ReadonlyArray<number | null>

interface History {
  readonly servers: Readonly<Record<string, unknown>>
  readonly fleet: {
    readonly nodes: Users['nodes']
    readonly loads: Readonly<Record<string, { readonly active_users: Points }>>
    readonly total: { readonly active_users: Points }
    readonly events: ReadonlyArray<{ readonly type: string, readonly node: string }>
  }
}

async function historyAt ({ operator }: FleetMember, query = ''): Promise<History> {
  return (await operator.get(`/history?minutes=5${query}`)).json as unknown as History
}

async function startPeople (t: Test, count: number): Promise<TestFleet> {
  const fleet = await startFleet(t, SETTINGS)
  await logInEverywhere(fleet.members)
  await enter(fleet.members, count)
  return fleet
}

t.test('fleet console: users, search, disconnect and drain are of all nodes, at any of them', { skip: ENGINE_SKIP }, async t => {
  const { members } = await startPeople(t, 18)
  const [one, two] = members as [FleetMember, FleetMember]

  // Everybody is listed at every node, each once and with a node.
  for (const member of members) {
    const { users, matched, nodes } = await allUsersAt(member, '?sort=first_seen')
    t.strictSame(nodes, ALL_ANSWER)
    t.strictSame([users.length, matched, new Set(users.map(({ id }) => id)).size], [18, 18, 18])
    const count = (node: string): number => users.filter(user => user.node === node).length
    t.ok([1, 2, 3].every(number => count(`node-${number}`) > 0), 'of every node')
    const times = users.map(user => user.first_seen)
    t.strictSame(times, times.toSorted().reverse(), 'the newest first')
  }
  const walked: ListedUser[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Users = await allUsersAt(one, `?limit=4${cursor === '' ? '' : `&cursor=${cursor}`}`)
    t.equal(page.matched, 18)
    walked.push(...page.users)
    cursor = page.next_cursor === null ? null : encodeURIComponent(page.next_cursor)
  }
  t.equal(new Set(walked.map(({ id }) => id)).size, 18, 'by cursor each once')
  t.equal(walked.length, 18)

  // One history: every node has the sums of all, and any node's servers.
  for (const member of members) {
    const { fleet } = await until(() => historyAt(member),
      ({ fleet }) => fleet.total.active_users.includes(18) && fleet.nodes.answered === 3)
    t.strictSame(fleet.nodes, ALL_ANSWER)
    const at = fleet.total.active_users.indexOf(18)
    const parts = Object.values(fleet.loads).map(({ active_users: active }) => active[at] ?? 0)
    t.equal(parts.reduce((sum, value) => sum + value, 0), 18)
    t.ok(parts.every(value => value > 0), 'of every node')
    t.strictSame(fleet.events.filter(({ type }) => type === 'start').map(({ node }) => node).sort(),
      ['node-1', 'node-2', 'node-3'])
  }
  const ofTwo = await historyAt(one, '&node=node-2')
  t.strictSame(Object.keys(ofTwo.servers).sort(), two.cluster.ports.map(String).sort())
  t.notOk('fleet' in ofTwo)
  t.match((await one.operator.get('/history?node=node-9')).json, { error: 'not_found', message: /there are node-1, / })

  // A search finds one who is at another node; a node and one of its servers can be asked alone.
  const elsewhere = walked.find(({ node }) => node === 'node-2')!
  t.match((await allUsersAt(one, `?q=${elsewhere.id.slice(0, 20)}`)).users, [{ id: elsewhere.id, node: 'node-2' }])
  const there = walked.filter(({ node }) => node === 'node-2')
  t.equal((await allUsersAt(one, '?node=node-2')).matched, there.length)
  t.equal((await allUsersAt(one, `?server=node-2/${elsewhere.server}`)).matched,
    there.filter(({ server }) => server === elsewhere.server).length)
  t.equal((await one.operator.get('/users?server=node-2/nothing')).status, 400, 'by the words of that node')
  t.match((await one.operator.get('/users/sharing?address=127.0.0.1')).json, { users: 18, nodes: ALL_ANSWER })
  t.match((await one.operator.get('/users/reach?address=127.0.0.0/8')).json, { users: 18, nodes: ALL_ANSWER })

  // Disconnect at another node: gone at once, on record where it was done.
  const { json: gone, status } = await one.operator.post(
    '/disconnect', { userId: elsewhere.id, deny: false })
  t.strictSame([status, gone], [200, { response: 'disconnect received', denied: [], users: 1 }])
  t.equal((await allUsersAt(two, `?q=${elsewhere.id}`)).matched, 0)
  t.equal((await one.operator.post('/disconnect', { userId: elsewhere.id })).status, 404)
  const denied = walked.find(({ node }) => node === 'node-3')!
  t.match((await one.operator.post('/disconnect', { userId: denied.id, minutes: 5 })).json,
    { denied: [denied.id], users: 1 })
  t.equal((await allUsersAt(one, `?q=${denied.id}`)).matched, 0)

  // Drain at another node: that node refuses its last server, and obeys.
  const server = two.cluster.ports[0]!
  const place = `/servers/node-2/${server}`
  t.equal((await one.operator.post(`${place}/drain`, { note: 'new disk' })).status, 200)
  t.match((await two.servers())[server], { state: 'draining', drain: { note: 'new disk' } })
  for (const port of two.cluster.ports.slice(1)) {
    const answer = await one.operator.post(`/servers/node-2/${port}/drain`, {})
    const isLast = port === two.cluster.ports.at(-1)
    t.equal(answer.status, isLast ? 409 : 200)
    if (isLast) t.match(answer.json, { error: 'not_acceptable_here', message: /last available/ })
  }
  t.equal((await one.operator.post(`${place}/ready`, {})).status, 200)
  t.match((await two.servers())[server], { state: 'up' })
  for (const [path, error] of [
    ['/servers/node-2/9999/drain', 'not_found'], ['/servers/node-9/8000/drain', 'not_found']
  ] as const) {
    t.match((await one.operator.post(path, {})).json, { error, message: /there are / }, path)
  }

  // A whole node drains and is taken back, this and another; the last one of the fleet by force.
  const statesAt = async (member: FleetMember) =>
    Object.values(await member.servers()).map(({ state }) => state)
  t.equal((await one.operator.post('/nodes/node-2/drain', { note: 'new disk', minutes: 15 })).status, 200)
  t.strictSame(await statesAt(two), ['draining', 'draining', 'draining'])
  t.match((await two.servers())[server], { drain: { note: 'new disk' } })
  t.equal((await one.operator.post('/nodes/node-1/drain', {})).status, 200)
  t.strictSame(await statesAt(one), ['draining', 'draining', 'draining'])
  const [, , three] = members as [FleetMember, FleetMember, FleetMember]
  await until(() => nodesAt(three), nodes => nodes.every(({ node, servers }) =>
    node === 'node-3' || Object.values(servers).every(({ state }) => state === 'draining')))
  const lastOnes = await one.operator.post('/nodes/node-3/drain', {})
  t.match(lastOnes.json, { error: 'not_acceptable_here', message: /^node-3 has the last available servers/ })
  t.equal((await one.operator.post('/nodes/node-3/drain', { force: true })).status, 200)
  for (const { node } of members) t.equal((await two.operator.post(`/nodes/${node}/ready`, {})).status, 200)
  for (const member of members) t.strictSame(await statesAt(member), ['up', 'up', 'up'])
  t.match((await one.operator.post('/nodes/node-9/drain', {})).json, { error: 'not_found', message: /there are / })

  // The audit of any node has it, with the node where it was done.
  const wanted = [
    { action: 'drain-node', target: 'node-2', node: 'node-1', detail: { note: 'new disk', minutes: 15 } },
    { action: 'ready-node', target: 'node-3', node: 'node-2' },
    { action: 'ready', target: `node-2/${server}`, node: 'node-1' },
    { action: 'drain', target: `node-2/${server}`, node: 'node-1', detail: { note: 'new disk' } },
    { action: 'disconnect', target: elsewhere.id, node: 'node-1', detail: { server: `node-2/${elsewhere.server}` } }
  ]
  for (const { operator } of members) {
    const entries = async () => (await operator.get('/audit')).json['entries'] as ReadonlyArray<{ action: string }>
    await until(entries, all => all.filter(({ action }) => action === 'ready-node').length === 3)
    const all = await entries()
    for (const entry of wanted) {
      t.ok(all.some(one => isLike(one, entry)), JSON.stringify(entry))
    }
  }
})

/** Whether all that is wanted is so. */
function isLike (given: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return given === wanted
  return Object.entries(wanted).every(([key, value]) =>
    isLike((given as Record<string, unknown> | undefined)?.[key], value))
}

interface NodeStats {
  readonly node: string
  readonly state: string
  readonly since: string
  readonly total_users: number
  readonly servers: Readonly<Record<string, { readonly state: string }>>
}

async function nodesAt ({ fleet }: FleetMember): Promise<readonly NodeStats[]> {
  return (await fleet() as unknown as { nodes: NodeStats[] }).nodes
}

t.test('fleet console: a node that is gone is away since then, and 2 of 3 answer', { skip: ENGINE_SKIP }, async t => {
  const { members, engine } = await startPeople(t, 9)
  const [one, two, three] = members as [FleetMember, FleetMember, FleetMember]

  // Nodes and their servers.
  const nodes = await until(() => nodesAt(one),
    all => all.length === 3 && all.slice(1).every(({ state, total_users: users }) => state === 'up' && users > 0))
  t.match(nodes, [{ node: 'node-1', state: 'here', servers: {} }, { node: 'node-2' }, { node: 'node-3' }])
  t.strictSame(Object.keys(nodes[1]!.servers).sort(), two.cluster.ports.map(String).sort())
  t.match(Object.values(nodes[1]!.servers), two.cluster.ports.map(() => ({ state: 'up' })))
  await until(() => nodesAt(one),
    all => all.reduce((sum, { total_users: users }) => sum + users, 0) === 9)
  await two.operator.post(`/servers/${two.cluster.ports[0]}/drain`, {})
  await until(() => nodesAt(one), ([, other]) => other!.servers[two.cluster.ports[0]!]?.state === 'draining')

  const beforeMs = Date.now()
  await three.cluster.stop('SIGKILL')
  const { users, nodes: answered } = await until(
    () => usersAt(one), page => page.nodes.answered === 2)
  t.strictSame(answered, { asked: 3, answered: 2, missing: ['node-3'] })
  t.equal(users.filter(({ node }) => node === 'node-3').length, 0)
  const [, , away] = await until(() => nodesAt(one), all => all[2]?.state === 'away')
  t.ok(away!.total_users > 0, 'as last heard')
  const sinceMs = Date.parse(away!.since)
  t.ok(sinceMs > beforeMs - 5000 && sinceMs <= Date.now(), away!.since)
  const { fleet } = await historyAt(one)
  t.strictSame(fleet.nodes, answered)
  t.strictSame(Object.keys(fleet.loads).sort(), ['node-1', 'node-2'])
  t.match((await one.operator.get('/history?node=node-3')).json, { error: 'node_away' })
  t.match((await usersAt(one, '?node=node-3')).nodes, { asked: 1, answered: 0, missing: ['node-3'] })
  t.match((await one.operator.post('/servers/node-3/8000/drain', {})).json, { error: 'node_away', message: /nothing was asked/ })
  t.match((await one.operator.post('/disconnect', { userId: '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61' })).json,
    { error: 'not_found', message: /node-3 did not/ })

  // Back, it is one of three again.
  const again = await startMember(t, engine, 3, SETTINGS)
  await untilUp([one, two, again], 9)
  await until(() => usersAt(one), page => page.nodes.answered === 3)

  // Without the engine a node has its own users, and says that the others are missing.
  engine.freeze()
  t.match((await until(() => usersAt(one), page => page.nodes.answered === 1)).nodes,
    { asked: 3, missing: ['node-2', 'node-3'] })
  await until(() => nodesAt(one), all => all.slice(1).every(({ state }) => state === 'unknown'))
  engine.thaw()
  await until(() => usersAt(one), page => page.nodes.answered === 3)
  await until(() => nodesAt(one), all => all.slice(1).every(({ state }) => state === 'up'))
})

t.test('fleet console: a program that is alone says nothing of nodes', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const member = await startMember(t, engine, 1, { CLUSTER_URL: '' })
  t.notOk('nodes' in await usersAt(member))
  t.notOk('fleet' in await historyAt(member))
  t.equal((await member.operator.get('/history?node=node-1')).status, 400)
  t.equal((await member.operator.get('/users?node=node-1')).status, 400)
  for (const path of ['/servers/node-2/8000', '/nodes/node-1']) {
    t.equal((await member.operator.post(`${path}/drain`, {})).status, 404, path)
  }
})
