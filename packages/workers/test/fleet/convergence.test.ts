/**
 * Nodes that change the same things at once, tell and hear in any order, twice or late, end with
 * the same state, and what was ended stays ended.
 */
import fc from 'fast-check'
import t from 'tap'
import { isLong } from '../../../shared/test/length.ts'
import type { OutboxRow } from '../../src/database/rows.ts'
import { fieldOf } from '../../src/fleet/news-book.ts'
import { isNewer, type NewsEntry, type Version } from '../../src/fleet/news-entry.ts'
import { testNode, type TestNode } from './test-nodes.ts'

const NODES = ['a', 'b', 'c']
const NAMES = ['Anna', 'anna', 'Ärger', 'ärger']
const ORIGIN = { address: '192.0.2.7', userAgent: 'browser' }
const anyway = (): void => {}

type Step = (fleet: Fleet, node: Member) => Promise<void>

interface Member extends TestNode {
  /** Of the stream's entries. */
  heard: number
  /** Of which life of the engine. */
  life: number
  readonly tokens: string[]
}

/** The stream and what is kept, as the engine's script makes them. */
interface Fleet {
  entries: NewsEntry[]
  readonly kept: Map<string, NewsEntry>
  readonly ended: Set<string>
  life: number
}

async function tell ({ entries, kept }: Fleet, { database, book }: TestNode): Promise<void> {
  const outgoing = await database.write(sql => book.outgoing(sql, sql.outbox(1000)))
  for (const { entry } of outgoing) {
    const isKept = !entry.kind.startsWith('audit')
    if (isKept && !isNewer(entry, kept.get(fieldOf(entry)))) continue
    if (isKept) kept.set(fieldOf(entry), entry)
    entries.push(entry)
  }
}

async function hear ({ database, book }: TestNode, entries: readonly NewsEntry[]): Promise<void> {
  await database.write(sql => book.hear(sql, entries))
}

/** All that there is since, in another order, and some of it twice. */
function hearShuffled (order: readonly number[]): Step {
  return async (fleet, node) => {
    const { entries, life } = fleet
    if (node.life !== life) return await catchUp(fleet, node)
    const since = entries.slice(node.heard)
    node.heard = entries.length
    const mixed = since.map((entry, at) => ({ entry, by: order[at % order.length]! }))
      .sort((one, other) => one.by - other.by).map(({ entry }) => entry)
    await hear(node, [...mixed, ...mixed.slice(0, 2), ...since.slice(0, 1)])
  }
}

/** As after a cut too long for the stream. */
const catchUp: Step = async (fleet, node) => {
  node.heard = fleet.entries.length
  node.life = fleet.life
  const held = new Map<string, Version>(fleet.kept)
  await hear(node, [...fleet.kept.values()])
  await node.database.write(sql => {
    node.book.bringBack(sql, held)
    node.book.askForAudit(sql)
  })
}

const startEmpty: Step = async fleet => {
  fleet.kept.clear()
  fleet.life++
}

const deny = (target: string, forMs: number | undefined, reason: string): Step =>
  async (_fleet, { denials, name }) => {
    await denials.deny([{ kind: 'address', text: target, reason, by: name, forMs }], anyway)
  }
const allow = (target: string): Step => async (_fleet, { denials }) => {
  await denials.allow('address', target, anyway)
}
const addAccount = (name: string): Step => async (_fleet, { accounts, name: node }) => {
  await accounts.add(name, `hash of ${node}`, 1, false).catch(ignored('USHER_ACCOUNT_EXISTS'))
}
const changePassword = (name: string, password: string): Step => async (fleet, node) => {
  const account = await node.accounts.find(name)
  if (account === undefined) return
  for (const token of await sessionsOf(node, account.id)) fleet.ended.add(token)
  await node.accounts.setPassword(account.id, password, false)
}
const setPermission = (name: string, permission: number): Step => async (_fleet, { accounts }) => {
  const account = await accounts.find(name)
  if (account !== undefined) await accounts.setPermission(account.id, permission, true)
}
const removeAccount = (name: string): Step => async (fleet, node) => {
  const account = await node.accounts.find(name)
  if (account === undefined) return
  for (const token of await sessionsOf(node, account.id)) fleet.ended.add(token)
  await node.accounts.remove(account.id, { isForced: true })
}
const logIn = (name: string): Step => async (_fleet, { accounts, sessions, tokens }) => {
  const account = await accounts.find(name)
  if (account !== undefined) tokens.push(await sessions.open(account, ORIGIN))
}
/** At this node, whoever has opened the session. */
const logOut: Step = async (fleet, node) => {
  const account = await node.accounts.find('anna')
  const [hash] = account === undefined ? [] : await sessionsOf(node, account.id)
  if (hash === undefined) return
  fleet.ended.add(hash)
  await node.sessions.end(hash)
}
const editPermission = (number: number, canView: number): Step => async (_fleet, { db }) => {
  db.prepare('INSERT OR REPLACE INTO Permissions VALUES (?, ?, 0)').run(number, canView)
}
const record: Step = async (_fleet, { audit, name }) => {
  await audit.add({ who: name, action: 'deed', address: '::1' })
}

async function sessionsOf ({ sessions }: TestNode, accountId: number): Promise<string[]> {
  return (await sessions.list(accountId)).map(({ sessionHash }) => sessionHash)
}

function ignored (code: string): (error: unknown) => void {
  return error => { if ((error as { code?: string }).code !== code) throw error }
}

const orders = fc.array(fc.nat(9), { minLength: 1, maxLength: 5 })
const targets = fc.constantFrom('192.0.2.1', '192.0.2.2')
const names = fc.constantFrom(...NAMES)
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(targets, fc.option(fc.constant(60_000), { nil: undefined }),
      fc.constantFrom('spam', 'noise')).map(values => deny(...values))
  },
  { weight: 2, arbitrary: targets.map(allow) },
  { weight: 3, arbitrary: names.map(addAccount) },
  fc.tuple(names, fc.constantFrom('hash 1', 'hash 2')).map(values => changePassword(...values)),
  fc.tuple(names, fc.constantFrom(-1, 0, 1)).map(values => setPermission(...values)),
  names.map(removeAccount),
  { weight: 3, arbitrary: names.map(logIn) },
  fc.constant(logOut),
  fc.tuple(fc.constantFrom(0, 7), fc.constantFrom(0, 1)).map(values => editPermission(...values)),
  fc.constant(record),
  { weight: 4, arbitrary: fc.constant(tell as Step) },
  { weight: 4, arbitrary: orders.map(hearShuffled) },
  fc.constant(catchUp),
  fc.constant(startEmpty)
)
const clocks = fc.record({
  steadyMs: fc.integer({ min: -5000, max: 5000 }), aheadMs: fc.integer({ min: -5000, max: 5000 })
})

/** Everybody tells and hears until nobody has anything to tell. */
async function settle (
  fleet: Fleet, members: readonly Member[], order: readonly number[]
): Promise<void> {
  let rows: readonly OutboxRow[] = []
  for (let round = 0; round < 20; round++) {
    for (const member of members) await tell(fleet, member)
    for (const member of members) await hearShuffled(order)(fleet, member)
    rows = members.flatMap(({ database }) => database.readNow(sql => sql.outbox(1000)))
    if (rows.length === 0) return
  }
  throw new Error(`never told: ${JSON.stringify(rows)}`)
}

t.test('convergence: whatever changes where, and whenever it is heard, all end equal', async t => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.tuple(fc.nat(NODES.length - 1), steps), { maxLength: 40 }),
    fc.array(clocks, { minLength: NODES.length, maxLength: NODES.length }),
    orders,
    async (walk, faults, order) => {
      const fleet: Fleet = { entries: [], kept: new Map(), ended: new Set(), life: 0 }
      const members = NODES.map((name, at) => Object.assign(
        testNode(t, name, faults[at]), { heard: 0, life: 0, tokens: [] as string[] }))
      for (const { database, book } of members) await database.write(sql => { book.join(sql) })
      for (const [at, step] of walk) await step(fleet, members[at]!)
      await settle(fleet, members, order)
      const [first, ...others] = members.map(member => member.state())
      for (const other of others) {
        if (JSON.stringify(other) !== JSON.stringify(first)) {
          throw new Error(`${JSON.stringify(first)}\n${JSON.stringify(other)}`)
        }
      }
      const open = (first!['sessions'] as Array<{ TokenHash: string }>)
        .find(({ TokenHash }) => fleet.ended.has(TokenHash))
      if (open !== undefined) throw new Error(`ended, and open again: ${open.TokenHash}`)
      for (const { database } of members) database.close()
    }
  ), { numRuns: isLong ? 1000 : 60 })
})

t.test('convergence: who has heard of a change makes a newer one, whatever the clocks say', async t => {
  const [ahead, behind] = [testNode(t, 'a'), testNode(t, 'b', { aheadMs: -3_600_000 })]
  for (const { database, book } of [ahead, behind]) await database.write(sql => book.join(sql))
  const denial = async (
    { denials, database, book }: TestNode, reason: string
  ): Promise<NewsEntry> => {
    await denials.deny(
      [{ kind: 'address', text: '192.0.2.1', reason, by: 'admin', forMs: undefined }], anyway)
    const outgoing = await database.write(sql => book.outgoing(sql, sql.outbox(1000)))
    return outgoing.find(({ entry }) => entry.kind === 'denial')!.entry
  }
  const first = await denial(ahead, 'spam')
  await hear(behind, [first])
  const second = await denial(behind, 'much spam')
  t.ok(isNewer(second, first), `${second.at} after ${first.at}`)
  await hear(ahead, [second])
  t.strictSame(ahead.state()['denied'], behind.state()['denied'])
})
