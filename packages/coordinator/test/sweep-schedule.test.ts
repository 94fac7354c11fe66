import t, { type Test } from 'tap'
import { clientOfAddress, formatClient } from '@usher/shared/client.ts'
import { turnsDuring } from '../../shared/test/fixtures/event-loop.ts'
import {
  addressNumber, clientNumber, HOME, reserveFor, testTable
} from '../../shared/test/memory/test-table.ts'
import { NAMED_SERVERS } from '../../shared/test/settings/test-servers.ts'
import { countsPerServer, startSweep, sweepOnce } from '../src/sweep-schedule.ts'
import { lockTable } from './fixtures/locked-table.ts'
import { testLog } from './fixtures/log.ts'
import { until } from './fixtures/until.ts'

const THRESHOLD_MS = 1000
const INTERVAL_MS = 5
/** With four shards, a sweep of such takes longer than the interval. */
const SLOW_SHARD_MS = 4

t.test('sweep: removes who has been silent for longer than the threshold, and nobody else', async t => {
  const { table, clock, parts } = testSweep()
  table.touch(clientNumber(1), 0, HOME)
  clock.nowMs += 1
  table.touch(clientNumber(2), 0, HOME)
  clock.nowMs += THRESHOLD_MS - 1
  await sweepOnce(parts)
  t.equal(table.size(), 2, 'exactly the threshold is not longer')
  clock.nowMs += 1
  await sweepOnce(parts)
  t.equal(table.size(), 1)
  t.equal(table.touch(clientNumber(2), 0, HOME), 'seen', 'the later one is still there')
})

t.test('sweep: a heartbeat in between keeps a user', async t => {
  const { table, clock, parts } = testSweep()
  table.touch(clientNumber(1), 0, HOME)
  clock.nowMs += THRESHOLD_MS
  table.touch(clientNumber(1), 0, HOME)
  clock.nowMs += THRESHOLD_MS
  await sweepOnce(parts)
  t.equal(table.size(), 1)
})

t.test('sweep: a debug line for each user who timed out, none for an unclaimed place', async t => {
  const { table, clock, parts, lines } = testSweep()
  table.touch(clientNumber(1), 0, HOME)
  table.touch(clientOfAddress(addressNumber(7)), 2, addressNumber(7))
  reserveFor({ table, clock } as Parameters<typeof reserveFor>[0], clientNumber(3), { ttlMs: 10 })
  clock.nowMs += THRESHOLD_MS + 1
  await sweepOnce(parts)
  t.equal(table.size(), 0)
  t.strictSame(lines.map(({ client, server, level, msg }) => [client, server, level, msg]).sort(), [
    [formatClient(clientNumber(1)), 'red', 20, 'user timed out'],
    ['2001:db8:7::1', 'blue', 20, 'user timed out']
  ].sort())
})

t.test('sweep: says nothing about single users above the debug level', async t => {
  const { table, clock, parts, lines } = testSweep({ level: 'info' })
  table.touch(clientNumber(1), 0, HOME)
  clock.nowMs += THRESHOLD_MS + 1
  await sweepOnce(parts)
  t.equal(table.size(), 0)
  t.strictSame(lines, [])
})

t.test('sweep: gives way to the loop whenever 2 ms have passed', async t => {
  // Each look at the clock is 1 ms later than the one before; 64 shards are swept.
  let nowMs = 0
  const slow = testSweep({ users: 131_072, now: () => nowMs++ })
  const turns = await turnsDuring(() => sweepOnce(slow.parts))
  t.ok(turns >= 20 && turns <= 40, `${turns} turns, about one for every second shard`)
})

t.test('sweep: a table that is swept in no time is swept in one go', async t => {
  const quick = testSweep({ users: 131_072, now: () => 0 })
  const turns = await turnsDuring(() => sweepOnce(quick.parts))
  t.ok(turns <= 1, `${turns} turns`)
})

t.test('sweep: a large table is swept whole, in slices of some milliseconds', async t => {
  const users = 50_000
  const { table, clock, parts } = testSweep({
    users: 65_536, level: 'info', now: () => performance.now()
  })
  for (let number = 0; number < users; number++) table.touch(clientNumber(number), 0, HOME)
  clock.nowMs += THRESHOLD_MS + 1
  const turns = await turnsDuring(() => sweepOnce(parts))
  t.equal(table.size(), 0)
  t.strictSame(table.check(), [])
  t.ok(turns > 1, `${turns} turns`)
})

t.test('sweep: a shard that is busy is left to the next sweep', async t => {
  const { table, clock, parts, view } = testSweep()
  table.touch(clientNumber(1), 0, HOME)
  clock.nowMs += THRESHOLD_MS + 1
  const unlock = lockTable(view)
  await sweepOnce(parts)
  unlock()
  t.equal(table.size(), 1)
  await sweepOnce(parts)
  t.equal(table.size(), 0)
})

t.test('sweep: counts are by the names of the servers', async t => {
  const { table, parts } = testSweep()
  const places = [2, 2, 0]
  for (const [number, server] of places.entries()) table.touch(clientNumber(number), server, HOME)
  t.strictSame(countsPerServer(parts), { red: 1, green: 0, blue: 2 })
})

t.test('sweep: runs at every interval and logs the counts only when they changed', async t => {
  const { sweepsDone, table, clock, saying } = startTestSweep(t)
  const counts = (): unknown => saying('active users').map(({ activeUsers }) => activeUsers)

  await sweepsDone(3)
  t.strictSame(counts(), [], 'nothing has changed since the start')
  table.touch(clientNumber(1), 1, HOME)
  await sweepsDone(3)
  t.strictSame(counts(), [{ red: 0, green: 1, blue: 0 }])
  table.touch(clientNumber(1), 1, HOME)
  await sweepsDone(3)
  t.equal((counts() as unknown[]).length, 1, 'a user seen again changes no count')
  clock.nowMs += THRESHOLD_MS + 1
  await sweepsDone(3)
  t.strictSame((counts() as unknown[])[1], { red: 0, green: 0, blue: 0 })
  t.equal(saying('user timed out').length, 1)
})

t.test('sweep: close waits for the one that runs, and starts no other', async t => {
  const { sweep, swept, sweepsDone } = startTestSweep(t, { isSlow: true })
  await sweepsDone(1)
  await until(() => swept.shards % swept.shardCount === 1) // In the middle of one.
  await sweep.close()
  t.equal(swept.shards % swept.shardCount, 0, 'it was finished')
  const { shards } = swept
  const closedMs = performance.now()
  await until(() => performance.now() > closedMs + 50)
  t.equal(swept.shards, shards)
  await sweep.close()
})

t.test('sweep: one that takes longer than the interval is not joined by another', async t => {
  const { swept, sweepsDone } = startTestSweep(t, { isSlow: true })
  await sweepsDone(3)
  const oneAfterAnother = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]
  t.strictSame(swept.order.slice(0, 12), oneAfterAnother)
})

function testSweep ({ users = 1024, level = 'debug', now = (): number => 0 } = {}) {
  const { table, clock, view } = testTable({ users })
  const { log, lines, saying } = testLog(level)
  const settings = {
    heartbeatIntervalMs: INTERVAL_MS, timeoutThresholdMs: THRESHOLD_MS, servers: NAMED_SERVERS
  }
  return { table, clock, view, lines, saying, parts: { table, settings, now, log } }
}

/** A running sweep of a table with four shards; when slow, it gives way after each. */
function startTestSweep (t: Test, { isSlow = false } = {}) {
  let nowMs = 0
  const made = testSweep({
    now: () => {
      if (isSlow) nowMs += 3
      return nowMs
    }
  })
  const { table, parts } = made
  const swept = { shards: 0, shardCount: table.shardCount, order: [] as number[] }
  const sweep = startSweep({
    ...parts,
    table: {
      shardCount: table.shardCount,
      activeUsersPerServer: () => table.activeUsersPerServer(),
      endDue: (shard, fromSlot) => table.endDue(shard, fromSlot),
      sweepShard (shard, silentForMs, fromSlot) {
        swept.shards++
        swept.order.push(shard)
        if (isSlow) spin(SLOW_SHARD_MS)
        return table.sweepShard(shard, silentForMs, fromSlot)
      }
    }
  })
  t.teardown(() => sweep.close())
  const sweepsDone = async (count: number): Promise<void> => {
    const aim = (Math.ceil(swept.shards / swept.shardCount) + count) * swept.shardCount
    await until(() => swept.shards >= aim)
  }
  return { ...made, sweep, swept, sweepsDone }
}

function spin (forMs: number): void {
  const untilMs = performance.now() + forMs
  while (performance.now() < untilMs);
}
