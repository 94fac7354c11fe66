/** Users who end at a time of their own, to the millisecond; and that nobody else is looked at. */
import t from 'tap'
import { clientOfAddress } from '@usher/shared/client.ts'
import { endDue } from '@usher/shared/memory/end-sweep.ts'
import { CONFIRM_MS, END, SHARD_LOCK } from '@usher/shared/memory/layout.ts'
import { ownerWord } from '@usher/shared/memory/lock.ts'
import { viewTable, MAIN_THREAD_PATIENCE } from '@usher/shared/memory/table-view.ts'
import {
  addressNumber, clientNumber, HOME, reserveFor, testTable, TIMES, type TestTable
} from './test-table.ts'

const ANA = clientNumber(1)
const BEN = clientNumber(2)
const { unconfirmedMs, leaveGraceMs } = TIMES

/** Who is ended now, by the number that made the client; negative when by a page's leave. */
function ended ({ table }: TestTable): number[] {
  const numbers: number[] = []
  for (let shard = 0; shard < table.shardCount; shard++) {
    let slot: number | undefined = 0
    while (slot !== undefined) {
      const step = table.endDue(shard, slot)
      if (step === 'busy') throw new Error('busy')
      numbers.push(...step.removed.map(({ client, hasLeft }) => hasLeft ? -client.w0 : client.w0))
      slot = step.nextSlot
    }
  }
  return numbers.sort((a, b) => a - b)
}

/** A confirmed user at server 0, whose page has left in this moment. */
function leftPage (): TestTable {
  const given = testTable()
  const { table, clock } = given
  table.touch(ANA, 0, HOME, { sign: 'page' })
  clock.nowMs += CONFIRM_MS
  table.refresh(ANA, 0, HOME)
  table.leaveAfterGrace(ANA, 0)
  return given
}

t.test('ends: who never comes back goes when its time is over, not a moment earlier', async t => {
  const given = testTable()
  given.table.touch(ANA, 0, HOME)
  given.clock.nowMs += unconfirmedMs
  t.same(ended(given), [])
  given.clock.nowMs += 1
  t.same(ended(given), [1])
  t.equal(given.table.size(), 0)
})

t.test('ends: a request 500 ms after the first confirms, one a millisecond before does not', async t => {
  for (const [afterMs, expected] of [[CONFIRM_MS - 1, [1]], [CONFIRM_MS, []]] as const) {
    for (const client of [ANA, { ...clientOfAddress(HOME), w0: 1 }]) {
      const given = testTable()
      given.table.touch(client, 0, HOME)
      given.clock.nowMs += afterMs
      given.table.touch(client, 1, HOME)
      given.clock.nowMs += unconfirmedMs
      t.same(ended(given), expected, `${client.kind} after ${afterMs} ms`)
    }
  }
})

t.test('ends: five tabs at once are one user when the time is over', async t => {
  const given = testTable()
  const { table, clock } = given
  const places = [1, 2, 3, 4, 5].map(tab => reserveFor(given, clientNumber(tab)))
  clock.nowMs += 350
  for (const [index, place] of places.entries()) {
    table.touch(clientNumber(index + 1), place.kind === 'reserved' ? place.server : 0, HOME)
  }
  for (let beat = 0; beat < 50; beat++) {
    clock.nowMs += 2500
    table.touch(clientNumber(5), 0, HOME)
  }
  t.same(ended(given), [1, 2, 3, 4])
  t.same([...table.loads()], [1, 0, 0])
})

t.test('ends: an id that takes the place of its address was given when the address was seen', async t => {
  for (const [afterMs, expected] of [[CONFIRM_MS - 1, [1]], [CONFIRM_MS, []]] as const) {
    const given = testTable()
    given.table.touch(clientOfAddress(HOME), 0, HOME)
    given.clock.nowMs += afterMs
    given.table.touch(ANA, 0, HOME)
    given.clock.nowMs += unconfirmedMs - afterMs + 1
    t.same(ended(given), expected)
  }
})

t.test('ends: a page that leaves takes its visitor along when the grace is over', async t => {
  const given = testTable()
  const { table, clock } = given
  table.touch(ANA, 0, HOME)
  table.touch(BEN, 0, HOME)
  clock.nowMs += 1000
  t.equal(table.leaveAfterGrace(ANA, 0), true)
  t.equal(table.leaveAfterGrace(ANA, 1), false, 'not from a server where it is not')
  t.equal(table.activeUsers(0), 2)
  clock.nowMs += leaveGraceMs
  t.same(ended(given), [])
  clock.nowMs += 1
  t.same(ended(given), [-1])
  t.equal(table.activeUsers(0), 1)
})

t.test('ends: who is seen within the grace stays, and was here all the time', async t => {
  const given = testTable()
  const { table, clock } = given
  table.touch(ANA, 0, HOME)
  for (let click = 0; click < 10; click++) {
    clock.nowMs += 5000
    table.touch(ANA, 0, HOME)
    clock.nowMs += 20
    table.leaveAfterGrace(ANA, 0)
    clock.nowMs += leaveGraceMs
    t.equal(table.touch(ANA, 0, HOME), 'seen')
    t.same(ended(given), [])
  }
  const user = table.find(ANA)
  t.match(user, { isLeaving: false, firstSeenAgoMs: 10 * (5020 + leaveGraceMs) })
  clock.nowMs += unconfirmedMs + 1
  t.same(ended(given), [], 'and the leaves that were taken back are forgotten')
})

t.test('ends: a link to a page without the script keeps its visitor', async t => {
  const given = testTable()
  const { table, clock } = given
  const click = (): void => {
    table.touch(ANA, 0, HOME, { sign: 'page' })
    clock.nowMs += 20
    t.equal(table.leaveAfterGrace(ANA, 0), true)
    clock.nowMs += CONFIRM_MS + unconfirmedMs
  }
  table.touch(ANA, 0, HOME, { sign: 'page' })
  clock.nowMs += CONFIRM_MS
  table.refresh(ANA, 0, HOME, { sign: 'beat' })
  click()
  t.same(ended(given), [], 'the leave is the page\'s before, and nothing more came')
  table.refresh(ANA, 0, HOME, { sign: 'beat' })
  click()
  table.refresh(ANA, 0, HOME, { sign: 'beat' })
  table.leaveAfterGrace(ANA, 0)
  clock.nowMs += leaveGraceMs + 1
  t.same(ended(given), [-1], 'a page that has sent a beat is the one that leaves')
})

t.test('ends: a page that has sent no beat leaves like any', async t => {
  const given = testTable()
  const { table, clock } = given
  table.touch(ANA, 0, HOME, { sign: 'page' })
  table.leaveAfterGrace(ANA, 0)
  clock.nowMs += leaveGraceMs + 1
  t.same(ended(given), [-1])
})

t.test('ends: a leave goes on when an id takes the place of its address', async t => {
  const given = testTable()
  const { table, clock } = given
  const address = clientOfAddress(HOME)
  table.touch(address, 0, HOME)
  clock.nowMs += CONFIRM_MS
  table.leaveAfterGrace(address, 0)
  t.match(reserveFor(given, ANA, { isReturning: true }), { kind: 'reserved' })
  t.match(table.find(ANA), { server: 0, isLeaving: true })
  clock.nowMs += leaveGraceMs + 1
  t.same(ended(given), [-1])
  t.same(table.check(), [])
})

t.test('ends: what a page sent before it left keeps nobody, however late it is read', async t => {
  for (const afterMs of [0, 100, leaveGraceMs]) {
    for (const options of [{ sign: 'beat' }, { sign: 'beat', isOwn: false }, {}] as const) {
      for (const server of [0, 1]) {
        const given = leftPage()
        given.clock.nowMs += afterMs
        t.equal(given.table.refresh(ANA, server, HOME, options), 'unknown')
        t.match(given.table.find(ANA), { server: 0, isLeaving: true })
        given.clock.nowMs += leaveGraceMs + 1 - afterMs
        t.same(ended(given), [-1], `${options.sign} ${afterMs} ms after the leave`)
      }
    }
  }
})

t.test('ends: whoever opens a page or says that they stay takes a leave back', async t => {
  for (const [options, afterMs, staysAtOnce] of [
    [{ sign: 'page' }, 0, true], [{ sign: 'beat' }, 99, false], [{ sign: 'beat' }, 100, true],
    [{}, 99, false], [{}, 100, true]
  ] as const) {
    for (const adds of [true, false]) {
      const given = leftPage()
      const { table, clock } = given
      clock.nowMs += afterMs
      t.equal(adds
        ? table.touch(ANA, 0, HOME, options)
        : table.refresh(ANA, 0, HOME, { ...options, isStay: true }), 'seen')
      clock.nowMs += leaveGraceMs + 1
      t.same(ended(given), staysAtOnce ? [] : [-1], `${options.sign} ${afterMs} ms after the leave`)
    }
  }
})

t.test('ends: at another server a leave is taken back at once, by who stays only', async t => {
  const given = leftPage()
  t.equal(given.table.refresh(ANA, 1, HOME, { sign: 'beat', isStay: true }), 'moved')
  given.clock.nowMs += leaveGraceMs + 1
  t.same(ended(given), [])
})

t.test('ends: an id by GET does not take over the entry of an address whose page has left', async t => {
  const given = testTable()
  const { table, clock } = given
  const address = clientOfAddress(HOME)
  table.touch(address, 0, HOME)
  table.leaveAfterGrace(address, 0)
  t.equal(table.refresh(ANA, 0, HOME, { sign: 'beat' }), 'unknown')
  t.equal(table.touch(ANA, 0, HOME, { sign: 'beat' }), 'seen')
  clock.nowMs += leaveGraceMs + 1
  t.same(ended(given), [])
  t.equal(table.size(), 1)
})

t.test('ends: a decision about a part of a page leaves a leave as it is', async t => {
  for (const [options, count] of [[undefined, 1], [{ sign: 'page' }, 0]] as const) {
    const given = leftPage()
    t.equal(given.table.touchInPlace(ANA, HOME, () => true, options), 0)
    given.clock.nowMs += leaveGraceMs + 1
    t.equal(ended(given).length, count)
  }
})

t.test('ends: a second leave does not lengthen the first, and a plain one ends at once', async t => {
  const given = testTable()
  const { table, clock } = given
  table.touch(ANA, 0, HOME)
  table.touch(BEN, 0, HOME)
  for (const client of [ANA, BEN]) table.leaveAfterGrace(client, 0)
  clock.nowMs += leaveGraceMs
  table.leaveAfterGrace(ANA, 0)
  t.equal(table.leave(BEN, 0), true)
  clock.nowMs += 1
  t.same(ended(given), [-1])
})

t.test('ends: without a grace a page\'s leave is like any', async t => {
  const { table } = testTable({ times: { ...TIMES, leaveGraceMs: 0 } })
  table.touch(ANA, 0, HOME)
  t.equal(table.leaveAfterGrace(ANA, 0), true)
  t.equal(table.size(), 0)
})

t.test('ends: a place that is held elsewhere outlasts the leave', async t => {
  const given = testTable({ servers: 2 })
  const { table, clock } = given
  table.touch(BEN, 0, HOME)
  table.touch(ANA, 0, addressNumber(2))
  clock.nowMs += CONFIRM_MS
  table.touch(BEN, 0, HOME)
  table.leaveAfterGrace(ANA, 0)
  t.match(reserveFor(given, ANA, { address: addressNumber(2) }), { kind: 'reserved', server: 1 })
  clock.nowMs += leaveGraceMs + 1
  t.same(ended(given), [-1])
  t.same([...table.loads()], [1, 1])
  t.equal(table.touch(ANA, 1, addressNumber(2)), 'arrived')
  clock.nowMs += leaveGraceMs + 1
  t.same(ended(given), [], 'a leave ends once')
  t.same(table.check(), [])
})

t.test('ends: a clock past 2^31 and 2^32 ms makes no difference', async t => {
  for (const border of [2 ** 31, 2 ** 32]) {
    const given = testTable({ nowMs: border - unconfirmedMs })
    for (let number = 1; number <= 3; number++) {
      given.table.touch(clientNumber(number), 0, HOME)
      given.clock.nowMs++
    }
    given.clock.nowMs = border + 1
    t.same(ended(given), [1])
    given.clock.nowMs = border + 3
    t.same(ended(given), [2, 3])
    t.same(given.table.check(), [])
  }
})

t.test('ends: no shard is locked while nobody is due, and one run at a time when somebody is', async t => {
  const given = testTable({ users: 4096 })
  const { table, clock, memory } = given
  for (let number = 0; number < 3000; number++) table.touch(clientNumber(number), 0, HOME)
  clock.nowMs += CONFIRM_MS
  for (let number = 0; number < 3000; number++) {
    if (number % 1000 !== 0) table.touch(clientNumber(number), 0, HOME)
  }
  let locks = 0
  const view = viewTable(memory, {
    threadTag: 1,
    patience: MAIN_THREAD_PATIENCE,
    now: () => clock.nowMs,
    onStep: step => { if (step === 'CS') locks++ }
  })
  const pass = (): number => {
    let removed = 0
    for (let shard = 0; shard < table.shardCount; shard++) {
      let slot: number | undefined = 0
      while (slot !== undefined) {
        const step = endDue(view, shard, slot)
        if (step === 'busy') throw new Error('busy')
        removed += step.removed.length
        slot = step.nextSlot
      }
    }
    return removed
  }
  clock.nowMs += unconfirmedMs - CONFIRM_MS
  t.equal(pass(), 0)
  t.equal(locks, 0)
  clock.nowMs += 1
  t.equal(pass(), 3)
  t.ok(locks <= Math.ceil(4096 / END.SLOTS) * 2, `${locks} locks`)
  const locksBefore = locks
  clock.nowMs += 10 * unconfirmedMs
  t.equal(pass(), 0)
  t.equal(locks, locksBefore, 'a run without anybody who has an end is not looked at again')
  t.same(table.check(), [])
})

t.test('ends: the recovery knows them again, and the check misses none', async t => {
  const given = testTable({ users: 64 })
  const { table, view, clock } = given
  table.touch(ANA, 0, HOME)
  const { shardsAt, endsAt, bucketsAt } = view.layout
  view.words.fill(0, shardsAt + endsAt, shardsAt + bucketsAt)
  t.match(table.check(), [/^shard 0: ends of run 0: says 0/])
  view.words[shardsAt + SHARD_LOCK] = ownerWord(9)
  t.equal(table.recover(9), 1)
  t.same(table.check(), [])
  clock.nowMs += unconfirmedMs + 1
  t.same(ended(given), [1])
})
