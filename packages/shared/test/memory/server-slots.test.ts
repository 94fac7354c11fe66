/** Room for servers that come later, and when nobody refers to one that is gone. */
import t from 'tap'
import { SERVERS_MAX, SHARD_LOCK, layoutFor } from '@usher/shared/memory/layout.ts'
import { ownerWord, releaseLock, acquireLock } from '@usher/shared/memory/lock.ts'
import {
  allocateTable, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG, shardAt, viewTable
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { addressNumber, chooseServer, clientNumber, randomWords, TIMES } from './test-table.ts'

const HELD_MS = 10_000

function growing (servers = 2) {
  const memory = allocateTable(4096, servers, TIMES, randomWords(5), SERVERS_MAX)
  const clock = { nowMs: 1_000_000 }
  const options = {
    threadTag: MAIN_THREAD_TAG, patience: MAIN_THREAD_PATIENCE, now: () => clock.nowMs
  }
  const table = new UserTable(memory, options)
  const other = new UserTable(memory, options)
  /** Who comes back has a place there. */
  const place = (number: number, server: number): ReturnType<UserTable['reserve']> => table.reserve({
    client: clientNumber(number),
    address: addressNumber(number),
    isReturning: true,
    untilMs: clock.nowMs + HELD_MS,
    choose: chooseServer(server)
  })
  return { table, other, view: viewTable(memory, options), clock, place }
}

t.test('server slots: sums are made of those that there are, and grow in every thread', async t => {
  const { table, other } = growing()
  table.knownLoads()
  t.equal(table.loads().length, 2)
  table.setServerCount(4)
  for (const each of [table, other]) {
    t.equal(each.loads().length, 4)
    t.equal(each.usersPerServer().active.length, 4)
    t.equal(each.weight(3), 1)
  }
  other.touch(clientNumber(1), 3, addressNumber(1))
  t.same([...table.loads()], [0, 0, 0, 1])
  t.equal(table.knownLoads().values[3], 1)
  table.setServerCount(3)
  t.equal(table.loads().length, 4, 'never fewer')
  t.throws(() => { table.setServerCount(SERVERS_MAX + 1) }, RangeError)
  t.strictSame(table.check(), [])
})

t.test('server slots: there may be none at first', async t => {
  const { table, place } = growing(0)
  t.equal(table.loads().length, 0)
  t.match(table.reserve({
    client: clientNumber(1),
    address: addressNumber(1),
    isReturning: true,
    untilMs: 0,
    choose: () => undefined
  }), { kind: 'unavailable' })
  t.strictSame([table.size(), table.check()], [0, []])
  table.setServerCount(1)
  t.match(place(1, 0), { kind: 'reserved', server: 0 })
  t.same([...table.loads()], [1])
})

t.test('server slots: the last of 256 counts like the first', async t => {
  const { table, place } = growing()
  table.setServerCount(SERVERS_MAX)
  const last = SERVERS_MAX - 1
  const client = clientNumber(1)
  t.match(place(1, last), { kind: 'reserved', server: last })
  t.equal(table.touch(client, last, addressNumber(1)), 'arrived')
  t.match(table.find(client), { server: last })
  t.equal(table.activeUsers(last), 1)
  t.strictSame(table.check(), [])
})

t.test('server slots: room for all takes no word more for a user', async t => {
  const [few, all] = [3, SERVERS_MAX].map(servers => layoutFor(131_072, servers))
  t.strictSame([all!.slotCount, all!.bucketCount], [few!.slotCount, few!.bucketCount])
  t.ok((all!.bytes - few!.bytes) / few!.bytes < 0.03, `${all!.bytes - few!.bytes} bytes`)
})

t.test('server slots: a server is referred to by who is active there or has a place', async t => {
  const { table, clock, place } = growing()
  const ann = clientNumber(1)
  t.equal(table.isReferred(1), false)
  table.touch(ann, 1, addressNumber(1))
  t.equal(table.isReferred(1), true)
  t.equal(table.isReferred(0), false)
  // On the way elsewhere she is still active here.
  place(1, 0)
  t.equal(table.isReferred(1), true)
  table.touch(ann, 0, addressNumber(1))
  t.equal(table.isReferred(1), false)
  const reserved = place(2, 1)
  t.equal(table.isReferred(1), true, 'a place alone')
  if (reserved.kind !== 'reserved') throw new Error(reserved.kind)
  clock.nowMs += HELD_MS + 1
  table.expireReservation(reserved.place)
  t.equal(table.isReferred(1), false)
})

t.test('server slots: a place held for a return is one, too', async t => {
  const { table, clock } = growing()
  table.setLimits([{ capacity: 5, weight: 1 }, { capacity: 5, weight: 1 }], 20_000)
  table.touch(clientNumber(1), 1, addressNumber(1))
  table.leave(clientNumber(1), 1)
  t.equal(table.isReferred(1), true)
  clock.nowMs += 20_001
  for (let shard = 0; shard < table.shardCount; shard++) table.endDue(shard)
  t.equal(table.isReferred(1), false)
})

t.test('server slots: what a thread is at, dead or not, may refer to it', async t => {
  const { table, view } = growing()
  const lock = shardAt(view.layout, 1) + SHARD_LOCK
  t.ok(acquireLock(view.words, lock, ownerWord(7), 0, undefined))
  t.equal(table.isReferred(1), true)
  releaseLock(view.words, lock)
  t.equal(table.isReferred(1), false)
})
