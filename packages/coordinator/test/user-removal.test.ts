import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { clientOfAddress, parseAddress, parseClientId, type Client } from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import { turnsDuring } from '../../shared/test/fixtures/event-loop.ts'
import { addressNumber, chooseServer, clientNumber, testTable } from '../../shared/test/memory/test-table.ts'
import { removeUsers, type RemovalParts, type Removed } from '../src/user-removal.ts'
import { lockTable } from './fixtures/locked-table.ts'
import { testLog } from './fixtures/log.ts'

const ANA = parseClientId('6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61')!
const BEN = parseClientId('7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62')!
const HOME = parseAddress('192.0.2.7')!
const AWAY = parseAddress('198.51.100.7')!

const entry = (kind: DenyEntry['kind'], text: string, untilMs?: number): DenyEntry =>
  ({ kind, text, untilMs })

function testRemoval (changes: Partial<RemovalParts> = {}) {
  const { table, view } = testTable({ users: 4096 })
  const { log, lines } = testLog()
  const parts = { table, now: () => 1000, log, ...changes }
  const remove = (client: Client | undefined, ...entries: DenyEntry[]): Promise<Removed> =>
    removeUsers(parts, { client, entries })
  return { table, view, lines, remove, active: () => [...table.activeUsersPerServer()] }
}

t.test('removal: one client, wherever it is, with the place that is held for it', async t => {
  const { table, remove, active, lines } = testRemoval()
  table.touch(ANA, 0, HOME)
  table.touch(BEN, 0, HOME)
  const reservation = { address: HOME, isReturning: true, untilMs: 1e9, choose: chooseServer(1) }
  table.reserve({ ...reservation, client: ANA })
  t.same([...table.loads()], [1, 1, 0])
  t.same(await remove(ANA), { wasHere: true, removedUsers: 1 })
  t.same(active(), [1, 0, 0])
  t.same([...table.loads()], [1, 0, 0])
  t.same(await remove(ANA), { wasHere: false, removedUsers: 0 }, 'once')
  t.match(lines, [{ level: 20, client: '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61', msg: 'user removed' }])
  t.equal(lines.length, 1)
})

t.test('removal: whoever an entry denies, by id, address and range', async t => {
  const { table, remove, active } = testRemoval()
  table.touch(ANA, 0, AWAY)
  table.touch(clientOfAddress(HOME), 1, HOME)
  for (let number = 1; number <= 2000; number++) {
    table.touch(clientNumber(number), 2, addressNumber(number))
  }
  t.same(await remove(undefined, entry('id', '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61')),
    { wasHere: false, removedUsers: 1 })
  t.same(await remove(undefined, entry('address', '192.0.2.7'), entry('address', '2001:db8:7::1')),
    { wasHere: false, removedUsers: 2 })
  t.same(active(), [0, 0, 1999])
  t.same(await remove(undefined, entry('range', '2001:db8::/38')),
    { wasHere: false, removedUsers: 1022 })
  t.same(active(), [0, 0, 977], 'all of 1 to 1023 but the one who is gone already')
  t.same(await remove(undefined, entry('range', '2001:db8::/32', 1000)),
    { wasHere: false, removedUsers: 0 }, 'one that is over denies nobody')
})

t.test('removal: a search gives way to the loop', async t => {
  let nowMs = 0
  const { table, remove } = testRemoval({ now: () => nowMs++ })
  for (let number = 1; number <= 4000; number++) {
    table.touch(clientNumber(number), 2, addressNumber(number))
  }
  const turns = await turnsDuring(async () => {
    t.same(await remove(undefined, entry('range', '2001:db8::/32')),
      { wasHere: false, removedUsers: 4000 })
  })
  t.ok(turns > table.shardCount / 4, `${turns} turns`)
})

t.test('removal: waits on later turns for a shard that is locked, and not for ever', async t => {
  const { table, view, remove } = testRemoval()
  table.touch(ANA, 0, HOME)
  const unlock = lockTable(view)
  const removed = remove(ANA, entry('address', '192.0.2.7'))
  await setImmediate()
  unlock()
  t.same(await removed, { wasHere: true, removedUsers: 1 })

  table.touch(ANA, 0, HOME)
  const unlockAgain = lockTable(view)
  await t.rejects(remove(ANA), { code: 'USHER_ORDER_TIMED_OUT' })
  unlockAgain()
})
