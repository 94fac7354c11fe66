import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openStores, type Stores, type StoresOptions } from '../../src/monitor/stores.ts'
import type { UsherDatabase } from '../../src/database/usher-database.ts'
import { testServers } from '../../../shared/test/settings/test-servers.ts'
import { linesLog } from '../fixtures/lines-log.ts'
import { onFullDisk, testDatabase } from '../fixtures/test-database.ts'

const START_MS = 1_790_000_000_000
const anyway = (): void => {}
const DENIAL = { kind: 'address', text: '::1', reason: '', by: 'Anna' } as const
const ORIGIN = { address: '192.0.2.7', userAgent: '' }

interface Clocks {
  wallMs: number
  monotonicMs: number
}

function open (
  t: Test, database: UsherDatabase, clocks: Clocks, more: Partial<StoresOptions> = {}
): Promise<Stores> {
  return openStores(database, {
    sessionIdleTimeoutMs: 60_000,
    sessionLifetimeMs: 600_000,
    servers: testServers([8000]),
    log: linesLog().log,
    wallNow: () => clocks.wallMs,
    now: () => clocks.monotonicMs,
    ...more
  }).then(stores => {
    t.teardown(() => stores.close())
    return stores
  })
}

t.test('stores: everything is there after a restart, and no session longer for it', async t => {
  const { database, reopen } = testDatabase(t)
  const clocks = { wallMs: START_MS, monotonicMs: 5000 }
  const first = await open(t, database, clocks)
  const anna = await first.accounts.add('Anna', 'hash', 1, false)
  const token = await first.sessions.open(anna, ORIGIN)
  await first.denials.deny([{ ...DENIAL, forMs: undefined }], anyway)
  await first.audit.add({ who: 'Anna', action: 'deny', address: '::2' })
  first.history.addSample(START_MS, { 8000: [1, 0] })
  clocks.monotonicMs += 59_998
  await first.close()
  clocks.wallMs -= 86_400_000
  const second = await open(t, reopen(), clocks)
  t.match(await second.accounts.list(), [{ username: 'Anna' }])
  t.match(await second.denials.list(), [{ text: '::1' }])
  t.match(await second.audit.page(undefined, 1), { entries: [{ action: 'deny' }] })
  t.equal([...second.history.samples(0)].length, 1)
  clocks.monotonicMs += 1
  t.equal((await second.sessions.list(anna.id)).length, 1, 'one millisecond before')
  clocks.monotonicMs += 1
  t.equal(await second.sessions.current(token), undefined)
})

t.test('stores: what is over leaves the file by itself, and the clock is noted', async t => {
  const { database, other } = testDatabase(t)
  const clocks = { wallMs: START_MS, monotonicMs: 0 }
  const { accounts, sessions, denials } = await open(t, database, clocks, { upkeepIntervalMs: 1 })
  await sessions.open(await accounts.add('Anna', 'hash', 1, false), ORIGIN)
  await denials.deny([{ ...DENIAL, forMs: 1 }], anyway)
  clocks.wallMs += 1
  clocks.monotonicMs += 60_000
  const rows = other.prepare(`SELECT (SELECT COUNT(*) FROM Sessions) + (SELECT COUNT(*) FROM Denied) AS count,
    Reached AS reachedMs FROM SessionClock`)
  const isDone = (): boolean => {
    const { count, reachedMs } = rows.get() as { count: number, reachedMs: number }
    return count === 0 && reachedMs === START_MS + 60_000
  }
  while (!isDone()) await setTimeout(1)
  t.pass('before the test runs out of time')
})

t.test('stores: what the audit could not save is saved at the end', async t => {
  const { path, database: first } = testDatabase(t)
  const disk = onFullDisk(t, path)
  const stores = await open(t, disk.database, { wallMs: START_MS, monotonicMs: 0 })
  const detail = { filler: 'x'.repeat(3000) }
  for (let deed = 0; deed < 20; deed++) {
    await stores.audit.add({ who: 'Anna', action: 'deed', detail, address: '::1' })
  }
  const stored = () => first.read(sql => sql.auditBefore(1000, 100).length)
  t.ok(await stored() < 20)
  disk.makeRoom()
  await stores.close()
  t.equal(await stored(), 20)
})

t.test('stores: close twice, and with a database that takes nothing', async t => {
  const { database, other } = testDatabase(t)
  const stores = await open(t, database, { wallMs: START_MS, monotonicMs: 0 })
  other.exec('BEGIN IMMEDIATE')
  await stores.close()
  await stores.close()
  other.exec('COMMIT')
  t.throws(() => database.readNow(sql => sql.accounts()), { message: /not open/ })
})
