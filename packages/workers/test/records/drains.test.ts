import t, { type Test } from 'tap'
import { testServers } from '../../../shared/test/settings/test-servers.ts'
import { replaceServers } from '@usher/shared/settings/server-list.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import { Drains } from '../../src/records/drains.ts'
import { onFullDisk, testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const NOW_MS = 1_790_000_000_000
/** The threads' clock is behind by so much. */
const BEHIND_MS = NOW_MS - 5000
const SERVERS = testServers([8000, 8001], [{ name: 'red' }])
const [RED, OTHER] = SERVERS as [typeof SERVERS[number], typeof SERVERS[number]]
const anyway = (): void => {}

interface TestDrains extends TestDatabase {
  readonly drains: Drains
  readonly clock: { nowMs: number }
  /** As a program that starts now finds them. */
  restarted (servers?: typeof SERVERS): Promise<Drains>
}

function testDrains (t: Test): TestDrains {
  const opened = testDatabase(t)
  const clock = { nowMs: NOW_MS }
  const parts = {
    servers: SERVERS, wallNow: () => clock.nowMs, monotonicNow: () => clock.nowMs - BEHIND_MS
  }
  return {
    ...opened,
    clock,
    drains: new Drains(opened.database, parts),
    async restarted (servers = SERVERS) {
      const drains = new Drains(opened.reopen(), { ...parts, servers })
      await drains.load()
      return drains
    }
  }
}

t.test('drains: with note and time, also for the next start; ready ends them', async t => {
  const { drains, clock, restarted } = testDrains(t)
  await drains.put(RED, { note: 'new disk', minutes: 2 }, anyway)
  await drains.put(OTHER, {}, anyway)
  const red = { note: 'new disk', sinceMs: NOW_MS, movesFromMs: NOW_MS + 120_000 }
  for (const each of [drains, await restarted()]) {
    t.strictSame(each.of(0), red)
    t.strictSame(each.of(1), { note: '', sinceMs: NOW_MS, movesFromMs: undefined })
    t.strictSame(each.order(0), { movesFromMs: 125_000 }, 'by the clock of the threads')
    t.strictSame(each.order(1), { movesFromMs: undefined })
  }
  clock.nowMs += 1000
  await drains.put(RED, { minutes: 0 }, anyway)
  t.strictSame(drains.of(0), { note: '', sinceMs: NOW_MS, movesFromMs: NOW_MS + 1000 },
    'another order counts, since when it drains stays')
  await drains.remove(RED, anyway)
  await drains.remove(RED, anyway)
  for (const each of [drains, await restarted()]) {
    t.equal(each.of(0), undefined)
    t.equal(each.order(0), undefined)
    t.ok(each.of(1))
  }
})

t.test('drains: a server is known by its name, and by its port if it had none', async t => {
  const { drains, restarted } = testDrains(t)
  await drains.put(OTHER, { note: 'old name' }, anyway)
  const named = testServers([8000, 8001], [{ name: 'red' }, { name: 'blue' }])
  const renamed = await restarted(named)
  t.match(renamed.of(1), { note: 'old name' })
  await renamed.put(named[1]!, { note: 'new name' }, anyway)
  t.match((await restarted(named)).of(1), { note: 'new name' }, 'there are not two of it')
  await renamed.remove(named[1]!, anyway)
  t.equal((await restarted(named)).of(1), undefined)
  t.equal((await restarted()).of(1), undefined, 'under neither name')
})

t.test('drains: one of a server that the settings do not name waits for its return', async t => {
  const { drains, restarted } = testDrains(t)
  await drains.put(RED, { note: 'gone' }, anyway)
  const fewer = await restarted(testServers([8001]))
  t.equal(fewer.of(0), undefined)
  t.match((await restarted()).of(0), { note: 'gone' })
})

t.test('drains: what is not allowed or cannot be stored changes nothing', async t => {
  const { drains, path, restarted } = testDrains(t)
  await drains.put(RED, { note: 'first' }, anyway)
  const refuse = (): never => { throw new Error('not you') }
  await t.rejects(drains.put(RED, { note: 'second' }, refuse), { message: 'not you' })
  await t.rejects(drains.remove(RED, refuse), { message: 'not you' })
  const onFull = new Drains(onFullDisk(t, path).database, {
    servers: SERVERS, wallNow: () => NOW_MS, monotonicNow: () => NOW_MS
  })
  await t.rejects(onFull.put(OTHER, { note: 'x'.repeat(100_000) }, anyway), { code: 'USHER_DATABASE_FAILED' })
  t.equal(onFull.of(1), undefined)
  for (const each of [drains, await restarted()]) {
    t.match(each.of(0), { note: 'first' })
  }
})

t.test('drains: a server that comes back under its name has its drain, one at its index has not', async t => {
  const { drains } = testDrains(t)
  await drains.put(RED, { note: 'new disk' }, anyway)
  const servers: readonly Slot[] = [{ kind: 'removed', index: 0, name: 'red' }, OTHER]
  const opened = testDatabase(t)
  const changing = new Drains(
    opened.database, { servers, wallNow: () => NOW_MS, monotonicNow: () => 0 })
  await changing.put(RED, { note: 'new disk' }, anyway)
  t.equal(changing.of(0), undefined, 'it is gone')
  replaceServers(servers, [{ ...RED, name: 'blue' }, OTHER])
  t.equal(changing.order(0), undefined)
  replaceServers(servers, [RED, OTHER])
  t.match(changing.of(0), { note: 'new disk' })
  changing.forget('red')
  t.equal(changing.of(0), undefined)
})
