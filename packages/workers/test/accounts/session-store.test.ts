import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { steadyWallClock } from '@usher/shared/clock.ts'
import { Accounts, type Account } from '../../src/accounts/accounts.ts'
import { hashToken, makeToken, sessionHandle } from '../../src/accounts/session-token.ts'
import { SESSIONS_PER_ACCOUNT_MAX, SessionStore } from '../../src/accounts/session-store.ts'
import type { UsherDatabase } from '../../src/database/usher-database.ts'
import { linesLog } from '../fixtures/lines-log.ts'
import {
  bytesOf, onFullDisk, readOnly, testDatabase, type TestDatabase
} from '../fixtures/test-database.ts'

const START_MS = 1_790_000_000_000
const IDLE_MS = 1_800_000
const LIFETIME_MS = 43_200_000
const HASH = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA'
/** Whoever else is left. */
const FORCED = { isForced: true }
const ORIGIN = { address: '192.0.2.7', userAgent: 'Browser/1.0' }

interface TestSessions extends TestDatabase {
  readonly clock: { nowMs: number }
  readonly sessions: SessionStore
  readonly accounts: Accounts
  readonly anna: Account
}

async function testSessions (t: Test): Promise<TestSessions> {
  const opened = testDatabase(t)
  const clock = { nowMs: START_MS }
  const accounts = new Accounts(opened.database)
  const anna = await accounts.add('Anna', HASH, 1, false)
  return { ...opened, clock, accounts, anna, sessions: sessionsOn(opened.database, clock) }
}

function sessionsOn (database: UsherDatabase, clock: { nowMs: number }): SessionStore {
  return new SessionStore(database, {
    idleTimeoutMs: IDLE_MS, lifetimeMs: LIFETIME_MS, now: () => clock.nowMs
  })
}

function rowsIn ({ other }: TestDatabase): Array<Record<string, unknown>> {
  return other.prepare('SELECT * FROM Sessions ORDER BY LastUsed').all() as Array<Record<string, unknown>>
}

/** Sessions until the disk is full; some are in the file then, the last in memory alone. */
async function openMany (sessions: SessionStore, account: Account): Promise<string[]> {
  const tokens: string[] = []
  const origin = { address: '192.0.2.7', userAgent: 'x'.repeat(256) }
  for (let count = 0; count < 60; count++) tokens.push(await sessions.open(account, origin))
  return tokens
}

t.test('sessions: a token stands for account and permission, other texts for nobody', async t => {
  const { sessions, anna } = await testSessions(t)
  const token = await sessions.open(anna, ORIGIN)
  t.strictSame(await sessions.current(token), {
    sessionHash: hashToken(token),
    accountId: anna.id,
    username: 'Anna',
    permission: 1,
    canView: true,
    canDisconnect: true,
    mustChange: false,
    address: ORIGIN.address,
    createdMs: START_MS,
    lastUsedMs: START_MS
  })
  for (const text of ['', 'x', makeToken(), hashToken(token), token.slice(1), `${token} `]) {
    t.equal(await sessions.current(text), undefined, text)
  }
})

t.test('sessions: the token is nowhere in the files, its hash is', async t => {
  const { sessions, anna, path } = await testSessions(t)
  const token = await sessions.open(anna, ORIGIN)
  await sessions.current(token)
  await sessions.sweep()
  const written = bytesOf(path)
  t.ok(written.includes(hashToken(token)), 'what is looked for can be found')
  t.notOk(written.includes(token))
  t.notOk(written.includes(Buffer.from(token, 'base64url').toString('latin1')))
})

t.test('sessions: end when idle for so long, and not a millisecond before', async t => {
  const { sessions, anna, clock } = await testSessions(t)
  const token = await sessions.open(anna, ORIGIN)
  for (let use = 0; use < 3; use++) {
    clock.nowMs += IDLE_MS - 1
    t.ok(await sessions.current(token), 'one millisecond before')
    t.ok(await sessions.current(token))
  }
  clock.nowMs += IDLE_MS
  t.equal(await sessions.current(token), undefined, 'at the deadline')
})

t.test('sessions: end after their lifetime, used or not, and not a millisecond before', async t => {
  const { sessions, anna, clock } = await testSessions(t)
  const token = await sessions.open(anna, ORIGIN)
  while (clock.nowMs + IDLE_MS / 2 < START_MS + LIFETIME_MS - 1) {
    clock.nowMs += IDLE_MS / 2
    t.ok(await sessions.current(token))
  }
  clock.nowMs = START_MS + LIFETIME_MS - 1
  t.ok(await sessions.current(token))
  clock.nowMs += 1
  t.equal(await sessions.current(token), undefined)
})

t.test('sessions: deadlines go on over a restart, from the last use that was written', async t => {
  const { sessions, anna, clock, reopen } = await testSessions(t)
  const token = await sessions.open(anna, ORIGIN)
  clock.nowMs += 10_000
  await sessions.current(token)
  clock.nowMs += IDLE_MS - 1
  t.match(await sessionsOn(reopen(), clock).current(token), { lastUsedMs: START_MS + 10_000 })
  const later = sessionsOn(reopen(), clock)
  clock.nowMs += IDLE_MS - 1
  t.ok(await sessions.current(token))
  clock.nowMs = START_MS + LIFETIME_MS
  t.equal(await later.current(token), undefined)
})

t.test('sessions: a use is written at most every ten seconds, and known all the same', async t => {
  const opened = await testSessions(t)
  const { sessions, anna, clock } = opened
  const token = await sessions.open(anna, ORIGIN)
  const cases: ReadonlyArray<[afterMs: number, writtenMs: number]> = [
    [9999, 0], [10_000, 10_000], [19_999, 10_000], [20_001, 20_001], [30_000, 20_001]
  ]
  for (const [afterMs, writtenMs] of cases) {
    clock.nowMs = START_MS + afterMs
    await sessions.current(token)
    t.match(rowsIn(opened), [{ LastUsed: START_MS + writtenMs }], `after ${afterMs} ms`)
    t.match(await sessions.list(anna.id), [{ lastUsedAgoMs: clock.nowMs - START_MS - afterMs }])
  }
  await sessions.sweep()
  t.match(rowsIn(opened), [{ LastUsed: START_MS + 30_000 }], 'a sweep writes the rest')
})

t.test('sessions: a short idle time-out is written ten times as it passes', async t => {
  const opened = await testSessions(t)
  const { database, anna, clock } = opened
  const options = { idleTimeoutMs: 1000, lifetimeMs: 60_000, now: () => clock.nowMs }
  const sessions = new SessionStore(database, options)
  const token = await sessions.open(anna, ORIGIN)
  clock.nowMs += 99
  await sessions.current(token)
  t.match(rowsIn(opened), [{ LastUsed: START_MS }])
  clock.nowMs += 1
  await sessions.current(token)
  t.match(rowsIn(opened), [{ LastUsed: START_MS + 100 }])
})

t.test('sessions: a logout ends that one alone', async t => {
  const { sessions, anna, accounts } = await testSessions(t)
  const bert = await accounts.add('Bert', HASH, 0, false)
  const tokens = [await sessions.open(anna, ORIGIN), await sessions.open(anna, ORIGIN),
    await sessions.open(anna, ORIGIN), await sessions.open(bert, ORIGIN)] as const
  await sessions.close(tokens[0])
  await sessions.close(tokens[0])
  await sessions.close('no token')
  t.equal(await sessions.current(tokens[0]), undefined)
  t.ok(await sessions.current(tokens[1]))
  t.match(await sessions.current(tokens[2]), { username: 'Anna' })
  t.match(await sessions.current(tokens[3]), { username: 'Bert' })
})

t.test('sessions: another process ends one at once, whatever memory knows of it', async t => {
  const opened = await testSessions(t)
  const { sessions, anna, clock, other } = opened
  const token = await sessions.open(anna, ORIGIN)
  clock.nowMs += 5000
  t.ok(await sessions.current(token))
  other.exec('DELETE FROM Sessions')
  t.equal(await sessions.current(token), undefined)
  await sessions.sweep()
  t.same(rowsIn(opened), [])
})

t.test('sessions: who changed since the password was verified gets none', async t => {
  const opened = await testSessions(t)
  const { sessions, anna, accounts } = opened
  const refused = { code: 'USHER_ACCOUNT_CHANGED', statusCode: 409 }
  await accounts.setPassword(anna.id, 'another', false)
  await t.rejects(sessions.open(anna, ORIGIN), refused)
  await accounts.remove(anna.id, FORCED)
  await t.rejects(sessions.open({ ...anna, passwordHash: 'another' }, ORIGIN), refused)
  t.same(rowsIn(opened), [])
})

t.test('sessions: another password ends all of the account and opens one in place of the asking', async t => {
  const opened = await testSessions(t)
  const { sessions, anna, accounts, clock } = opened
  const bert = await accounts.add('Bert', HASH, 0, false)
  const [asking, another, berts] = [await sessions.open(anna, ORIGIN),
    await sessions.open(anna, ORIGIN), await sessions.open(bert, ORIGIN)]
  clock.nowMs += 1000
  const session = (await sessions.current(asking))!
  const token = await sessions.changePassword(session, anna, 'another', ORIGIN)
  for (const ended of [asking, another]) t.equal(await sessions.current(ended), undefined)
  t.match(await sessions.current(token), {
    accountId: anna.id, createdMs: clock.nowMs, mustChange: false
  })
  t.ok(await sessions.current(berts), 'of this account alone')
  t.match(await accounts.find('anna'), { passwordHash: 'another' })
  t.equal(rowsIn(opened).length, 2)
})

t.test('sessions: a password is not changed by who no longer is what was checked', async t => {
  const { sessions, anna, accounts } = await testSessions(t)
  const token = await sessions.open(anna, ORIGIN)
  const session = (await sessions.current(token))!
  await t.rejects(sessions.changePassword(session, { ...anna, passwordHash: 'older' }, 'mine', ORIGIN),
    { code: 'USHER_ACCOUNT_CHANGED' })
  t.ok(await sessions.current(token), 'nothing has ended')
  await sessions.close(token)
  await t.rejects(sessions.changePassword(session, anna, 'mine', ORIGIN), { code: 'USHER_SESSION_ENDED' })
  await accounts.remove(anna.id, FORCED)
  await t.rejects(sessions.changePassword(session, anna, 'mine', ORIGIN), { code: 'USHER_ACCOUNT_CHANGED' })
})

t.test('sessions: another of the account is ended by its handle, by a session that stands', async t => {
  const { sessions, anna, accounts } = await testSessions(t)
  const bert = await accounts.add('Bert', HASH, 0, false)
  const [asking, other, berts] = [await sessions.open(anna, ORIGIN),
    await sessions.open(anna, ORIGIN), await sessions.open(bert, ORIGIN)]
  const session = (await sessions.current(asking))!
  const handle = (token: string): string => sessionHandle(hashToken(token))
  t.equal(await sessions.endOther(session, handle(berts)), undefined)
  t.ok(await sessions.current(berts))
  t.match(await sessions.endOther(session, handle(other)), ORIGIN)
  t.equal(await sessions.current(other), undefined)
  t.equal(await sessions.endOther(session, handle(other)), undefined, 'once')
  const third = await sessions.open(anna, ORIGIN)
  await sessions.close(asking)
  await t.rejects(sessions.endOther(session, handle(third)), { code: 'USHER_SESSION_ENDED' })
  t.ok(await sessions.current(third))
})

t.test('sessions: who is refused one costs the account none of those it has', async t => {
  const { sessions, anna, accounts } = await testSessions(t)
  const tokens: string[] = []
  for (let count = 0; count < SESSIONS_PER_ACCOUNT_MAX; count++) {
    tokens.push(await sessions.open(anna, ORIGIN))
  }
  await t.rejects(sessions.open({ ...anna, passwordHash: 'older' }, ORIGIN), { code: 'USHER_ACCOUNT_CHANGED' })
  for (const token of tokens) t.ok(await sessions.current(token))
  t.ok(await accounts.find('anna'))
})

t.test('sessions: an account has so many, then its longest unused ends', async t => {
  const opened = await testSessions(t)
  const { sessions, anna, clock } = opened
  const tokens: string[] = []
  for (let count = 0; count < SESSIONS_PER_ACCOUNT_MAX; count++) {
    clock.nowMs += 1
    tokens.push(await sessions.open(anna, ORIGIN))
  }
  t.ok(await sessions.current(tokens[0]!), 'as many as may be')
  tokens.push(await sessions.open(anna, ORIGIN))
  t.equal(await sessions.current(tokens[0]!), undefined)
  t.ok(await sessions.current(tokens[1]!))
  t.ok(await sessions.current(tokens.at(-1)!))
  t.equal(rowsIn(opened).length, SESSIONS_PER_ACCOUNT_MAX)
})

t.test('sessions: are listed with where they came from, those used last first', async t => {
  const { sessions, anna, clock } = await testSessions(t)
  const first = await sessions.open(anna, { address: '192.0.2.7', userAgent: '<b>\u0007' })
  clock.nowMs += 1000
  const second = await sessions.open(anna, { address: '2001:db8::1', userAgent: 'x'.repeat(5000) })
  clock.nowMs += 1000
  await sessions.current(first)
  t.strictSame(await sessions.list(anna.id), [{
    sessionHash: hashToken(first),
    createdAgoMs: clock.nowMs - START_MS,
    lastUsedAgoMs: clock.nowMs - START_MS - 2000,
    address: '192.0.2.7',
    userAgent: '<b>\u0007'
  }, {
    sessionHash: hashToken(second),
    createdAgoMs: clock.nowMs - START_MS - 1000,
    lastUsedAgoMs: clock.nowMs - START_MS - 1000,
    address: '2001:db8::1',
    userAgent: 'x'.repeat(256)
  }])
  clock.nowMs += IDLE_MS - 1000
  t.match(await sessions.list(anna.id), [{ sessionHash: hashToken(first) }])
  t.same(await sessions.list(anna.id + 1), [])
})

t.test('sessions: a sweep takes those that are over out of the file', async t => {
  const opened = await testSessions(t)
  const { sessions, anna, clock } = opened
  await sessions.open(anna, ORIGIN)
  clock.nowMs += IDLE_MS - 1
  await sessions.open(anna, ORIGIN)
  await sessions.sweep()
  t.equal(rowsIn(opened).length, 2)
  clock.nowMs += 1
  await sessions.sweep()
  t.match(rowsIn(opened), [{ Created: START_MS + IDLE_MS - 1 }])
})

t.test('sessions: a wall clock that jumps during a run or between two extends nothing', async t => {
  const { anna, database, reopen } = await testSessions(t)
  const wall = { nowMs: START_MS }
  const monotonic = { nowMs: 0 }
  /** As a start of the program makes them. */
  const start = async (opened: UsherDatabase): Promise<SessionStore> => {
    const reachedMs = await opened.read(sql => sql.sessionClockMs())
    const now = steadyWallClock(Math.max(wall.nowMs, reachedMs), () => monotonic.nowMs)
    return new SessionStore(opened, { idleTimeoutMs: IDLE_MS, lifetimeMs: LIFETIME_MS, now })
  }
  const first = await start(database)
  const token = await first.open(anna, ORIGIN)
  for (const jumpMs of [-86_400_000, 2 * 86_400_000]) {
    wall.nowMs += jumpMs
    t.ok(await first.current(token), 'neither ends it nor')
  }
  monotonic.nowMs += IDLE_MS - 2
  wall.nowMs = START_MS - 86_400_000
  await first.sweep() // As at a stop.
  const second = await start(reopen())
  monotonic.nowMs += 1
  t.equal((await second.list(anna.id)).length, 1)
  monotonic.nowMs += 1
  t.equal(await second.current(token), undefined, 'gives it another time-out')
  await second.sweep()
  t.equal(await database.read(sql => sql.sessionClockMs()), 0, 'without sessions the wall clock is believed')
})

t.test('sessions: on a full disk they live in memory, with one line in the log', async t => {
  const { path, anna, clock } = await testSessions(t)
  const { log, lines } = linesLog()
  const disk = onFullDisk(t, path, log)
  const sessions = sessionsOn(disk.database, clock)
  const tokens = await openMany(sessions, anna)
  const stored = await disk.database.read(sql => sql.sessionsOf(anna.id).length)
  t.ok(stored < tokens.length, `${stored} of ${tokens.length} in the file`)
  for (const token of tokens) t.match(await sessions.current(token), { username: 'Anna', canDisconnect: true })
  t.match(lines, [{ level: 50, code: 'USHER_DATABASE_FAILED', msg: /sessions are kept in memory/ }])
  t.equal((await sessions.list(anna.id)).length, tokens.length)
  const last = tokens.at(-1)!
  await sessions.close(last)
  t.equal(await sessions.current(last), undefined, 'a logout ends one')
  clock.nowMs += IDLE_MS - 1
  t.ok(await sessions.current(tokens.at(-2)!))
  clock.nowMs += 1
  t.equal(await sessions.current(tokens.at(-3)!), undefined, 'so does the time-out')
  t.equal(lines.length, 1)
})

t.test('sessions: move from memory into the file when there is room', async t => {
  const opened = await testSessions(t)
  const { path, anna, clock } = opened
  const disk = onFullDisk(t, path)
  const sessions = sessionsOn(disk.database, clock)
  const tokens = await openMany(sessions, anna)
  disk.makeRoom()
  const before = rowsIn(opened).length
  clock.nowMs += 10_000
  await sessions.current(tokens.at(-1)!)
  t.equal(rowsIn(opened).length, before + 1, 'one that is used')
  await sessions.sweep()
  t.equal(rowsIn(opened).length, tokens.length, 'all by a sweep')
  const restarted = sessionsOn(opened.reopen(), clock)
  for (const token of tokens) t.ok(await restarted.current(token))
})

t.test('sessions: one in memory ends with its account or its password, and does not come back', async t => {
  const opened = await testSessions(t)
  const { path, anna, clock, accounts } = opened
  const bert = await accounts.add('Bert', HASH, 0, false)
  const disk = onFullDisk(t, path)
  const sessions = sessionsOn(disk.database, clock)
  await openMany(sessions, anna)
  const annas = await sessions.open(anna, ORIGIN)
  const other = await sessions.open(anna, ORIGIN)
  const berts = await sessions.open(bert, ORIGIN)
  await accounts.setPermission(anna.id, -1, true)
  t.match(await sessions.current(annas), { canView: false }, 'and has what its account has')
  await accounts.setPassword(anna.id, 'another', false)
  await accounts.remove(bert.id, FORCED)
  for (const token of [annas, other, berts]) t.equal(await sessions.current(token), undefined)
  t.same(await sessions.list(anna.id), [])
  disk.makeRoom()
  await sessions.sweep()
  t.same(rowsIn(opened), [])
})

t.test('sessions: a logout that cannot be written counts at once, and is written later', async t => {
  const opened = await testSessions(t)
  const { path, anna, clock, sessions, other } = opened
  const token = await sessions.open(anna, ORIGIN)
  const reading = sessionsOn(readOnly(t, path), clock)
  t.ok(await reading.current(token))
  await reading.close(token)
  t.equal(await reading.current(token), undefined)
  t.same(await reading.list(anna.id), [])
  other.exec('BEGIN IMMEDIATE')
  await sessions.close(token)
  t.equal(await sessions.current(token), undefined, 'nor while another program locks the database')
  other.exec('COMMIT')
  t.equal(rowsIn(opened).length, 1)
  await sessions.sweep()
  t.same(rowsIn(opened), [])
})

t.test('sessions: a locked database is 503 for a login, and a request is answered all the same', async t => {
  const { sessions, anna, clock, other } = await testSessions(t)
  const token = await sessions.open(anna, ORIGIN)
  other.exec('BEGIN IMMEDIATE')
  clock.nowMs += 60_000
  t.ok(await sessions.current(token))
  await t.rejects(sessions.open(anna, ORIGIN), { code: 'USHER_DATABASE_BUSY', statusCode: 503 })
  other.exec('COMMIT')
  t.ok(await sessions.current(await sessions.open(anna, ORIGIN)))
})

t.test('sessions: a database that cannot be read is 503, not "nobody"', async t => {
  const { sessions, anna, clock, path, other, reopen, database } = await testSessions(t)
  const token = await sessions.open(anna, ORIGIN)
  other.pragma('wal_checkpoint(TRUNCATE)')
  const root = other.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'Sessions'").pluck().get()
  const again = sessionsOn(reopen(), clock)
  other.close()
  database.close()
  const bytes = readFileSync(path)
  bytes.fill(0xa5, (Number(root) - 1) * 4096, Number(root) * 4096)
  writeFileSync(path, bytes)
  for (let request = 0; request < 3; request++) {
    await t.rejects(again.current(token), { code: 'USHER_DATABASE_FAILED', statusCode: 503 })
  }
})
