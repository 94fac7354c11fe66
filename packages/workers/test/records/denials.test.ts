import t, { type Test } from 'tap'
import { RANGES_MAX } from '@usher/shared/deny-list.ts'
import {
  DENIED_MAX, Denials, type DenialBounds, type DenialClocks, type DeniedRow, type NewDenial
} from '../../src/records/denials.ts'
import { onFullDisk, testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const NOW_MS = 1_790_000_000_000
const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'

/** The threads' clock is behind the others by so much. */
const BOOT_MS = NOW_MS - 5000

const anyway = (): void => {}
const DENIAL: NewDenial = { kind: 'id', text: ID, reason: 'spam', by: 'anna', forMs: 60_000 }
const ROW: DeniedRow = {
  kind: 'id', text: ID, reason: 'spam', by: 'anna', sinceMs: NOW_MS, untilMs: NOW_MS + 60_000
}

interface TestDenials extends TestDatabase {
  readonly denials: Denials
  readonly clock: TestClock
}

interface TestClock {
  nowMs: number
  /** How far the wall clock is ahead. */
  aheadMs: number
}

function clocksOf (clock: TestClock): DenialClocks {
  return {
    steadyNow: () => clock.nowMs,
    monotonicNow: () => clock.nowMs - BOOT_MS,
    wallNow: () => clock.nowMs + clock.aheadMs
  }
}

function testDenials (t: Test, bounds?: DenialBounds): TestDenials {
  const opened = testDatabase(t)
  const clock = { nowMs: NOW_MS, aheadMs: 0 }
  return { ...opened, clock, denials: new Denials(opened.database, clocksOf(clock), bounds) }
}

t.test('denials: come back as they were, newest first, also by another opening', async t => {
  const { denials, clock, reopen } = testDenials(t)
  const range = { ...DENIAL, kind: 'range', text: '192.0.2.0/24', forMs: undefined } as const
  await denials.deny([DENIAL], anyway)
  clock.nowMs += 1
  const inForce = await denials.deny([range], anyway)
  const { forMs, ...listed } = range
  t.strictSame(inForce, [
    { kind: 'range', text: '192.0.2.0/24', untilMs: undefined },
    { kind: 'id', text: ID, untilMs: 65_000 }
  ], 'by the clock of the threads')
  for (const store of [denials, new Denials(reopen(), clocksOf(clock))]) {
    t.strictSame(await store.list(), [{ ...listed, sinceMs: NOW_MS + 1, untilMs: forMs }, ROW])
    t.strictSame(await store.entries(), inForce)
  }
})

t.test('denials: a wall clock that jumps ends none and extends none', async t => {
  const { denials, clock } = testDenials(t)
  await denials.deny([DENIAL], anyway)
  const inForce = await denials.entries()
  for (const aheadMs of [86_400_000, -86_400_000, 999, 0]) {
    clock.aheadMs = aheadMs
    t.strictSame(await denials.entries(), inForce)
    const [row] = await denials.list()
    t.equal(row!.untilMs! - row!.sinceMs, 60_000)
    const shownAheadMs = row!.sinceMs - NOW_MS
    t.ok(Math.abs(shownAheadMs - aheadMs) < 1000, `shown by the wall clock that is ${aheadMs} ms ahead`)
  }
  clock.nowMs += 59_999
  t.equal((await denials.list()).length, 1)
  clock.nowMs += 1
  t.equal((await denials.list()).length, 0)
})

t.test('denials: of several all are stored or none', async t => {
  const { denials } = testDenials(t, { deniedMax: 2, rangesMax: 1 })
  const address = (text: string): NewDenial => ({ ...DENIAL, kind: 'address', text })
  await t.rejects(denials.deny([address('::1'), address('::2'), address('::3')], anyway), {
    code: 'USHER_DENY_LIST_FULL'
  })
  await t.rejects(denials.deny([address('::1'), address('nobody')], anyway), {
    code: 'USHER_DENY_ENTRY_INVALID'
  })
  t.same(await denials.list(), [])
  t.equal((await denials.deny([address('::1'), address('::2')], anyway)).length, 2)
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
    await denials.deny([{ ...DENIAL, kind, text: first }], anyway)
    const worse = { kind, text: again, reason: 'worse', by: 'bert', forMs: undefined }
    await denials.deny([worse], anyway)
    const expected = { ...ROW, kind, text: stored, reason: 'worse', by: 'bert', untilMs: undefined }
    t.strictSame(await denials.list(), [expected])
    t.same(await denials.allow(kind, again, anyway), [])
    t.equal(await denials.allow(kind, again, anyway), undefined, 'not denied any more')
    t.same(await denials.list(), [])
  }
})

t.test('denials: an address and the range of that one address are one', async t => {
  const { denials } = testDenials(t)
  await denials.deny([{ ...DENIAL, kind: 'range', text: '192.0.2.7/32' }], anyway)
  t.match(await denials.list(), [{ kind: 'address', text: '192.0.2.7' }])
  t.same(await denials.allow('range', '192.0.2.7/32', anyway), [])
})

t.test('denials: one that has run out is gone, and not a millisecond before', async t => {
  const { denials, clock, other } = testDenials(t)
  const count = other.prepare('SELECT COUNT(*) FROM Denied').pluck()
  await denials.deny([DENIAL], anyway)
  await denials.deny([{ ...DENIAL, kind: 'address', text: '::1', forMs: undefined }], anyway)
  clock.nowMs = NOW_MS + 59_999
  t.equal((await denials.list()).length, 2)
  t.equal(await denials.removeExpired(), 0)
  clock.nowMs += 1
  t.match(await denials.list(), [{ text: '::1' }])
  t.match(await denials.entries(), [{ text: '::1' }])
  t.equal(count.get(), 2)
  t.equal(await denials.allow('id', ID, anyway), undefined, 'nothing to allow')
  await denials.deny([{ ...DENIAL, forMs: 0 }], anyway)
  t.equal(await denials.removeExpired(), 1)
  t.equal(count.get(), 1)
})

t.test('denials: there are so many, and so many ranges of them', async t => {
  t.same([DENIED_MAX, RANGES_MAX], [10_000, 1000])
  const { denials, clock } = testDenials(t, { deniedMax: 5, rangesMax: 2 })
  const deny = (kind: NewDenial['kind'], text: string) => denials.deny([{ ...DENIAL, kind, text }], anyway)
  const range = (text: string) => deny('range', text)
  const address = (text: string) => deny('address', text)
  const full = { code: 'USHER_DENY_LIST_FULL', statusCode: 409 }
  await range('192.0.2.0/24')
  await range('198.51.100.0/24')
  await t.rejects(range('203.0.113.0/24'), { ...full, message: /2 ranges/ })
  await range('198.51.100.1/24') // The same again takes no room.
  for (const text of ['::1', '::2', '::3']) await address(text)
  await t.rejects(address('::4'), { ...full, message: /5 entries/ })
  await address('::3')
  await denials.allow('address', '::1', anyway)
  await address('::4')
  t.equal((await denials.list()).length, 5)
  clock.nowMs = ROW.untilMs!
  await address('::5')
  t.equal((await denials.list()).length, 1, 'what has run out takes no room')
})

t.test('denials: what is malformed changes nothing', async t => {
  const { denials } = testDenials(t)
  await denials.deny([DENIAL], anyway)
  await t.rejects(denials.deny([{ ...DENIAL, text: 'anna' }], anyway), { code: 'USHER_DENY_ENTRY_INVALID' })
  await t.rejects(denials.allow('range', '1.2.3.4', anyway), { code: 'USHER_DENY_ENTRY_INVALID' })
  t.strictSame(await denials.list(), [ROW])
})

t.test('denials: reasons and names are data, reasons not too long, times whole', async t => {
  const { denials } = testDenials(t)
  const reason = '<script>alert(1)</script>\u0000\u001b[31m\u2028"\'; DROP TABLE Denied --'
  await denials.deny([{ ...DENIAL, reason, by: '<b>', forMs: 5.5 }], anyway)
  t.strictSame(await denials.list(), [{
    ...ROW, reason, by: '<b>', sinceMs: NOW_MS, untilMs: NOW_MS + 6
  }])
  await denials.deny([{ ...DENIAL, reason: 'x'.repeat(501) }], anyway)
  t.equal((await denials.list())[0]?.reason, 'x'.repeat(500))
})

t.test('denials: on a full disk a change is 503 and the list stands', async t => {
  const { path, clock, denials } = testDenials(t)
  await denials.deny([DENIAL], anyway)
  const disk = onFullDisk(t, path)
  const onFull = new Denials(disk.database, clocksOf(clock))
  const fill = async (): Promise<void> => {
    for (let at = 0; at < 200; at++) {
      const text = `10.0.0.${at}`
      await onFull.deny([{ ...DENIAL, kind: 'address', text, reason: 'x'.repeat(500) }], anyway)
    }
  }
  await t.rejects(fill(), { code: 'USHER_DATABASE_FAILED', statusCode: 503 })
  t.ok((await onFull.list()).length < 200)
  disk.makeRoom()
  await fill()
  t.equal((await onFull.list()).length, 201)
})
