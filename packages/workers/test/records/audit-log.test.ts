import t, { type Test } from 'tap'
import { stepClock, turnsDuring } from '../../../shared/test/fixtures/event-loop.ts'
import type { AuditRecord } from '../../src/records/audit-event.ts'
import {
  AuditLog, AUDIT_MAX, PAGE_LIMIT_MAX, UNSAVED_MAX, type AuditPage
} from '../../src/records/audit-log.ts'
import { linesLog, type LogLine } from '../fixtures/lines-log.ts'
import { onFullDisk, readOnly, testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const START_MS = 1_790_000_000_000

interface TestAudit extends TestDatabase {
  readonly audit: AuditLog
  readonly lines: LogLine[]
}

function testAudit (t: Test, keptMax?: number): TestAudit {
  const opened = testDatabase(t)
  const { log, lines } = linesLog()
  let nowMs = START_MS
  const options = { log, wallNow: () => nowMs++, ...(keptMax === undefined ? {} : { keptMax }) }
  return { ...opened, audit: new AuditLog(opened.database, options), lines }
}

async function addMany (audit: AuditLog, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    await audit.add({ who: 'anna', action: `deed ${number}`, address: '::1' })
  }
}

/** The numbers of the deeds on a page. */
function numbersOn ({ entries }: AuditPage): number[] {
  return entries.map(({ action }) => Number(action.slice('deed '.length)))
}

t.test('audit: who, what, whom, when and from where, newest first', async t => {
  const { audit, reopen, lines } = testAudit(t)
  await audit.add({ who: 'anna', action: 'login', address: '192.0.2.7' })
  await audit.add({ who: 'anna', action: 'deny', target: '::2', detail: { minutes: 5 }, address: '::1' })
  const expected: AuditRecord[] = [{
    atMs: START_MS + 1, who: 'anna', action: 'deny', target: '::2', detail: { minutes: 5 }, address: '::1'
  }, {
    atMs: START_MS, who: 'anna', action: 'login', target: undefined, detail: undefined, address: '192.0.2.7'
  }]
  const { log } = linesLog()
  for (const store of [audit, new AuditLog(reopen(), { log, wallNow: Date.now })]) {
    t.strictSame(await store.page(undefined, 10), { entries: expected, nextCursor: undefined })
  }
  t.strictSame(lines, [
    { level: 30, who: 'anna', action: 'login', address: '192.0.2.7', msg: 'audit' },
    { level: 30, who: 'anna', action: 'deny', target: '::2', detail: { minutes: 5 }, address: '::1', msg: 'audit' }
  ])
})

t.test('audit: pages follow one another, whatever comes in between', async t => {
  const { audit } = testAudit(t)
  t.same(await audit.page(undefined, 3), { entries: [], nextCursor: undefined })
  await addMany(audit, 1, 7)
  const first = await audit.page(undefined, 3)
  t.same(numbersOn(first), [7, 6, 5])
  await addMany(audit, 8, 9)
  const second = await audit.page(first.nextCursor, 3)
  t.same(numbersOn(second), [4, 3, 2])
  const third = await audit.page(second.nextCursor, 3)
  t.same(numbersOn(third), [1])
  t.equal(third.nextCursor, undefined)
  t.equal((await audit.page(undefined, 9)).nextCursor, undefined, 'no page without entries follows')
})

t.test('audit: a cursor that was not given out is 400, a limit has its bounds', async t => {
  const { audit, database } = testAudit(t)
  const cursors = ['', '0', '-1', '1.5', '1e3', ' 1', 'x', '9'.repeat(16), '1; DROP TABLE Audit']
  for (const cursor of cursors) {
    await t.rejects(audit.page(cursor, 10), { code: 'USHER_AUDIT_CURSOR_INVALID', statusCode: 400 })
  }
  await database.write(sql => {
    const row = { atMs: 0, who: '', action: '', target: null, detail: null, address: '' }
    for (let count = 0; count < PAGE_LIMIT_MAX + 1; count++) sql.addAudit(row)
  })
  const limits = [[-5, 1], [0, 1], [1, 1], [2.9, 2], [1e9, PAGE_LIMIT_MAX]] as const
  for (const [limit, count] of limits) {
    t.equal((await audit.page(undefined, limit)).entries.length, count)
  }
})

t.test('audit: the newest are kept, so many', async t => {
  t.equal(AUDIT_MAX, 100_000)
  const { audit, other } = testAudit(t, 5)
  const count = other.prepare('SELECT COUNT(*) FROM Audit').pluck()
  await addMany(audit, 1, 5)
  t.equal(count.get(), 5)
  await addMany(audit, 6, 6)
  t.equal(count.get(), 5)
  await addMany(audit, 7, 20)
  t.same(numbersOn(await audit.page(undefined, 10)), [20, 19, 18, 17, 16])
})

t.test('audit: failed logins of an address and minute are one entry, and each a line in the log', async t => {
  const { database } = testDatabase(t)
  const { log, lines } = linesLog()
  let nowMs = Math.ceil(START_MS / 60_000) * 60_000
  const audit = new AuditLog(database, { log, wallNow: () => nowMs })
  const startMs = nowMs
  await audit.addFailedLogin('anna', '192.0.2.7')
  const first = { who: 'anna', action: 'login-failed', address: '192.0.2.7', atMs: startMs }
  t.match((await audit.page(undefined, 9)).entries, [{ ...first, detail: undefined }], 'one is as it was')
  nowMs += 1000
  for (const name of ['anna', 'ben', 'c', 'd', 'e']) await audit.addFailedLogin(name, '192.0.2.7')
  await audit.addFailedLogin('anna', '::1')
  const five = ['anna', 'ben', 'c', 'd', 'e']
  t.strictSame((await audit.page(undefined, 9)).entries, [
    { ...first, address: '::1', atMs: nowMs, target: undefined, detail: undefined },
    { ...first, who: five.join(', '), target: undefined, detail: { attempts: 6, names: five } }
  ])
  await audit.addFailedLogin('f', '192.0.2.7')
  await audit.addFailedLogin('g', '192.0.2.7')
  nowMs = startMs + 59_999
  await audit.addFailedLogin('a', '192.0.2.7')
  t.match((await audit.page(undefined, 9)).entries[1], {
    who: five.join(', '), detail: { attempts: 9, names: five, more_names: true }
  })
  nowMs = startMs + 60_000
  await audit.addFailedLogin('anna', '192.0.2.7')
  t.match((await audit.page(undefined, 9)).entries, [{ ...first, atMs: nowMs }, {}, {}])
  t.equal(lines.length, 11)
  t.match(lines.at(-2), { who: 'a', action: 'login-failed', address: '192.0.2.7', msg: 'audit' })
})

t.test('audit: no flood of failed logins removes what was done', async t => {
  const { database, reopen } = testDatabase(t)
  const { log } = linesLog()
  const options = { log, wallNow: () => START_MS, keptMax: 5, failedLoginsMax: 3 }
  const audit = new AuditLog(database, options)
  await addMany(audit, 1, 2)
  for (let host = 1; host <= 50; host++) await audit.addFailedLogin('admin', `192.0.2.${host}`)
  await addMany(audit, 3, 7)
  const { entries } = await new AuditLog(reopen(), options).page(undefined, 99)
  t.strictSame(entries.map(({ action, address }) => action === 'login-failed' ? address : action), [
    'deed 7', 'deed 6', 'deed 5', 'deed 4', 'deed 3', '192.0.2.50', '192.0.2.49', '192.0.2.48'
  ])
})

t.test('audit: while the disk is full, failed logins make room for what was done', async t => {
  const { path } = testAudit(t)
  const { log } = linesLog()
  const disk = onFullDisk(t, path, log)
  const audit = new AuditLog(disk.database, { log, wallNow: () => START_MS })
  const filler = { filler: 'x'.repeat(3900) }
  for (let number = 1; number <= 20; number++) {
    await audit.add({ who: 'anna', action: `deed ${number}`, detail: filler, address: '::1' })
  }
  for (let host = 0; host < UNSAVED_MAX + 50; host++) await audit.addFailedLogin('admin', `::${host.toString(16)}`)
  disk.makeRoom()
  await audit.addFailedLogin('admin', '::1')
  t.equal((await audit.page(undefined, PAGE_LIMIT_MAX, 'anna')).entries.length, 20)
})

t.test('audit: says who logged in lately, whatever failed since', async t => {
  const { audit } = testAudit(t)
  await audit.add({ who: 'anna', action: 'login', address: '::1' })
  await audit.add({ who: 'ben', action: 'login', address: '::2' })
  await audit.add({ who: 'ben', action: 'logout', address: '::2' })
  await audit.addFailedLogin('mallory', '::3')
  t.strictSame(await audit.latestLogins(), [
    { who: 'anna', address: '::1' }, { who: 'ben', address: '::2' }
  ])
})

t.test('audit: whatever a client sends is data, and not too much of it', async t => {
  const { audit, lines } = testAudit(t)
  const hostile = '<img src=x onerror=alert(1)>\u0000\u001b[2J\r\n\u2028\u202e"\'; DROP TABLE Audit --'
  const detail = JSON.parse('{"__proto__":{"isAdmin":true},"reason":"\\u0007<b>"}') as Record<string, unknown>
  await audit.add({ who: hostile, action: 'login-failed', target: hostile, detail, address: hostile })
  const { entries: [entry] } = await audit.page(undefined, 1)
  t.match(entry, { who: hostile, target: hostile, address: hostile })
  t.equal(JSON.stringify(entry?.detail), JSON.stringify(detail))
  t.notOk('isAdmin' in entry!.detail!)
  t.equal(lines.length, 1, 'one line')
  t.match(lines, [{ who: hostile }])
  await audit.add({
    who: 'x'.repeat(1e6), action: 'login-failed', detail: { long: 'x'.repeat(1e5) }, address: '::1'
  })
  const { entries: [long] } = await audit.page(undefined, 1)
  t.match(long, { who: `${'x'.repeat(256)}...`, detail: { tooLong: 100_011 } })
  t.equal(JSON.stringify(lines[1]).length < 1000, true)
})

t.test('audit: what a full disk does not take comes later, in order and once', async t => {
  const { path } = testAudit(t)
  const { log, lines } = linesLog()
  const disk = onFullDisk(t, path, log)
  const audit = new AuditLog(disk.database, { log, wallNow: () => START_MS })
  const detail = { filler: 'x'.repeat(3000) }
  for (let number = 1; number <= 20; number++) {
    await audit.add({ who: 'anna', action: `deed ${number}`, detail, address: '::1' })
  }
  const stored = numbersOn(await audit.page(undefined, 100)).length
  t.ok(stored < 20, `${stored} in the file`)
  t.equal(lines.filter(({ msg }) => msg === 'audit').length, 20, 'each in the log at once')
  t.equal(lines.filter(({ level }) => level === 50).length, 1, 'and the outage once')
  disk.makeRoom()
  await audit.save()
  t.equal(numbersOn(await audit.page(undefined, 100)).length, 20, 'when it is told to, too')
  await Promise.all([
    audit.add({ who: 'anna', action: 'deed 21', address: '::1' }),
    audit.add({ who: 'anna', action: 'deed 22', address: '::1' })
  ])
  const all = Array.from({ length: 22 }, (_, at) => 22 - at)
  t.same(numbersOn(await audit.page(undefined, 100)), all)
})

t.test('audit: waits for a locked database, but fails nobody\'s action', async t => {
  const { audit, other } = testAudit(t)
  other.exec('BEGIN IMMEDIATE')
  await Promise.all([addMany(audit, 1, 1), addMany(audit, 2, 2)])
  other.exec('COMMIT')
  t.same(numbersOn(await audit.page(undefined, 10)), [])
  await addMany(audit, 3, 3)
  t.same(numbersOn(await audit.page(undefined, 10)), [3, 2, 1])
})

t.test('audit: what waits is bounded, and the log has it all', async t => {
  const { path, reopen } = testAudit(t)
  const { log, lines } = linesLog()
  const audit = new AuditLog(readOnly(t, path), { log, wallNow: () => START_MS })
  await addMany(audit, 1, UNSAVED_MAX + 10)
  t.equal(lines.length, UNSAVED_MAX + 10)
  t.same(await new AuditLog(reopen(), { log, wallNow: () => START_MS }).page(undefined, 1), {
    entries: [], nextCursor: undefined
  })
})

t.test('audit: a search goes through all of it, and its cursor goes on behind what was found', async t => {
  const { audit, database } = testAudit(t)
  await database.write(sql => {
    for (let number = 1; number <= 1000; number++) {
      const who = number % 100 === 0 ? 'Grace' : 'anna'
      sql.addAudit({ atMs: 0, who, action: `deed ${number}`, target: null, detail: null, address: '::1' })
    }
  })
  const first = await audit.page(undefined, 3, 'gRACE')
  t.same(numbersOn(first), [1000, 900, 800])
  const second = await audit.page(first.nextCursor, 3, 'grace')
  t.same(numbersOn(second), [700, 600, 500])
  const rest = await audit.page(second.nextCursor, 5, 'grace')
  t.same(numbersOn(rest), [400, 300, 200, 100])
  t.equal(rest.nextCursor, undefined)
  t.equal((await audit.page(undefined, 10, 'grace')).nextCursor, undefined, 'exactly one page')
  t.same(await audit.page(undefined, 3, 'nobody'), { entries: [], nextCursor: undefined })
  await t.rejects(audit.page('x', 3, 'grace'), { code: 'USHER_AUDIT_CURSOR_INVALID' })
})

t.test('audit: others have the loop while it is searched', async t => {
  const { audit, database } = testAudit(t)
  const row = { atMs: 0, who: 'anna', action: 'x', target: null, detail: null, address: '::1' }
  await database.write(sql => { for (let count = 0; count < 10_000; count++) sql.addAudit(row) })
  stepClock(t, 0.5)
  const turns = await turnsDuring(() => audit.page(undefined, 10, 'nobody'))
  t.ok(turns >= 150, `${turns} turns for 10,000 entries`)
})

t.test('audit: says how far it goes back', async t => {
  const { audit } = testAudit(t, 5)
  t.same(await audit.kept(), { entriesMax: 5, oldestMs: undefined })
  await addMany(audit, 1, 7)
  t.same(await audit.kept(), { entriesMax: 5, oldestMs: START_MS + 2 })
})
