import t, { type Test } from 'tap'
import { RANGES_MAX } from '@usher/shared/deny-list.ts'
import { DENIED_MAX, Denials, type DenialBounds, type DeniedRow } from '../../src/monitor/denials.ts'
import { onFullDisk, testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const NOW_MS = 1_790_000_000_000
const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'

const ROW: DeniedRow = {
  kind: 'id', text: ID, reason: 'spam', by: 'anna', sinceMs: NOW_MS, untilMs: NOW_MS + 60_000
}

interface TestDenials extends TestDatabase {
  readonly denials: Denials
  readonly clock: { nowMs: number }
}

function testDenials (t: Test, bounds?: DenialBounds): TestDenials {
  const opened = testDatabase(t)
  const clock = { nowMs: NOW_MS }
  return { ...opened, clock, denials: new Denials(opened.database, () => clock.nowMs, bounds) }
}

t.test('denials: come back as they were, newest first, also by another opening', async t => {
  const { denials, reopen } = testDenials(t)
  const range: DeniedRow = {
    ...ROW, kind: 'range', text: '192.0.2.0/24', sinceMs: NOW_MS + 1, untilMs: undefined
  }
  await denials.deny(ROW)
  await denials.deny(range)
  for (const store of [denials, new Denials(reopen(), () => NOW_MS)]) {
    t.strictSame(await store.list(), [range, ROW])
    t.strictSame(await store.entries(), [
      { kind: 'range', text: '192.0.2.0/24', untilMs: undefined },
      { kind: 'id', text: ID, untilMs: NOW_MS + 60_000 }
    ])
  }
})

t.test('denials: the same target again, however written, replaces what was said', async t => {
  const { denials } = testDenials(t)
  const cases: ReadonlyArray<[kind: DeniedRow['kind'], first: string, again: string, stored: string]> = [
    ['id', ID, ID.toUpperCase(), ID],
    ['address', '192.0.2.7', '::ffff:192.0.2.7', '192.0.2.7'],
    ['address', '2001:db8::1', '2001:DB8:0::1', '2001:db8::1'],
    ['range', '192.0.2.0/24', '192.0.2.99/24', '192.0.2.0/24']
  ]
  for (const [kind, first, again, stored] of cases) {
    await denials.deny({ ...ROW, kind, text: first })
    await denials.deny({ ...ROW, kind, text: again, reason: 'worse', by: 'bert', untilMs: undefined })
    const expected = { ...ROW, kind, text: stored, reason: 'worse', by: 'bert', untilMs: undefined }
    t.strictSame(await denials.list(), [expected])
    t.equal(await denials.allow(kind, again), true)
    t.equal(await denials.allow(kind, again), false, 'not denied any more')
    t.same(await denials.list(), [])
  }
})

t.test('denials: an address and the range of that one address are one', async t => {
  const { denials } = testDenials(t)
  await denials.deny({ ...ROW, kind: 'range', text: '192.0.2.7/32' })
  t.match(await denials.list(), [{ kind: 'address', text: '192.0.2.7' }])
  t.equal(await denials.allow('range', '192.0.2.7/32'), true)
})

t.test('denials: one that has run out is gone, and not a millisecond before', async t => {
  const { denials, clock, other } = testDenials(t)
  const count = other.prepare('SELECT COUNT(*) FROM Denied').pluck()
  await denials.deny(ROW)
  await denials.deny({ ...ROW, kind: 'address', text: '::1', untilMs: undefined })
  clock.nowMs = NOW_MS + 59_999
  t.equal((await denials.list()).length, 2)
  t.equal(await denials.removeExpired(), 0)
  clock.nowMs += 1
  t.match(await denials.list(), [{ text: '::1' }])
  t.match(await denials.entries(), [{ text: '::1' }])
  t.equal(count.get(), 2)
  t.equal(await denials.allow('id', ID), false, 'nothing to allow')
  await denials.deny(ROW)
  t.equal(await denials.removeExpired(), 1)
  t.equal(count.get(), 1)
})

t.test('denials: there are so many, and so many ranges of them', async t => {
  t.same([DENIED_MAX, RANGES_MAX], [10_000, 1000])
  const { denials, clock } = testDenials(t, { deniedMax: 5, rangesMax: 2 })
  const range = (text: string): Promise<void> => denials.deny({ ...ROW, kind: 'range', text })
  const address = (text: string): Promise<void> => denials.deny({ ...ROW, kind: 'address', text })
  const full = { code: 'USHER_DENY_LIST_FULL', statusCode: 409 }
  await range('192.0.2.0/24')
  await range('198.51.100.0/24')
  await t.rejects(range('203.0.113.0/24'), { ...full, message: /2 ranges/ })
  await range('198.51.100.1/24') // The same again takes no room.
  for (const text of ['::1', '::2', '::3']) await address(text)
  await t.rejects(address('::4'), { ...full, message: /5 entries/ })
  await address('::3')
  await denials.allow('address', '::1')
  await address('::4')
  t.equal((await denials.list()).length, 5)
  clock.nowMs = ROW.untilMs!
  await address('::5')
  t.equal((await denials.list()).length, 0, 'what has run out takes no room')
})

t.test('denials: what is malformed changes nothing', async t => {
  const { denials } = testDenials(t)
  await denials.deny(ROW)
  await t.rejects(denials.deny({ ...ROW, text: 'anna' }), { code: 'USHER_DENY_ENTRY_INVALID' })
  await t.rejects(denials.allow('range', '1.2.3.4'), { code: 'USHER_DENY_ENTRY_INVALID' })
  t.strictSame(await denials.list(), [ROW])
})

t.test('denials: reasons and names are data, reasons not too long, times whole', async t => {
  const { denials } = testDenials(t)
  const reason = '<script>alert(1)</script>\u0000\u001b[31m\u2028"\'; DROP TABLE Denied --'
  await denials.deny({ ...ROW, reason, by: '<b>', sinceMs: NOW_MS + 0.4, untilMs: NOW_MS + 5.5 })
  t.strictSame(await denials.list(), [{
    ...ROW, reason, by: '<b>', sinceMs: NOW_MS, untilMs: NOW_MS + 6
  }])
  await denials.deny({ ...ROW, reason: 'x'.repeat(501) })
  t.equal((await denials.list())[0]?.reason, 'x'.repeat(500))
})

t.test('denials: on a full disk a change is 503 and the list stands', async t => {
  const { path, denials } = testDenials(t)
  await denials.deny(ROW)
  const disk = onFullDisk(t, path)
  const onFull = new Denials(disk.database, () => NOW_MS)
  const fill = async (): Promise<void> => {
    for (let at = 0; at < 200; at++) {
      await onFull.deny({ ...ROW, kind: 'address', text: `10.0.0.${at}`, reason: 'x'.repeat(500) })
    }
  }
  await t.rejects(fill(), { code: 'USHER_DATABASE_FAILED', statusCode: 503 })
  t.ok((await onFull.list()).length < 200)
  disk.makeRoom()
  await fill()
  t.equal((await onFull.list()).length, 201)
})
