/** Capacities: who is admitted, who keeps a place, and that nobody is ever there too many. */
import fc from 'fast-check'
import t from 'tap'
import { POLICIES, type Choose } from '@usher/shared/balancing/policies.ts'
import { clientOfAddress, formatClient, type Client } from '@usher/shared/client.ts'
import { allUsers } from '@usher/shared/memory/all-users.ts'
import { CONFIRM_MS } from '@usher/shared/memory/layout.ts'
import { WORKER_PATIENCE } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import {
  addressNumber, chooseServer, clientNumber, HOME, limit, testTable, type TestTable
} from './test-table.ts'

const HERE = 0
const THERE = 1
const [ANN, BOB, CAT, DAN] = [1, 2, 3, 4].map(clientNumber) as [Client, Client, Client, Client]

/** Each from an address of its own, so that none stands for another. */
function touch (
  { table }: TestTable, client: Client, server: number
): ReturnType<TestTable['table']['touch']> {
  return table.touch(client, server, addressNumber(client.w0))
}

/** As the router does: among servers that are all up. */
function place (
  given: TestTable, client: Client, how: { isReturning?: boolean, ttlMs?: number } = {}
): ReturnType<TestTable['table']['reserve']> {
  const servers = [...given.table.loads().keys()].map(index => ({ index, weight: 1 }))
  return choosing(given, client, POLICIES['fewest-users'].make(servers, () => true), how)
}

function choosing (
  { table, clock }: TestTable, client: Client, choose: Choose,
  { isReturning = true, ttlMs = 10_000 } = {}
): ReturnType<TestTable['table']['reserve']> {
  const address = addressNumber(client.w0)
  return table.reserve({ client, address, isReturning, untilMs: clock.nowMs + ttlMs, choose })
}

function places ({ table }: TestTable): number[] {
  const { active, reserved } = table.usersPerServer()
  return [...active].map((users, server) => users + reserved[server]!)
}

function endDue ({ table }: TestTable): void {
  for (let shard = 0; shard < table.shardCount; shard++) table.endDue(shard)
}

t.test('capacity: a server admits so many and no more; the next gets in when one has gone', async t => {
  const given = testTable({ servers: 2, capacities: [2, 0], returnGraceMs: 0 })
  t.equal(given.table.isLimited(), true)
  t.strictSame([given.table.capacity(HERE), given.table.capacity(THERE)], [2, undefined])
  t.equal(touch(given, ANN, HERE), 'arrived')
  t.equal(given.table.isServerFull(HERE), false)
  t.equal(touch(given, BOB, HERE), 'arrived')
  t.equal(given.table.isServerFull(HERE), true)
  t.equal(touch(given, CAT, HERE), 'server-full')
  t.equal(given.table.find(CAT), undefined)
  t.equal(touch(given, ANN, HERE), 'seen', 'who is there stays')
  for (const client of [CAT, DAN]) t.equal(touch(given, client, THERE), 'arrived', 'no limit there')
  t.equal(touch(given, CAT, HERE), 'server-full')
  t.match(given.table.find(CAT), { server: THERE }, 'and is where it was')
  given.table.leave(ANN, HERE)
  t.equal(touch(given, CAT, HERE), 'moved')
  t.equal(touch(given, DAN, HERE), 'server-full')
  t.strictSame(places(given), [2, 1])
  t.same(given.table.check(), [])
})

t.test('capacity: a place that is held is taken, and its holder always gets in', async t => {
  const given = testTable({ servers: 1, capacities: [2] })
  touch(given, ANN, HERE)
  t.match(place(given, BOB), { kind: 'reserved', server: HERE })
  t.equal(touch(given, CAT, HERE), 'server-full')
  t.match(place(given, CAT), { kind: 'unavailable' })
  t.equal(touch(given, BOB, HERE), 'arrived')
  t.strictSame(places(given), [2])
})

t.test('capacity: the router chooses among those that are not full, and by the latest loads', async t => {
  const given = testTable({ servers: 2, capacities: [1, 3] })
  t.match(place(given, ANN), { server: 0 })
  t.match(place(given, BOB), { server: 1 }, 'the first is full within the same reading')
  t.match(place(given, CAT), { server: 1 })
  given.clock.nowMs += 5
  t.match(place(given, DAN), { server: 1 })
  t.match(place(given, clientNumber(5)), { kind: 'unavailable' })
  t.match(place(given, DAN), { kind: 'reserved', server: 1 }, 'a place of its own is no other\'s')
  t.strictSame(places(given), [1, 3])
})

t.test('capacity: a reading that is old gives no place that others have taken', async t => {
  const given = testTable({ servers: 2, capacities: [1, 1] })
  const other = testTable({ servers: 2 })
  t.equal(given.table.knownLoads().isFull(HERE), false)
  // Another thread's: the main thread's reading does not know of it.
  const { touch: touchOfOther } = viewedBy(given)
  t.equal(touchOfOther(ANN, HERE), 'arrived')
  t.equal(given.table.knownLoads().isFull(HERE), false, 'as if it were free')
  t.match(place(given, BOB), { kind: 'reserved', server: THERE })
  t.strictSame(places(given), [1, 1])
  t.match(choosing(given, CAT, chooseServer(HERE)), { kind: 'busy' }, 'a choice that is wrong each time ends')
  t.same(other.table.check(), [])
})

t.test('capacity: a reading that is old refuses nobody', async t => {
  const given = testTable({ servers: 2, capacities: [1, 1], returnGraceMs: 0 })
  const other = otherTable(given.memory, given.clock)
  other.touch(ANN, HERE, addressNumber(ANN.w0))
  other.touch(BOB, THERE, addressNumber(BOB.w0))
  t.match(place(given, CAT), { kind: 'unavailable' })
  other.leave(BOB, THERE)
  t.equal(given.table.knownLoads().isFull(THERE), true, 'as if she were there')
  t.match(place(given, CAT), { kind: 'reserved', server: THERE })
  t.match(place(given, DAN), { kind: 'unavailable' })
})

t.test('capacity: who is on the move has two places, and the one left where the other is no more', async t => {
  const given = testTable({ servers: 2, capacities: [1, 1] })
  touch(given, ANN, HERE)
  t.match(choosing(given, ANN, chooseServer(THERE)), { kind: 'reserved', server: THERE })
  t.strictSame(places(given), [1, 1])
  t.match(place(given, BOB), { kind: 'unavailable' })
  t.equal(touch(given, BOB, HERE), 'server-full')
  // As if the second server drained: all that is there for her is where she is.
  const servers = [{ index: HERE, weight: 1 }, { index: THERE, weight: 1 }]
  const choose = POLICIES['fewest-users'].make(servers, server => server === HERE)
  t.match(choosing(given, ANN, choose), { kind: 'reserved', server: HERE })
  t.strictSame(places(given), [1, 0])
})

t.test('capacity: round robin passes over who is full', async t => {
  const given = testTable({ servers: 3, capacities: [1, 2, 0] })
  const servers = [0, 1, 2].map(index => ({ index, weight: 1 }))
  const choose = POLICIES['round-robin'].make(servers, server => server < 2)
  const chosen = (number: number): unknown => {
    const reservation = choosing(given, clientNumber(number), choose)
    return 'server' in reservation ? reservation.server : reservation.kind
  }
  t.strictSame([1, 2, 3, 4].map(chosen), [0, 1, 1, 'unavailable'])
  t.equal(chosen(1), 0, 'the place of its own')
})

t.test('capacity: a leave holds the place, and a reload never costs it', async t => {
  for (const leave of ['leave', 'leaveAfterGrace'] as const) {
    const given = testTable({ servers: 1, capacities: [2] })
    const { table, clock } = given
    for (const client of [ANN, BOB]) touch(given, client, HERE)
    t.equal(table[leave](ANN, HERE), true)
    clock.nowMs += 2001
    endDue(given)
    const { active, reserved } = table.usersPerServer()
    t.strictSame([[...active], [...reserved]], [[1], [1]])
    t.equal(touch(given, CAT, HERE), 'server-full')
    t.match(place(given, CAT), { kind: 'unavailable' })
    clock.nowMs += 17_000
    endDue(given)
    t.equal(touch(given, ANN, HERE), 'arrived', `${leave}: back in time`)
    t.match(table.find(ANN),
      { server: HERE, reservedServer: undefined, isConfirmed: true, isLeaving: false })
    table[leave](ANN, HERE)
    clock.nowMs += 2001
    endDue(given)
    clock.nowMs += 17_998
    endDue(given)
    t.strictSame(places(given), [2], 'to the last moment')
    clock.nowMs += 2
    endDue(given)
    t.strictSame(places(given), [1], 'and no longer, counted from the leave')
    t.equal(touch(given, CAT, HERE), 'arrived')
    t.equal(touch(given, ANN, HERE), 'server-full')
    t.same(table.check(), [])
  }
})

t.test('capacity: without one a leave is a leave', async t => {
  const given = testTable({ servers: 2, capacities: [0, 5] })
  touch(given, ANN, HERE)
  given.table.leave(ANN, HERE)
  t.strictSame(places(given), [0, 0])
  const none = testTable({ servers: 1, capacities: [5], returnGraceMs: 0 })
  touch(none, ANN, HERE)
  none.table.leave(ANN, HERE)
  t.strictSame(places(none), [0])
})

t.test('capacity: who comes back elsewhere, or by the router, needs the held place no more', async t => {
  const given = testTable({ servers: 2, capacities: [1, 1] })
  const { table, clock } = given
  touch(given, ANN, HERE)
  table.leave(ANN, HERE)
  clock.nowMs += 200
  t.equal(touch(given, ANN, THERE), 'arrived')
  t.strictSame(places(given), [0, 1])
  table.leave(ANN, THERE)
  touch(given, BOB, HERE)
  t.match(place(given, ANN), { kind: 'reserved', server: THERE }, 'her own is no other\'s')
  t.match(table.confirm(ANN, THERE, clock.nowMs + 10_000), { kind: 'held' })
  clock.nowMs += 10_001
  for (let shard = 0; shard < table.shardCount; shard++) table.sweepShard(shard, 1e9)
  t.strictSame(places(given), [1, 0], 'by then it is a place like any other that is reserved')
})

t.test('capacity: a page\'s own late request does not bring back who has left', async t => {
  const given = testTable({ servers: 1, capacities: [2] })
  touch(given, ANN, HERE)
  given.table.leave(ANN, HERE)
  given.clock.nowMs += 50
  t.equal(given.table.refresh(ANN, HERE, addressNumber(1)), 'unknown', 'and it is told so')
  t.match(given.table.find(ANN), { server: undefined, reservedServer: HERE })
  given.table.touch(ANN, HERE, addressNumber(1), { sign: 'page' })
  t.match(given.table.find(ANN), { server: HERE })
})

t.test('capacity: whoever comes after a leave is there, however soon', async t => {
  for (const how of [{ sign: 'beat' }, { sign: 'beat', isOwn: false }, {}] as const) {
    const given = testTable({ servers: 1, capacities: [1] })
    touch(given, ANN, HERE)
    given.table.leave(ANN, HERE)
    given.clock.nowMs += 1
    t.equal(given.table.touch(ANN, HERE, addressNumber(1), how), 'arrived')
    t.match(given.table.find(ANN), { server: HERE })
    given.clock.nowMs += 60_000
    endDue(given)
    t.strictSame(places(given), [1], 'and stays')
  }
})

t.test('capacity: the id of a client takes over the place of its address, and is never there twice', async t => {
  for (const how of ['touch', 'reserve'] as const) {
    const seen: number[] = []
    const onStep = (): void => { seen.push(count()) }
    const given = testTable({ servers: 2, capacities: [1, 1], onStep })
    const { table, clock } = given
    const count = (): number => Math.max(...places(given))
    const address = addressNumber(ANN.w0)
    table.touch(clientOfAddress(address), HERE, address)
    clock.nowMs += CONFIRM_MS
    if (how === 'touch') t.equal(touch(given, ANN, HERE), 'seen')
    else t.match(place(given, ANN), { kind: 'reserved', server: HERE })
    t.match(table.find(ANN), { server: HERE, isConfirmed: how === 'touch' })
    t.equal(table.find(clientOfAddress(address)), undefined)
    t.strictSame(places(given), [1, 0])
    t.equal(Math.max(...seen), 1)
    t.same(table.check(), [])
  }
})

t.test('capacity: the same where the address is elsewhere: it moves, if there is a place', async t => {
  const given = testTable({ servers: 2, capacities: [1, 1], returnGraceMs: 0 })
  const address = addressNumber(ANN.w0)
  given.table.touch(clientOfAddress(address), HERE, address)
  touch(given, BOB, THERE)
  t.equal(touch(given, ANN, THERE), 'server-full')
  t.match(given.table.find(ANN), { server: HERE }, 'known by its id from now on')
  given.table.leave(BOB, THERE)
  t.equal(touch(given, ANN, THERE), 'moved')
  t.strictSame(places(given), [0, 1])
})

t.test('capacity: a client that shows whose place it has comes to it, once', async t => {
  const given = testTable({ servers: 2, capacities: [1, 1] })
  const { table } = given
  const visitor = clientOfAddress(HOME)
  place(given, ANN)
  t.equal(table.touch(visitor, HERE, HOME), 'server-full', 'a stranger')
  t.equal(table.touchForPlace(ANN, visitor, THERE, HOME), 'unknown', 'her place is not there')
  t.equal(table.touchForPlace(BOB, visitor, HERE, HOME), 'unknown', 'he has none')
  t.equal(table.touchForPlace(ANN, visitor, HERE, HOME), 'arrived')
  t.equal(table.find(ANN), undefined)
  t.equal(table.touchForPlace(ANN, BOB, HERE, HOME), 'unknown')
  t.strictSame(places(given), [1, 0])
  touch(given, CAT, THERE)
  t.equal(table.touchForPlace(CAT, BOB, THERE, HOME), 'unknown', 'who has arrived keeps the place')
  table.leave(CAT, THERE)
  t.equal(table.touchForPlace(CAT, BOB, THERE, HOME), 'unknown', 'and who may return, too')
})

t.test('capacity: where it was lowered, the place of one who is refused is given back', async t => {
  const given = testTable({ servers: 1, capacities: [2] })
  touch(given, ANN, HERE)
  place(given, BOB)
  limit(given.table, [1])
  t.equal(given.table.touchForPlace(BOB, clientOfAddress(HOME), HERE, HOME), 'server-full')
  t.strictSame(places(given), [1])
})

t.test('capacity: lowered below those who are there it throws out nobody, and takes nobody', async t => {
  const given = testTable({ servers: 1, capacities: [4], returnGraceMs: 0 })
  for (const client of [ANN, BOB, CAT]) touch(given, client, HERE)
  limit(given.table, [2], 0)
  t.strictSame(places(given), [3])
  for (const client of [ANN, BOB, CAT]) t.equal(touch(given, client, HERE), 'seen')
  t.match(place(given, ANN), { kind: 'reserved', server: HERE })
  t.equal(touch(given, DAN, HERE), 'server-full')
  given.table.leave(CAT, HERE)
  t.equal(touch(given, DAN, HERE), 'server-full', 'as many as there may be')
  given.table.leave(BOB, HERE)
  t.equal(touch(given, DAN, HERE), 'arrived')
  limit(given.table, [0])
  t.equal(given.table.isLimited(), false)
  t.equal(touch(given, CAT, HERE), 'arrived')
})

t.test('capacity: users of an earlier run are restored as far as there are places', async t => {
  const { table } = testTable({ servers: 2, capacities: [2, 0] })
  const times = { firstSeenAgoMs: 5, lastSeenAgoMs: 5 }
  const restore = (client: Client, server: number): boolean =>
    table.restore({ client, address: HOME, isConfirmed: true, ...times }, server)
  t.strictSame([ANN, BOB, CAT].map(client => restore(client, HERE)), [true, true, false])
  t.equal(restore(CAT, THERE), true)
})

t.test('capacity: newcomers beyond their network\'s allowance are refused, not left uncounted', async t => {
  const newcomers = { perMinute: 2, exempt: [], thread: 0 }
  for (const [capacities, outcome] of [[[9, 0], 'network'], [[0, 0], 'uncounted']] as const) {
    const given = testTable({ servers: 2, capacities, newcomers })
    const { table, clock } = given
    const outcomes = [1, 2, 3].map(number => table.touch(clientNumber(number), THERE, HOME))
    t.strictSame(outcomes, ['arrived', 'arrived', outcome])
    const choose = chooseServer(HERE)
    const untilMs = clock.nowMs + 1000
    t.match(table.reserve({ client: DAN, address: HOME, isReturning: false, untilMs, choose }),
      { kind: outcome })
    t.equal(table.size(), 2)
  }
})

t.test('capacity: a full table evicts for who is admitted, and for nobody else', async t => {
  const given = testTable({ users: 16, servers: 2, capacities: [3, 0] })
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 13; number++) touch(given, clientNumber(100 + number), THERE)
    given.clock.nowMs += CONFIRM_MS
  }
  for (const client of [ANN, BOB, CAT]) place(given, client)
  const before = places(given)
  t.equal(given.table.size(), 16)
  t.equal(touch(given, DAN, HERE), before[HERE] === 3 ? 'server-full' : 'arrived')
  t.equal(touch(given, DAN, THERE), 'arrived', 'a reservation gives way')
  t.equal(given.table.size(), 16)
  t.ok(places(given)[HERE]! <= 3)
  t.same(given.table.check(), [])
})

const CLIENTS = 12
const SERVERS = 3
const CAPACITY = 3

const anyStep = fc.record({
  kind: fc.constantFrom(
    'touch' as const, 'touch' as const, 'refresh' as const, 'touchAddress' as const,
    'reserve' as const, 'reserve' as const, 'leave' as const, 'leaveAfterGrace' as const,
    'forPlace' as const, 'remove' as const, 'wait' as const, 'sweep' as const, 'limit' as const),
  client: fc.nat(CLIENTS - 1),
  server: fc.nat(SERVERS - 1),
  ms: fc.constantFrom(1, 90, 150, 600, 2001, 9000),
  isReturning: fc.boolean()
})

/** What a plain look at all users says: who has a place where. */
function placeSets ({ table }: TestTable): Array<Set<string>> {
  const sets = Array.from({ length: SERVERS }, () => new Set<string>())
  for (const { client, server, reservedServer } of allUsers(table)) {
    if (server !== undefined) sets[server]!.add(formatClient(client))
    if (reservedServer !== undefined) sets[reservedServer]!.add(formatClient(client))
  }
  return sets
}

t.test('capacity: whatever the sequence, who is admitted had a place or there was one', async t => {
  fc.assert(fc.property(fc.array(anyStep, { minLength: 40, maxLength: 120, size: 'max' }), steps => {
    let limitNow = CAPACITY
    let most = 0
    const given = testTable({
      users: 64,
      servers: SERVERS,
      capacities: [CAPACITY, CAPACITY, CAPACITY],
      onStep: () => {
        const now = Math.max(...places(given))
        if (now > Math.max(limitNow, most)) throw new Error(`${now} in the middle of a step`)
      }
    })
    const { table, clock } = given
    for (const step of steps) {
      const before = placeSets(given)
      most = Math.max(...before.map(set => set.size))
      const client = clientNumber(step.client)
      const byAddress = clientOfAddress(addressNumber(step.client))
      const isKnown = before.some(set => set.has(formatClient(client)))
      if (step.kind === 'limit') {
        limitNow = 1 + step.client % 4
        limit(table, [limitNow, limitNow, limitNow])
      } else act(given, step, client)
      const after = placeSets(given)
      for (const [server, set] of after.entries()) {
        const had = before[server]!
        const isOver = set.size > limitNow && set.size > had.size
        if (isOver) throw new Error(`${step.kind}: ${set.size} at ${server}, were ${had.size}`)
      }
      // Refused is only who had no place there, neither by its id nor by its address.
      if (step.kind === 'touch' && !after[step.server]!.has(formatClient(client))) {
        const had = before[step.server]!
        const hadPlace = had.has(formatClient(client)) ||
          (!isKnown && had.has(formatClient(byAddress)))
        if (hadPlace || had.size < limitNow) throw new Error('refused for no reason')
      }
      const counted = places(given)
      const sizes = after.map(set => set.size)
      if (counted.join() !== sizes.join()) throw new Error(`${counted.join()}, not ${sizes.join()}`)
    }
    const broken = table.check()
    if (broken.length > 0) throw new Error(broken.join())
    clock.nowMs += 1
  }), { numRuns: 500 })
  t.pass('500 sequences')
})

interface Step {
  readonly kind: string
  readonly client: number
  readonly server: number
  readonly ms: number
  readonly isReturning: boolean
}

function act (given: TestTable, step: Step, client: Client): void {
  const { kind, server, ms, isReturning, client: number } = step
  const { table, clock } = given
  const address = addressNumber(number)
  switch (kind) {
    case 'touch': table.touch(client, server, address); break
    case 'refresh': table.refresh(client, server, address); break
    case 'touchAddress': table.touch(clientOfAddress(address), server, address); break
    case 'reserve': place(given, client, { isReturning, ttlMs: 5000 }); break
    case 'leave': table.leave(client, server); break
    case 'leaveAfterGrace': table.leaveAfterGrace(client, server); break
    case 'forPlace': table.touchForPlace(client, clientOfAddress(address), server, address); break
    case 'remove': table.remove(client); break
    case 'wait': clock.nowMs += ms; break
    case 'sweep':
      endDue(given)
      for (let shard = 0; shard < table.shardCount; shard++) table.sweepShard(shard, 60_000)
  }
}

/** The same table as another thread sees it. */
function viewedBy (
  { memory, clock }: TestTable
): { touch: (client: Client, server: number) => unknown } {
  const other = otherTable(memory, clock)
  return { touch: (client, server) => other.touch(client, server, addressNumber(client.w0)) }
}

function otherTable (memory: TestTable['memory'], clock: TestTable['clock']): UserTable {
  return new UserTable(memory, { threadTag: 9, patience: WORKER_PATIENCE, now: () => clock.nowMs })
}
