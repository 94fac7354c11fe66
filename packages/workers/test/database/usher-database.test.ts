import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { UsherDatabase } from '../../src/database/usher-database.ts'
import { linesLog } from '../fixtures/lines-log.ts'
import { onFullDisk, readOnly, testDatabase } from '../fixtures/test-database.ts'

/** No thread may stand still for longer. */
const STALL_MAX_MS = 20

/** Locks the file until a line comes in. */
const LOCKING_PROCESS = `
  const db = new (require('better-sqlite3'))(process.argv[1])
  db.exec('BEGIN EXCLUSIVE; UPDATE SessionClock SET Reached = Reached')
  console.log('locked')
  process.stdin.once('data', () => { db.exec('ROLLBACK'); db.close(); process.exit() })`

/** Another process that holds the database; returns what makes it let go. */
async function lockedByAnother (t: Test, path: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, ['-e', LOCKING_PROCESS, path], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill())
  await once(child.stdout, 'data')
  return async () => {
    child.stdin.write('let go\n')
    await once(child, 'exit')
  }
}

function mark (database: UsherDatabase, ms: number): Promise<void> {
  return database.write(sql => { sql.setSessionClock(ms) })
}

t.test('usher database: a write is all or nothing, and its error the work\'s own', async t => {
  const { database, other } = testDatabase(t)
  let commits = 0
  await t.rejects(database.write(sql => {
    sql.setSessionClock(5)
    throw new RangeError('half-way')
  }, () => { commits++ }), { name: 'RangeError', message: 'half-way' })
  t.equal(other.prepare('SELECT Reached FROM SessionClock').pluck().get(), 0)
  t.equal(commits, 0)
  t.equal(await database.write(sql => {
    sql.setSessionClock(5)
    return 'result'
  }, result => { commits += result.length }), 'result')
  t.equal(other.prepare('SELECT Reached FROM SessionClock').pluck().get(), 5)
  t.equal(commits, 'result'.length)
})

t.test('usher database: what a write has read is still so when it writes', async t => {
  const { database, other } = testDatabase(t)
  other.pragma('busy_timeout = 0')
  const change = (): unknown => other.exec('UPDATE SessionClock SET Reached = 9')
  await database.write(sql => {
    t.same(sql.accounts(), [])
    t.throws(change, { code: 'SQLITE_BUSY' })
  })
  t.doesNotThrow(change)
})

t.test('usher database: another process\'s lock: bounded waits, 503, and it works again', async t => {
  const { path, database } = testDatabase(t)
  const release = await lockedByAnother(t, path)
  const calls: Array<Promise<void>> = []
  for (let call = 0; call < 10; call++) {
    calls.push(mark(database, call))
    await setImmediate()
  }
  t.equal(await database.read(sql => sql.sessionClockMs()), 0, 'who reads is not locked out')
  for (const outcome of await Promise.allSettled(calls)) {
    t.match(outcome, { status: 'rejected', reason: { code: 'USHER_DATABASE_BUSY', statusCode: 503 } })
  }
  const waiting = mark(database, 41)
  await release()
  await waiting
  await mark(database, 42)
})

t.test('usher database: SQLite itself waits for no lock, so that no thread stands still', async t => {
  const { database, other } = testDatabase(t)
  other.exec('BEGIN EXCLUSIVE')
  const stallsMs: number[] = []
  for (let attempt = 0; attempt < 5; attempt++) {
    const beforeMs = performance.now()
    const call = mark(database, attempt)
    stallsMs.push(performance.now() - beforeMs)
    other.exec('COMMIT')
    await call
    other.exec('BEGIN EXCLUSIVE')
  }
  other.exec('COMMIT')
  // A busy machine stalls a thread too, but not five times; what SQLite waits is in all of them.
  t.ok(Math.min(...stallsMs) < STALL_MAX_MS, String(stallsMs))
})

t.test('usher database: waits can be cut short, for a stop', async t => {
  const { database, other } = testDatabase(t)
  other.exec('BEGIN EXCLUSIVE')
  const waiting = mark(database, 1)
  database.limitWaits(0)
  await t.rejects(Promise.all([waiting, mark(database, 2)]), { code: 'USHER_DATABASE_BUSY' })
  other.exec('COMMIT')
  await mark(database, 3)
})

t.test('usher database: who cannot wait is told at once', async t => {
  const { database } = testDatabase(t)
  t.same(database.readNow(sql => sql.accounts()), [])
  for (const [code, expected] of [
    ['SQLITE_BUSY', 'USHER_DATABASE_BUSY'], ['SQLITE_CORRUPT', 'USHER_DATABASE_FAILED'], ['EIO', 'EIO']
  ] as const) {
    const work = (): never => { throw Object.assign(new Error('no'), { code }) }
    t.throws(() => database.readNow(work), { code: expected })
  }
})

t.test('usher database: a full disk and a file that may only be read are 503, said once', async t => {
  const { path } = testDatabase(t)
  const full = linesLog()
  const disk = onFullDisk(t, path, full.log)
  const fill = (database: UsherDatabase): Promise<void> => database.write(sql => {
    for (let at = 0; at < 1000; at++) sql.addSample({ atMs: at, loads: JSON.stringify('x'.repeat(200)) })
  })
  const readonly = linesLog()
  const cases = [
    { database: disk.database, lines: full.lines, reason: /database or disk is full/ },
    { database: readOnly(t, path, readonly.log), lines: readonly.lines, reason: /readonly database/ }
  ]
  for (const { database, lines, reason } of cases) {
    for (let attempt = 0; attempt < 3; attempt++) {
      await t.rejects(fill(database), { code: 'USHER_DATABASE_FAILED', statusCode: 503, message: reason })
    }
    t.match(lines, [{ level: 50, msg: /cannot be written: sessions are kept in memory/, reason }])
    t.same(await database.read(sql => sql.samplesFrom(0, 10)), [], 'and reading goes on')
  }
  disk.makeRoom()
  await fill(disk.database)
  t.equal((await disk.database.read(sql => sql.samplesFrom(0, 2000))).length, 1000)
})
