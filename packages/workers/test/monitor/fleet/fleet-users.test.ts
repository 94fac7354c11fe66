/** The users of all nodes as one list, whichever nodes answer. */
import t from 'tap'
import type { User, Users } from '@usher/shared/api/users.ts'
import {
  FleetUsers, MERGED_DEPTH_MAX, type NodeSearch, type UsersAsk
} from '../../../src/monitor/fleet/fleet-users.ts'
import type { NodeAsks } from '../../../src/monitor/fleet/node-asks.ts'

const SEARCH: NodeSearch = {
  server: undefined, q: undefined, sort: 'first_seen', cursor: undefined, offset: undefined, limit: 4
}

/** A node with so many users; the names of those of `a` are a0, a1, ..., the newest first. */
function ownUsers (node: string, count: number, everyMs: number) {
  const all = Array.from({ length: count }, (_, at): User => ({
    id: `${node}${at}`,
    kind: 'id',
    address: '192.0.2.1',
    server: '8000',
    first_seen: new Date(1e12 - at * everyMs).toISOString(),
    last_seen: new Date(1e12).toISOString()
  }))
  return async ({ cursor, offset = Number(cursor ?? 0), limit }: NodeSearch): Promise<Users> => ({
    users: all.slice(offset, offset + limit),
    matched: count,
    next_cursor: offset + limit < count ? String(offset + limit) : null
  })
}

/** Nodes by their users; those without a number are away. The console is that of the first. */
function testUsers (nodes: Readonly<Record<string, number | undefined>>) {
  const asked: UsersAsk[] = []
  const [own = ''] = Object.keys(nodes)
  const there = new Map(Object.entries(nodes).filter(([, count]) => count !== undefined)
    .map(([node, count], at) => [node, new FleetUsers({
      node, own: ownUsers(node, count!, 1000 + at), asks: {} as NodeAsks
    })]))
  const missing = Object.keys(nodes).filter(node => !there.has(node))
  const asks = {
    ask: async (_kind: string, ask: UsersAsk) => {
      asked.push(ask)
      const answers = await Promise.all([...there].filter(([node]) => node !== own)
        .map(async ([node, users]) => [node, await users.answer(ask)] as const))
      return { answers: new Map(answers), missing }
    },
    askOne: async (node: string, _kind: string, ask: UsersAsk) => await there.get(node)?.answer(ask)
  } as unknown as NodeAsks
  const users = new FleetUsers({ node: own, own: ownUsers(own, nodes[own]!, 1000), asks })
  return { users, asked }
}

const idsOf = ({ users }: Users): string[] => users.map(({ id }) => id)

t.test('fleet users: the newest of all nodes come first, each with its node', async t => {
  const { users } = testUsers({ oak: 3, elm: 3 })
  const page = await users.find(undefined, { ...SEARCH, offset: 0 })
  t.strictSame(idsOf(page), ['elm0', 'oak0', 'oak1', 'elm1'])
  t.strictSame(page.users.map(({ node }) => node), ['elm', 'oak', 'oak', 'elm'])
  t.match(page, { matched: 6, next_cursor: '+4', nodes: { asked: 2, answered: 2, missing: [] } })
  t.strictSame(idsOf(await users.find(undefined, { ...SEARCH, cursor: '+4' })), ['oak2', 'elm2'])
})

t.test('fleet users: a node that does not answer is said to be missing, and its users are', async t => {
  const { users } = testUsers({ oak: 2, elm: undefined, fir: 1 })
  for (const search of [{ ...SEARCH, offset: 0 }, { ...SEARCH, sort: 'place' } as const]) {
    const page = await users.find(undefined, search)
    t.match(page, { matched: 3, nodes: { asked: 3, answered: 2, missing: ['elm'] } })
  }
  t.match(await users.find('elm', SEARCH),
    { users: [], matched: 0, nodes: { asked: 1, answered: 0, missing: ['elm'] } })
})

t.test('fleet users: by cursor everybody is listed once, one node after another', async t => {
  for (const counts of [{ oak: 5, elm: 9, fir: 0 }, { oak: 0, elm: 1 }, { oak: 12 }]) {
    const { users } = testUsers(counts)
    const ids: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const page = await users.find(undefined, { ...SEARCH, sort: 'place', cursor })
      ids.push(...idsOf(page))
      t.ok(page.users.length === SEARCH.limit || page.next_cursor === null, 'every page but the last is full')
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined && ++pages < 20)
    const all = Object.entries(counts).flatMap(([node, count]) =>
      Array.from({ length: count }, (_, at) => `${node}${at}`))
    t.strictSame(ids.sort(), all.sort(), JSON.stringify(counts))
  }
})

t.test('fleet users: far down no node sends more than its part of a page', async t => {
  const { users, asked } = testUsers({ oak: 4000, elm: 2000 })
  const page = await users.find(undefined, { ...SEARCH, offset: MERGED_DEPTH_MAX, limit: 30 })
  t.equal(page.users.length, 30)
  t.match(asked, [{ isCount: true }, { shares: { oak: { limit: 20 }, elm: { limit: 10 } } }])
  const times = page.users.map(user => user.first_seen)
  t.strictSame(times, times.toSorted().reverse(), 'in order on the page')
  asked.length = 0
  await users.find(undefined, { ...SEARCH, offset: MERGED_DEPTH_MAX - 30, limit: 30 })
  t.match(asked, [{ offset: 0, limit: MERGED_DEPTH_MAX }], 'one row above that border')
})
