/**
 * The one SQLite file: opening, migrating, refusing what is damaged or not ours. The only file that
 * loads better-sqlite3; what is asked of an opened one is in statements.ts. Runs in the monitor's
 * thread and in the account command.
 */
import {
  closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, statSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { DatabaseDamaged, DatabaseMissing, DatabaseUnavailable } from '@usher/shared/errors.ts'
import { UsherDatabase, type DatabaseLog } from './usher-database.ts'

/** "USHR": tells our files from other programs' (PRAGMA application_id). */
const APPLICATION_ID = 0x55534852
/** While it is opened; a locked database stalls the whole thread, so not for long. */
const OPENING_TIMEOUT_MS = 100
/** The database's own; -wal and -shm take the mode of the file. */
const PRIVATE_FILE_MODE = 0o600

/** The head of an SQLite file, in bytes; numbers are big-endian. sqlite.org/fileformat2.html */
const HEADER_BYTES = 100
const MAGIC = 'SQLite format 3\0'
const APPLICATION_ID_AT = 68

/**
 * Opens the file, makes it at first start, brings its schema up to date. A file that is damaged,
 * another program's or a newer Usher's is left as it is: DatabaseDamaged, with the reason and what
 * to do. DatabaseUnavailable for one that cannot be made, opened, written or locked.
 */
export function openDatabase (
  path: string, migrationsDir: string, log: DatabaseLog = SILENT
): UsherDatabase {
  return open(path, migrationsDir, log, makeFile)
}

/** As `openDatabase`, but makes none: DatabaseMissing where there is no file, or an empty one. */
export function openExistingDatabase (path: string, migrationsDir: string): UsherDatabase {
  return open(path, migrationsDir, SILENT, checkPresence)
}

function open (
  path: string, migrationsDir: string, log: DatabaseLog, makeReady: (path: string) => void
): UsherDatabase {
  const migrations = readMigrations(migrationsDir)
  let db: Database.Database | undefined
  try {
    makeReady(path)
    if (statSync(path).size > 0) {
      checkOwner(path)
      checkContent(path, migrations.length)
    }
    db = new Database(path, { timeout: OPENING_TIMEOUT_MS, fileMustExist: true })
    prepare(db, migrations)
    return new UsherDatabase(db, log)
  } catch (error) {
    db?.close()
    if (error instanceof DatabaseDamaged || error instanceof DatabaseMissing) throw error
    if (isDamage(error)) throw new DatabaseDamaged(`${path} is damaged: ${error.message}. ${ADVICE}`)
    throw new DatabaseUnavailable(path, reasonOf(error))
  }
}

/** For the account command, whose user is told of every failure anyway. */
const SILENT: DatabaseLog = { error () {}, info () {} }

const ADVICE = 'Nothing was changed. Restore it from a copy, or move it away, its -wal and -shm ' +
  'with it, to start with a new one'

function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return isNotCompiled(error)
    ? `better-sqlite3 is not compiled for Node ${process.version}. Install again with npm's ` +
      '--allow-scripts=better-sqlite3, or run: npm rebuild better-sqlite3'
    : error.message
}

/** Its native part is missing, because npm ran no install script, or was made for another Node. */
function isNotCompiled ({ message, code }: NodeJS.ErrnoException): boolean {
  return code === 'ERR_DLOPEN_FAILED' || message.startsWith('Could not locate the bindings file')
}

/** `001-*.sql`, `002-*.sql`, ...: the version of a schema is the number of those applied. */
function readMigrations (dir: string): readonly string[] {
  const files = readdirSync(dir).filter(file => /^\d{3}-.*\.sql$/.test(file)).sort()
  return files.map(file => readFileSync(join(dir, file), 'utf8'))
}

/** An empty file, private from its first moment; SQLite takes it for a new database. */
function makeFile (path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  closeSync(openSync(path, 'a', PRIVATE_FILE_MODE))
}

/** An empty file would become a new database. */
function checkPresence (path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) throw new DatabaseMissing(path)
}

/** Whose file it is, read without SQLite, which would create files beside another program's. */
function checkOwner (path: string): void {
  const header = readHeader(path)
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw new DatabaseDamaged(`${path} is damaged, or no SQLite database. ${ADVICE}`)
  }
  if (header.readUInt32BE(APPLICATION_ID_AT) !== APPLICATION_ID) {
    throw new DatabaseDamaged(`${path} is another program's database. Nothing was changed. ` +
      'Choose another DB_PATH')
  }
}

/** All zero where the file is shorter. */
function readHeader (path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  const fd = openSync(path, 'r')
  try {
    readSync(fd, header, 0, HEADER_BYTES, 0)
  } finally {
    closeSync(fd)
  }
  return header
}

/** Read-only, because a connection that may write tidies up when it closes, damaged file or not. */
function checkContent (path: string, knownVersion: number): void {
  const db = new Database(path, { readonly: true, timeout: OPENING_TIMEOUT_MS })
  try {
    const version = versionOf(db)
    if (version > knownVersion) {
      throw new DatabaseDamaged(`${path} was made by a newer Usher (schema ${version}, this one ` +
        `knows ${knownVersion}). Nothing was changed. Run the newer one, or choose another DB_PATH`)
    }
    const [problem] = String(db.pragma('quick_check(1)', { simple: true })).split('\n').slice(-1)
    if (problem !== 'ok') throw new DatabaseDamaged(`${path} is damaged: ${problem}. ${ADVICE}`)
  } catch (error) {
    // The program was killed during its first write: a connection that may write rolls that back
    // and goes on.
    if (!hasCode(error, 'SQLITE_READONLY_ROLLBACK')) throw error
  } finally {
    db.close()
  }
}

function prepare (db: Database.Database, migrations: readonly string[]): void {
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    db.pragma(`application_id = ${APPLICATION_ID}`) // Before WAL, so that it is in the file's header.
  }
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  if (versionOf(db) < migrations.length) migrate(db, migrations)
}

/**
 * All that are missing, or none. Asks for the version again: another process may have migrated
 * meanwhile.
 */
function migrate (db: Database.Database, migrations: readonly string[]): void {
  db.transaction(() => {
    for (const [index, sql] of migrations.entries()) {
      if (index < versionOf(db)) continue
      db.exec(sql)
      db.pragma(`user_version = ${index + 1}`)
    }
  }).immediate()
}

function versionOf (db: Database.Database): number {
  return db.pragma('user_version', { simple: true }) as number
}

function isDamage (error: unknown): error is Error {
  return hasCode(error, 'SQLITE_CORRUPT') || hasCode(error, 'SQLITE_NOTADB')
}

/** A code stands for its extensions too: SQLITE_CORRUPT for SQLITE_CORRUPT_INDEX. */
function hasCode (error: unknown, code: string): error is Error {
  return error instanceof Database.SqliteError && error.code.startsWith(code)
}
