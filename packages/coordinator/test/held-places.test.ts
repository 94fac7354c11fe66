import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import {
  allocateTable, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG, viewTable
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import {
  chooseLowest, clientNumber, HOME, randomWords
} from '../../shared/test/memory/test-table.ts'
import { HeldPlaces } from '../src/held-places.ts'
import { lockTable } from './fixtures/locked-table.ts'
import { until } from './fixtures/until.ts'

const TTL_MS = 60
/** How much later than its time an unclaimed place may end, for a loop that has the time. */
const OVERRUN_MAX_MS = 100
const ANA = clientNumber(1)
const BEN = clientNumber(2)

t.test('held places: an unclaimed place ends with its time and not before', async t => {
  const { reservations, table, clock, reserve } = testReservations(t)
  reserve(ANA)
  const redirectedMs = clock()
  const plainTimer = timerMs(clock)
  t.equal(reservations.confirm(ANA, 0), 'held')
  t.strictSame([...table.loads()], [1, 0, 0])
  await until(() => table.size() === 0)
  const heldMs = clock() - redirectedMs
  t.ok(heldMs >= TTL_MS, `held for ${heldMs} ms`)
  t.ok(heldMs <= await plainTimer + OVERRUN_MAX_MS, `held for ${heldMs} ms`)
  t.strictSame([...table.loads()], [0, 0, 0])
})

t.test('held places: whoever is redirected at once holds a place for its time, and no longer', async t => {
  const { reservations, table, clock } = testReservations(t)
  const startMs = clock()
  const request = { client: ANA, address: HOME, isReturning: false, choose: chooseLowest }
  t.match(reservations.reserveNow(request), { kind: 'reserved', server: 0 })
  t.strictSame([...table.loads()], [1, 0, 0])
  const plainTimer = timerMs(clock)
  await until(() => table.size() === 0)
  const heldMs = clock() - startMs
  t.ok(heldMs >= TTL_MS, `held for ${heldMs} ms`)
  t.ok(heldMs <= await plainTimer + OVERRUN_MAX_MS, `held for ${heldMs} ms`)
})

t.test('held places: whom another node sends is held a place for as long as there', async t => {
  const { reservations, table, clock } = testReservations(t)
  const startMs = clock()
  t.match(reservations.holdFor(ANA, TTL_MS, () => ({ server: 2, because: '' })), { kind: 'reserved', server: 2 })
  t.strictSame([...table.loads()], [0, 0, 1])
  t.match(reservations.holdFor(BEN, TTL_MS, () => undefined), { kind: 'unavailable' })
  await until(() => table.size() === 0)
  t.ok(clock() - startMs >= TTL_MS)
})

t.test('held places: the time counts from the redirect, not from the choice', async t => {
  const { reservations, table, clock, reserve } = testReservations(t)
  reserve(ANA)
  const chosenMs = clock()
  await until(() => clock() > chosenMs + TTL_MS + OVERRUN_MAX_MS)
  t.equal(table.size(), 1, 'the wait does not count')
  const redirectedMs = clock()
  t.equal(reservations.confirm(ANA, 0), 'held')
  await until(() => table.size() === 0)
  t.ok(clock() - redirectedMs >= TTL_MS)
})

t.test('held places: a fraction of a millisecond is not cut off', async t => {
  // The table counts whole milliseconds: 0.9 of one before the end, the place must stand.
  const clock = { nowMs: 1000.9 }
  const { reservations, table, reserve } = testReservations(t, () => clock.nowMs)
  reserve(ANA)
  reservations.confirm(ANA, 0)
  clock.nowMs = 1000.9 + TTL_MS - 0.5
  sweep(table)
  t.equal(table.size(), 1)
  clock.nowMs += 1
  sweep(table)
  t.equal(table.size(), 0)
})

t.test('held places: a place given up by nobody is the sweep\'s, after wait and time', async t => {
  const clock = { nowMs: 1000 }
  const { table, reserve } = testReservations(t, () => clock.nowMs)
  reserve(ANA)
  clock.nowMs += 350 + TTL_MS
  sweep(table)
  t.equal(table.size(), 1, 'a redirect that is a little late finds its place')
  clock.nowMs += 5000
  sweep(table)
  t.equal(table.size(), 0)
})

t.test('held places: two redirects of one visitor hold the place until the later ends', async t => {
  const { reservations, table, clock, reserve } = testReservations(t)
  reserve(ANA)
  const firstMs = clock()
  t.equal(reservations.confirm(ANA, 0), 'held')
  await until(() => clock() >= firstMs + TTL_MS / 2)
  t.match(reserve(ANA), { kind: 'reserved', server: 0 }, 'they keep their place')
  const secondMs = clock()
  const plainTimer = timerMs(clock)
  t.equal(reservations.confirm(ANA, 0), 'held')
  t.strictSame([...table.loads()], [1, 0, 0], 'and count once')
  await until(() => table.size() === 0)
  const heldMs = clock() - secondMs
  t.ok(heldMs >= TTL_MS, `the second was held for ${heldMs} ms`)
  t.ok(heldMs <= await plainTimer + OVERRUN_MAX_MS)
})

t.test('held places: a visitor who arrives is not removed when the time has passed', async t => {
  const { reservations, table, reserve } = testReservations(t)
  reserve(ANA)
  reserve(BEN)
  reservations.confirm(ANA, 0)
  table.touch(ANA, 0, HOME)
  t.equal(reservations.confirm(ANA, 0), 'arrived')
  reservations.confirm(BEN, 1)
  await until(() => table.size() === 1) // Ben's place was confirmed later, and has ended.
  t.strictSame([...table.loads()], [1, 0, 0])
  t.strictSame([...table.activeUsersPerServer()], [1, 0, 0])
})

t.test('held places: what was lost meanwhile is said so', async t => {
  const { reservations, table, reserve } = testReservations(t)
  reserve(ANA)
  t.equal(reservations.confirm(ANA, 2), 'lost', 'held elsewhere')
  t.equal(reservations.confirm(BEN, 0), 'lost', 'never held')
  t.strictSame([...table.loads()], [1, 0, 0])
})

t.test('held places: a released place is free at once, whatever else stands', async t => {
  const { reservations, table, reserve } = testReservations(t)
  reserve(ANA)
  reservations.release(ANA, 1)
  t.equal(table.size(), 1, 'another server\'s place is not theirs to give up')
  reservations.release(ANA, 0)
  t.equal(table.size(), 0)
  reservations.release(ANA, 0)
  t.equal(table.size(), 0)

  table.touch(ANA, 2, HOME)
  table.touch(BEN, 2, HOME)
  t.match(reserve(ANA), { server: 0 })
  reservations.release(ANA, 0)
  t.strictSame([...table.loads()], [0, 0, 2], 'a moving user counts where they were')
  reservations.release(ANA, 2)
  t.strictSame([...table.loads()], [0, 0, 2], 'being active is no reservation')
})

t.test('held places: a busy table is said so', async t => {
  const { reservations, reserve, view } = testReservations(t)
  reserve(ANA)
  const unlock = lockTable(view)
  t.match(reserve(BEN), { kind: 'busy' })
  t.equal(reservations.confirm(ANA, 0), 'busy')
  unlock()
  t.match(reserve(BEN), { kind: 'reserved', server: 1 })
  t.equal(reservations.confirm(ANA, 0), 'held')
})

t.test('held places: a shard that is busy when a place ends is tried again soon', async t => {
  const { reservations, table, reserve, view } = testReservations(t)
  const tries = t.capture(table, 'expireReservation', table.expireReservation.bind(table))
  reserve(ANA)
  reservations.confirm(ANA, 0)
  const unlock = lockTable(view)
  let count = 0
  await until(() => { count += tries().length; return count === 2 })
  unlock()
  // The tries come more often than the time that a place is held: timers fire in their order.
  await setTimeout(TTL_MS)
  t.equal(table.size(), 0, 'soon')
})

t.test('held places: a shard that stays busy is left to the sweep', async t => {
  const { reservations, table, view, reserve, clock } = testReservations(t)
  const tries = t.capture(table, 'expireReservation', table.expireReservation.bind(table))
  reserve(ANA)
  reservations.confirm(ANA, 0)
  const unlock = lockTable(view)
  let count = 0
  await until(() => { count += tries().length; return count === 5 })
  const lastMs = clock()
  await until(() => clock() > lastMs + OVERRUN_MAX_MS)
  t.equal(tries().length, 0, 'five tries, and no more')
  unlock()
  sweep(table)
  t.equal(table.size(), 0)
})

t.test('held places: after close nothing is given up any more', async t => {
  const { reservations, table, clock, reserve, view } = testReservations(t)
  reserve(ANA)
  reserve(BEN)
  const startMs = clock()
  reservations.confirm(ANA, 0)
  const unlock = lockTable(view)
  await until(() => clock() >= startMs + TTL_MS + 5) // Ana's place waits for its next try.
  unlock()
  reservations.confirm(BEN, 1)
  reservations.close()
  reservations.close()
  const closedMs = clock()
  await until(() => clock() >= closedMs + TTL_MS + 30)
  t.equal(table.size(), 2)
})

/** After how long a plain timer of the same time fires: a busy machine is late for both. */
async function timerMs (clock: () => number): Promise<number> {
  const startMs = clock()
  await setTimeout(TTL_MS)
  return clock() - startMs
}

function sweep (table: UserTable): void {
  for (let shard = 0; shard < table.shardCount; shard++) table.sweepShard(shard, 1_000_000)
}

/** Reservations in a table of their own, by default on the real clock. */
function testReservations (t: Test, now = monotonicNowMs) {
  const endTimes = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }
  const memory = allocateTable(1024, 3, endTimes, randomWords(1))
  const options = { threadTag: MAIN_THREAD_TAG, patience: MAIN_THREAD_PATIENCE, now }
  const table = new UserTable(memory, options)
  const times = { reservationTtlMs: TTL_MS, live: { delayBetweenRoutingMs: 350 } }
  const reservations = new HeldPlaces(table, now, times)
  t.teardown(() => { reservations.close() })
  return {
    reservations,
    table,
    view: viewTable(memory, options),
    clock: now,
    reserve: (client: typeof ANA) =>
      reservations.reserve({ client, address: HOME, isReturning: false, choose: chooseLowest })
  }
}
