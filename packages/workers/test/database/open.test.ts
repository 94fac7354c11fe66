import {
  chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync,
  writeFileSync
} from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import Database from 'better-sqlite3'
import { openDatabase } from '../../src/database/open.ts'
import type { SavedUser } from '../../src/database/rows.ts'
import type { UsherDatabase } from '../../src/database/usher-database.ts'
import { ANNA, MIGRATIONS, testDatabase } from '../fixtures/test-database.ts'

const APPLICATION_ID = 0x55534852
const PAGE_BYTES = 4096
const WAL_HEADER_BYTES = 32
const WAL_FRAME_BYTES = 24 + PAGE_BYTES

/** A file as a clean stop leaves it, of many pages. */
async function filledFile (t: Test): Promise<string> {
  const path = `${t.testdir()}/usher.db`
  const database = openDatabase(path, MIGRATIONS)
  await save(database, manyUsers())
  database.close()
  return path
}

/** A file as a crash leaves it: 2000 users in it, 1500 written ahead. */
async function crashedFile (t: Test): Promise<string> {
  const { path, database } = testDatabase(t)
  await save(database, manyUsers())
  ask(path, 'wal_checkpoint(TRUNCATE)')
  await save(database, [...manyUsers()].slice(0, 1500))
  const copy = `${path}.copy`
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, copy + suffix)
  return copy
}

function * manyUsers (): Generator<SavedUser> {
  for (let number = 0; number < 2000; number++) {
    const client = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
    yield { ...ANNA, client }
  }
}

/** What SQLite itself says to the file of an open or closed database. */
function ask (path: string, pragma: string): unknown {
  const db = new Database(path)
  const answer: unknown = db.pragma(pragma, { simple: true })
  db.close()
  return answer
}

async function save (database: UsherDatabase, users: Iterable<SavedUser>): Promise<void> {
  await database.write(sql => sql.saveUsers(users))
}

async function savedIn (database: UsherDatabase): Promise<SavedUser[]> {
  return await database.read(sql => [...sql.savedUsers()])
}

/** Refused with the code and the path, and each file beside it byte for byte as it was. */
function checkRefused (
  t: Test, path: string, code: string, message: RegExp, label: string
): void {
  const before = bytesOf(path)
  for (let attempt = 0; attempt < 2; attempt++) {
    t.throws(() => openDatabase(path, MIGRATIONS), { code, message }, label)
    t.throws(() => openDatabase(path, MIGRATIONS), { message: path }, `${label}: names the path`)
    t.strictSame(bytesOf(path), before, `${label}: unchanged`)
  }
}

/** The database and what was written but not yet moved into it; -shm is an index of the latter. */
function bytesOf (path: string): ReadonlyArray<Buffer | undefined> {
  return [path, `${path}-wal`].map(file => {
    const bytes = existsSync(file) && statSync(file).isFile() ? readFileSync(file) : undefined
    return bytes?.length === 0 ? undefined : bytes
  })
}

t.test('database: a new file is made with its folder, for its owner only', async t => {
  const path = `${t.testdir()}/deep/db/usher.db`
  const database = openDatabase(path, MIGRATIONS)
  await save(database, [ANNA])
  const files = readdirSync(dirname(path)).sort()
  t.same(files, ['usher.db', 'usher.db-shm', 'usher.db-wal'])
  for (const file of files) t.equal(statSync(`${dirname(path)}/${file}`).mode & 0o777, 0o600, file)
  database.close()
  t.same(readdirSync(dirname(path)), ['usher.db'], 'a clean stop leaves one file')
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('database: the file says whose it is, its schema, and that it is written ahead', async t => {
  const { path } = testDatabase(t)
  const migrations = readdirSync(MIGRATIONS).filter(file => file.endsWith('.sql'))
  t.equal(ask(path, 'application_id'), APPLICATION_ID)
  t.equal(ask(path, 'user_version'), migrations.length)
  t.equal(ask(path, 'journal_mode'), 'wal')
  t.equal(readFileSync(path).readUInt32BE(68), APPLICATION_ID)
})

t.test('database: an empty file is as good as none', async t => {
  const path = `${t.testdir({ 'usher.db': '' })}/usher.db`
  const database = openDatabase(path, MIGRATIONS)
  t.same(await savedIn(database), [])
  database.close()
  t.equal(ask(path, 'application_id'), APPLICATION_ID)
})

t.test('database: a newer schema is brought in once, and keeps what is there', async t => {
  const dir = t.testdir({ migrations: {} })
  const path = `${dir}/usher.db`
  for (const file of readdirSync(MIGRATIONS)) copyFileSync(`${MIGRATIONS}/${file}`, `${dir}/migrations/${file}`)
  const count = readdirSync(MIGRATIONS).length
  const first = openDatabase(path, MIGRATIONS)
  await save(first, [ANNA])
  first.close()
  writeFileSync(`${dir}/migrations/${String(count + 1).padStart(3, '0')}-more.sql`, 'CREATE TABLE More (X);')
  writeFileSync(`${dir}/migrations/notes.txt`, 'not SQL')
  for (let start = 0; start < 2; start++) {
    const database = openDatabase(path, `${dir}/migrations`)
    t.same(await savedIn(database), [ANNA])
    database.close()
    t.equal(ask(path, 'user_version'), count + 1)
  }
  writeFileSync(`${dir}/migrations/${String(count + 2).padStart(3, '0')}-good.sql`, 'CREATE TABLE Good (X);')
  writeFileSync(`${dir}/migrations/${String(count + 3).padStart(3, '0')}-bad.sql`, 'CREATE TABLE More (X);')
  t.throws(() => openDatabase(path, `${dir}/migrations`), { message: /More already exists/ })
  t.equal(ask(path, 'user_version'), count + 1, 'all of them or none')
})

t.test('database: a damaged file is refused and left as it is', async t => {
  const random = Buffer.alloc(3 * PAGE_BYTES)
  for (let at = 0; at < random.length; at++) random[at] = (at * 2654435761) >>> 11
  const size = statSync(await filledFile(t)).size
  t.ok(size > 20 * PAGE_BYTES)
  const overwrite = (path: string, from: number, to: number): void => {
    const bytes = readFileSync(path)
    for (let at = from; at < to; at++) bytes[at] = random[at % random.length]!
    writeFileSync(path, bytes)
  }
  const cases: ReadonlyArray<[label: string, damage: (path: string) => void]> = [
    ['random bytes', path => writeFileSync(path, random)],
    ['one byte', path => writeFileSync(path, 'S')],
    ['text', path => writeFileSync(path, 'SQLite format 4, or so it says\n'.repeat(10))],
    ['the header alone', path => truncateSync(path, 100)],
    ['a header without its last byte', path => truncateSync(path, 99)],
    ['cut in the middle, between pages', path => truncateSync(path, PAGE_BYTES * 10)],
    ['cut in the middle of a page', path => truncateSync(path, PAGE_BYTES * 10 + 1000)],
    ['cut by one page', path => truncateSync(path, size - PAGE_BYTES)],
    ['first page overwritten after the header', path => overwrite(path, 100, PAGE_BYTES)],
    ['pages overwritten', path => overwrite(path, PAGE_BYTES, size)],
    ['one page overwritten', path => overwrite(path, PAGE_BYTES * 9, PAGE_BYTES * 10)],
    ['header overwritten', path => overwrite(path, 0, 100)]
  ]
  for (const [label, damage] of cases) {
    const path = await filledFile(t)
    damage(path)
    checkRefused(t, path, 'USHER_DATABASE_DAMAGED', /damaged.*Nothing was changed/, label)
  }
})

t.test('database: what a crash leaves is no damage', async t => {
  const path = await crashedFile(t)
  const database = openDatabase(path, MIGRATIONS)
  t.equal((await savedIn(database)).length, 1500)
  database.close()
})

t.test('database: a damaged file that a crash left is refused and left as it is', async t => {
  const path = await crashedFile(t)
  const bytes = readFileSync(path)
  bytes.fill(0xa5, bytes.length - PAGE_BYTES * 8)
  writeFileSync(path, bytes)
  const wal = `${path}-wal`
  t.ok(statSync(wal).size > WAL_HEADER_BYTES + 10 * WAL_FRAME_BYTES)
  // Without the later pages, which would hide that those in the file are damaged.
  truncateSync(wal, WAL_HEADER_BYTES + WAL_FRAME_BYTES)
  checkRefused(t, path, 'USHER_DATABASE_DAMAGED', /damaged.*Nothing was changed/, 'crashed')
})

t.test('database: another program\'s is refused and left as it is', async t => {
  const cases: ReadonlyArray<[label: string, pragma: string, sql: string]> = [
    ['tables', 'user_version = 0', 'CREATE TABLE Notes (Text)'],
    ['tables, written ahead', 'journal_mode = WAL', 'CREATE TABLE Notes (Text)'],
    ['an application id', 'application_id = 42', ''],
    ['our tables without our id', 'user_version = 1', readFileSync(`${MIGRATIONS}/001-saved-users.sql`, 'utf8')]
  ]
  for (const [label, pragma, sql] of cases) {
    const path = `${t.testdir()}/other.db`
    const other = new Database(path)
    other.pragma(pragma)
    other.exec(sql)
    other.close()
    checkRefused(t, path, 'USHER_DATABASE_DAMAGED', /another program's database.*DB_PATH/, label)
    t.same(readdirSync(dirname(path)), ['other.db'], `${label}: nothing beside it`)
  }
})

t.test('database: another program\'s running one is left alone', async t => {
  const path = `${t.testdir()}/other.db`
  const other = new Database(path)
  other.pragma('journal_mode = WAL')
  other.exec('CREATE TABLE Notes (Text)')
  checkRefused(t, path, 'USHER_DATABASE_DAMAGED', /another program's database/, 'running')
  other.close()
})

t.test('database: a newer Usher\'s is refused and left as it is', async t => {
  const known = readdirSync(MIGRATIONS).length
  for (const mode of ['wal', 'delete']) {
    const path = await filledFile(t)
    ask(path, `user_version = ${known + 1}`)
    ask(path, `journal_mode = ${mode}`)
    checkRefused(
      t, path, 'USHER_DATABASE_DAMAGED', new RegExp(`newer Usher \\(schema ${known + 1}, this one knows ${known}\\)`),
      mode
    )
  }
})

t.test('database: a path that cannot be used is named with the reason', async t => {
  const dir = t.testdir({ file: 'text', folder: {}, readonly: {} })
  const cases: Array<[path: string, reason: RegExp]> = [
    [`${dir}/file/usher.db`, /cannot be used: (EEXIST|ENOTDIR)/],
    [`${dir}/file/deeper/usher.db`, /cannot be used: ENOTDIR/],
    [`${dir}/folder`, /cannot be used: EISDIR/]
  ]
  if (process.getuid?.() !== 0) { // Nothing is forbidden to root.
    chmodSync(`${dir}/readonly`, 0o500)
    t.teardown(() => chmodSync(`${dir}/readonly`, 0o700))
    cases.push([`${dir}/readonly/usher.db`, /cannot be used: EACCES/])
    cases.push([`${dir}/readonly/deeper/usher.db`, /cannot be used: EACCES/])
  }
  for (const [path, reason] of cases) {
    checkRefused(t, path, 'USHER_DATABASE_UNAVAILABLE', reason, path)
  }
  t.equal(readFileSync(`${dir}/file`, 'utf8'), 'text')
})

t.test('database: says how to compile SQLite where that was not done for this Node', async t => {
  const cases: ReadonlyArray<[thrown: object, reason: RegExp]> = [
    [{ message: 'Could not locate the bindings file. Tried: ...' }, /--allow-scripts=better-sqlite3/],
    [{ message: 'compiled against a different version', code: 'ERR_DLOPEN_FAILED' },
      /npm rebuild better-sqlite3/],
    [{ message: 'something else' }, /cannot be used: something else$/]
  ]
  for (const [thrown, message] of cases) {
    class Broken {
      static SqliteError = class extends Error {}

      constructor () {
        throw Object.assign(new Error(), thrown)
      }
    }
    const mocked = await t.mockImport<{ openDatabase: typeof openDatabase }>(
      '../../src/database/open.ts', { 'better-sqlite3': { default: Broken } })
    t.throws(() => mocked.openDatabase(`${t.testdir()}/usher.db`, MIGRATIONS),
      { code: 'USHER_DATABASE_UNAVAILABLE', message })
  }
})

t.test('database: a locked one is named, after a short wait', async t => {
  const path = await filledFile(t)
  const other = new Database(path)
  other.pragma('locking_mode = EXCLUSIVE')
  other.exec('BEGIN IMMEDIATE; DELETE FROM SavedUsers')
  checkRefused(t, path, 'USHER_DATABASE_UNAVAILABLE', /cannot be used: database is locked/, 'locked')
  other.close()
})

t.test('database: one that was killed while it was made is made anew', async t => {
  const dir = t.testdir()
  const path = `${dir}/usher.db`
  const first = new Database(path)
  first.pragma('journal_mode = PERSIST')
  first.pragma(`application_id = ${APPLICATION_ID}`)
  first.pragma('cache_size = 1')
  first.exec('CREATE TABLE Filler (X); BEGIN; INSERT INTO Filler VALUES (zeroblob(100000))')
  mkdirSync(`${dir}/killed`)
  for (const suffix of ['', '-journal']) copyFileSync(path + suffix, `${dir}/killed/usher.db${suffix}`)
  first.exec('ROLLBACK')
  first.close()
  const database = openDatabase(`${dir}/killed/usher.db`, MIGRATIONS)
  await save(database, [ANNA])
  t.same(await savedIn(database), [ANNA])
  database.close()
})

t.test('database: may be closed twice', async t => {
  const { database } = testDatabase(t)
  database.close()
  t.doesNotThrow(() => database.close())
})

t.test('open: servers that were written down by port are named by it from then on', async t => {
  const path = `${t.testdir()}/usher.db`
  const db = new Database(path)
  const before = readdirSync(MIGRATIONS).sort().slice(0, 4)
  for (const file of before) db.exec(readFileSync(`${MIGRATIONS}/${file}`, 'utf8'))
  db.pragma(`application_id = ${APPLICATION_ID}`)
  db.pragma(`user_version = ${before.length}`)
  db.exec(`INSERT INTO SavedUsers VALUES ('id', '${ANNA.client}', '192.0.2.7', 8001, 5, 6);
    INSERT INTO HistoryEvents (At, Type, Port) VALUES (1, 'start', NULL), (2, 'drain', 8001)`)
  db.close()
  const database = openDatabase(path, MIGRATIONS)
  t.teardown(() => { database.close() })
  const { users, events } = database.readNow(sql => ({
    users: [...sql.savedUsers()], events: sql.eventsFrom(0, 10)
  }))
  t.match(users, [{ ...ANNA, server: '8001', firstSeenMs: 5, lastSeenMs: 6 }])
  t.match(events, [{ type: 'drain', server: '8001' }, { type: 'start', server: null }])
})
