/**
 * All the SQL that the monitor and the account command run, as functions over plain rows. Decides
 * nothing: transactions, retries and what rows mean are the callers'. Runs in the thread that
 * opened the database.
 */
import type { Database } from 'better-sqlite3'
import type {
  AccessRow, AccountRow, AuditRow, DeniedSqlRow, EventRow, Flag, ListedAuditRow, NewTokenRow,
  PasswordRow, PermissionRow, SampleRow, SavedUser, SessionRow, TicketKeyRow, TokenRow
} from './rows.ts'
import { newsSql, quietly } from './news-statements.ts'
import { drainSql, serverSql } from './server-statements.ts'

export type Sql = ReturnType<typeof prepareSql>

/** Prepares every statement once, so that a schema that lacks something is found at the start. */
export function prepareSql (db: Database) {
  return {
    ...savedUserSql(db),
    ...accountSql(db),
    ...sessionSql(db),
    ...tokenSql(db),
    ...deniedSql(db),
    ...drainSql(db),
    ...ticketKeySql(db),
    ...serverSql(db),
    ...auditSql(db),
    ...historySql(db),
    ...newsSql(db)
  }
}

function savedUserSql (db: Database) {
  const insert = db.prepare<SavedUser>(`INSERT OR REPLACE INTO SavedUsers
    (Kind, Client, Address, Server, Confirmed, FirstSeen, LastSeen)
    VALUES (@kind, @client, @address, @server, @isConfirmed, @firstSeenMs, @lastSeenMs)`)
  const clear = db.prepare('DELETE FROM SavedUsers')
  const select = db.prepare<[], SavedUser>(`SELECT Kind AS kind, Client AS client,
    Address AS address, Server AS server, Confirmed AS isConfirmed, FirstSeen AS firstSeenMs,
    LastSeen AS lastSeenMs FROM SavedUsers`)
  const running = db.prepare<[], { readonly isRunning: Flag }>(
    'SELECT IsRunning AS isRunning FROM Run')
  const setRunning = db.prepare<[Flag]>('UPDATE Run SET IsRunning = ?')
  return {
    /** Replaces all of them. */
    saveUsers: (users: Iterable<SavedUser>) => {
      clear.run()
      for (const user of users) insert.run(user)
    },
    savedUsers: () => select.iterate(),
    /** For when they are back in the table: a later crash must not bring them back again. */
    forgetUsers: () => { clear.run() },
    /** Whether a run has begun and not ended in a stop. */
    isRunning: () => running.get()?.isRunning === 1,
    setRunning: (isRunning: boolean) => { setRunning.run(isRunning ? 1 : 0) }
  }
}

const ACCOUNT = `UserPassPerm.ID AS id, Username AS username, Password AS passwordHash,
  Perm AS permission, MustChange AS mustChange, PasswordUntil AS passwordUntilMs`
const ACCESS = `${ACCOUNT}, COALESCE(CanView, 0) AS canView,
  COALESCE(CanDisconnect, 0) AS canDisconnect`

function accountSql (db: Database) {
  const byName = db.prepare<[string], AccountRow>(
    `SELECT ${ACCOUNT} FROM UserPassPerm WHERE Username = ?`)
  const all = db.prepare<[], AccountRow>(
    `SELECT ${ACCOUNT} FROM UserPassPerm ORDER BY Username, ID`)
  const permissions = db.prepare<[], PermissionRow>(`SELECT PermissionNum AS permission,
    CanView AS canView, CanDisconnect AS canDisconnect FROM Permissions ORDER BY PermissionNum`)
  const access = db.prepare<[number], AccessRow>(`SELECT ${ACCESS} FROM UserPassPerm
    LEFT JOIN Permissions ON PermissionNum = Perm WHERE ID = ?`)
  const insert = db.prepare<Omit<AccountRow, 'id'>>(`INSERT INTO UserPassPerm
    (Username, Password, Perm, MustChange, PasswordUntil)
    VALUES (@username, @passwordHash, @permission, @mustChange, @passwordUntilMs)`)
  const setPassword = db.prepare<PasswordRow>(`UPDATE UserPassPerm
    SET Password = @passwordHash, MustChange = @mustChange, PasswordUntil = @passwordUntilMs
    WHERE ID = @id`)
  const setPermission = db.prepare<[number, number]>(
    'UPDATE UserPassPerm SET Perm = ? WHERE ID = ?')
  const remove = db.prepare<[number]>('DELETE FROM UserPassPerm WHERE ID = ?')
  return {
    accountNamed: (username: string) => byName.get(username),
    accounts: () => all.all(),
    permissions: () => permissions.all(),
    account: (id: number) => access.get(id),
    addAccount: (row: Omit<AccountRow, 'id'>) => Number(insert.run(row).lastInsertRowid),
    /** False where there is no such account; so do the next two. */
    setPassword: (row: PasswordRow) => setPassword.run(row).changes > 0,
    setPermission: (id: number, number: number) => setPermission.run(number, id).changes > 0,
    removeAccount: (id: number) => remove.run(id).changes > 0
  }
}

const SESSION = `TokenHash AS tokenHash, AccountID AS accountId, Created AS createdMs,
  LastUsed AS lastUsedMs, Address AS address, UserAgent AS userAgent`

/** Run at every request: three rows, each by its primary key. */
export const CURRENT_SESSION = `SELECT ${SESSION}, ${ACCESS} FROM Sessions
  JOIN UserPassPerm ON UserPassPerm.ID = AccountID
  LEFT JOIN Permissions ON PermissionNum = Perm
  WHERE TokenHash = ?`

function sessionSql (db: Database) {
  const quiet = quietly(db)
  const current = db.prepare<[string], SessionRow & AccessRow>(CURRENT_SESSION)
  const ofAccount = db.prepare<[number], SessionRow>(
    `SELECT ${SESSION} FROM Sessions WHERE AccountID = ? ORDER BY LastUsed DESC, TokenHash`)
  const insert = db.prepare<SessionRow>(`INSERT INTO Sessions
    (TokenHash, AccountID, Created, LastUsed, Address, UserAgent)
    VALUES (@tokenHash, @accountId, @createdMs, @lastUsedMs, @address, @userAgent)`)
  const touch = db.prepare<[number, string]>(
    'UPDATE Sessions SET LastUsed = MAX(LastUsed, ?) WHERE TokenHash = ?')
  const remove = db.prepare<[string]>('DELETE FROM Sessions WHERE TokenHash = ?')
  const removeOf = db.prepare<[number]>('DELETE FROM Sessions WHERE AccountID = ?')
  const removeAll = db.prepare('DELETE FROM Sessions')
  const removeOldest = db.prepare<[number, number]>(`DELETE FROM Sessions WHERE TokenHash IN (
    SELECT TokenHash FROM Sessions WHERE AccountID = ? ORDER BY LastUsed DESC LIMIT -1 OFFSET ?)`)
  const removeExpired = db.prepare<[number, number]>(
    'DELETE FROM Sessions WHERE Created <= ? OR LastUsed <= ?')
  const newest = db.prepare<[], number | null>(`WITH
    Times (At) AS (SELECT LastUsed FROM Sessions
      UNION ALL SELECT Since FROM Denied WHERE Until IS NOT NULL
      UNION ALL SELECT MAX(Created, COALESCE(LastUsed, 0)) FROM Tokens)
    SELECT MAX(Reached, (SELECT MAX(At) FROM Times)) FROM SessionClock`).pluck()
  const setClock = db.prepare<[number]>('UPDATE SessionClock SET Reached = ?')
  return {
    currentSession: (tokenHash: string) => current.get(tokenHash),
    sessionsOf: (accountId: number) => ofAccount.all(accountId),
    addSession: (row: SessionRow) => { insert.run(row) },
    touchSession: (tokenHash: string, lastUsedMs: number) => { touch.run(lastUsedMs, tokenHash) },
    removeSession: (tokenHash: string) => { remove.run(tokenHash) },
    /** Both return how many. */
    removeSessionsOf: (accountId: number) => removeOf.run(accountId).changes,
    removeSessions: () => removeAll.run().changes,
    keepNewestSessions: (accountId: number, count: number) => {
      removeOldest.run(accountId, count)
    },
    /** Every node of a fleet does so for itself. */
    removeExpiredSessions: (createdMs: number, lastUsedMs: number) => {
      quiet(() => removeExpired.run(createdMs, lastUsedMs))
    },
    /** How far the session clock has come; 0 where there is nothing that a clock could extend. */
    sessionClockMs: () => newest.get() ?? 0,
    setSessionClock: (reachedMs: number) => { setClock.run(reachedMs) }
  }
}

const TOKEN = `Tokens.ID AS tokenId, Name AS name, Scopes AS scopes, Created AS createdMs,
  Expires AS expiresMs, LastUsed AS lastUsedMs, LastAddress AS lastAddress`
const TOKENS = `SELECT ${TOKEN}, ${ACCESS} FROM Tokens
  JOIN UserPassPerm ON UserPassPerm.ID = AccountID
  LEFT JOIN Permissions ON PermissionNum = Perm`

/** Run at every request of a program: three rows, each by a unique key. */
export const CURRENT_TOKEN = `${TOKENS} WHERE TokenHash = ?`

function tokenSql (db: Database) {
  const byHash = db.prepare<[string], TokenRow & AccessRow>(CURRENT_TOKEN)
  const byId = db.prepare<[number], TokenRow & AccessRow>(`${TOKENS} WHERE Tokens.ID = ?`)
  const all = db.prepare<[], TokenRow & AccessRow>(`${TOKENS} ORDER BY Name`)
  const insert = db.prepare<NewTokenRow>(`INSERT INTO Tokens
    (TokenHash, AccountID, Name, Scopes, Created, Expires)
    VALUES (@tokenHash, @accountId, @name, @scopes, @createdMs, @expiresMs)`)
  const touch = db.prepare<[number, string, number]>(
    'UPDATE Tokens SET LastUsed = ?, LastAddress = ? WHERE ID = ?')
  const remove = db.prepare<[number]>('DELETE FROM Tokens WHERE ID = ?')
  const removeExpired = db.prepare<[number]>('DELETE FROM Tokens WHERE Expires <= ?')
  return {
    tokenOfHash: (tokenHash: string) => byHash.get(tokenHash),
    token: (id: number) => byId.get(id),
    /** In the order of their names. */
    tokens: () => all.all(),
    addToken: (row: NewTokenRow) => Number(insert.run(row).lastInsertRowid),
    touchToken: (id: number, usedMs: number, address: string) => { touch.run(usedMs, address, id) },
    removeToken: (id: number) => { remove.run(id) },
    removeExpiredTokens: (expiresMs: number) => { removeExpired.run(expiresMs) }
  }
}

const DENIED = `SELECT Kind AS kind, Target AS target, Reason AS reason, Author AS author,
  Since AS sinceMs, Until AS untilMs FROM Denied`

function deniedSql (db: Database) {
  const quiet = quietly(db)
  const all = db.prepare<[number], DeniedSqlRow>(`${DENIED}
    WHERE Until IS NULL OR Until > ? ORDER BY Since DESC, Kind, Target`)
  const one = db.prepare<[string, string], DeniedSqlRow>(
    `${DENIED} WHERE Kind = ? AND Target = ?`)
  const inForce = db.prepare<[number], number>(
    'SELECT COUNT(*) FROM Denied WHERE Until IS NULL OR Until > ?').pluck()
  const count = db.prepare<[string, string, string], { all: number, ranges: number }>(`SELECT
    COUNT(*) AS "all", COALESCE(SUM(Kind = ?), 0) AS ranges FROM Denied
    WHERE NOT (Kind = ? AND Target = ?)`)
  const replace = db.prepare<DeniedSqlRow>(`INSERT OR REPLACE INTO Denied
    (Kind, Target, Reason, Author, Since, Until)
    VALUES (@kind, @target, @reason, @author, @sinceMs, @untilMs)`)
  const remove = db.prepare<[string, string]>('DELETE FROM Denied WHERE Kind = ? AND Target = ?')
  const removeExpired = db.prepare<[number]>('DELETE FROM Denied WHERE Until <= ?')
  return {
    denied: (nowMs: number) => all.all(nowMs),
    deniedRow: (kind: string, target: string) => one.get(kind, target),
    deniedCount: (nowMs: number) => inForce.get(nowMs) ?? 0,
    deniedBeside: (kind: string, target: string) => count.get('range', kind, target)!,
    putDenied: (row: DeniedSqlRow) => { replace.run(row) },
    removeDenied: (kind: string, target: string) => remove.run(kind, target).changes > 0,
    /** Every node of a fleet does so for itself. */
    removeExpiredDenied: (nowMs: number) => quiet(() => removeExpired.run(nowMs).changes)
  }
}

function ticketKeySql (db: Database) {
  const all = db.prepare<[], TicketKeyRow>(`SELECT KeyID AS keyId, PublicKey AS publicKey,
    PrivateKey AS privateKey, SignsFrom AS signsFromMs FROM TicketKeys ORDER BY SignsFrom, KeyID`)
  const insert = db.prepare<TicketKeyRow>(`INSERT OR REPLACE INTO TicketKeys
    (KeyID, PublicKey, PrivateKey, SignsFrom)
    VALUES (@keyId, @publicKey, @privateKey, @signsFromMs)`)
  const clear = db.prepare('DELETE FROM TicketKeys')
  return {
    /** The oldest first. */
    ticketKeys: () => all.all(),
    /** Replaces all of them. */
    saveTicketKeys: (rows: readonly TicketKeyRow[]) => {
      clear.run()
      for (const row of rows) insert.run(row)
    }
  }
}

function auditSql (db: Database) {
  const insert = db.prepare<AuditRow>(`INSERT INTO Audit
    (At, Who, Action, Target, Detail, Address)
    VALUES (@atMs, @who, @action, @target, @detail, @address)`)
  const update = db.prepare<AuditRow & { id: number }>(
    'UPDATE Audit SET Who = @who, Detail = @detail WHERE ID = @id')
  const trim = db.prepare<{ isFailedLogin: Flag, keptMax: number }>(`DELETE FROM Audit WHERE ID IN (
    SELECT ID FROM Audit WHERE (Action = 'login-failed') = @isFailedLogin ORDER BY ID
    LIMIT MAX(0, (SELECT Entries FROM AuditCounts WHERE IsFailedLogin = @isFailedLogin) - @keptMax))`)
  const logins = db.prepare<[number], Pick<AuditRow, 'who' | 'address'>>(`SELECT Who AS who,
    Address AS address FROM (SELECT * FROM Audit WHERE (Action = 'login-failed') = 0
    ORDER BY ID DESC LIMIT ?) WHERE Action = 'login'`)
  const before = db.prepare<[number, number], ListedAuditRow>(`SELECT ID AS id,
    At AS atMs, Who AS who, Action AS action, Target AS target, Detail AS detail,
    Address AS address, CASE WHEN Origin IS NULL THEN (SELECT NULLIF(Node, '') FROM Fleet)
    ELSE substr(Origin, 1, instr(Origin, ' ') - 1) END AS node
    FROM Audit WHERE ID < ? ORDER BY ID DESC LIMIT ?`)
  const oldest = db.prepare<[], number>('SELECT At FROM Audit ORDER BY ID LIMIT 1').pluck()
  return {
    addAudit: (row: AuditRow) => Number(insert.run(row).lastInsertRowid),
    /** Who and what else: a row that goes on counting. */
    updateAudit: (id: number, row: AuditRow) => { update.run({ ...row, id }) },
    /** Keeps the newest, so many of failed logins and so many of the rest. */
    trimAudit: (failedLoginsMax: number, othersMax: number) => {
      trim.run({ isFailedLogin: 1, keptMax: failedLoginsMax })
      trim.run({ isFailedLogin: 0, keptMax: othersMax })
    },
    /** Those among the newest so many entries, newest first. */
    auditedLogins: (entriesMax: number) => logins.all(entriesMax),
    auditBefore: (id: number, limit: number) => before.all(id, limit),
    oldestAuditMs: () => oldest.get()
  }
}

function historySql (db: Database) {
  const addSample = db.prepare<SampleRow>(
    'INSERT OR REPLACE INTO History (At, Loads) VALUES (@atMs, @loads)')
  const samples = db.prepare<[number, number], SampleRow>(
    'SELECT At AS atMs, Loads AS loads FROM History WHERE At >= ? ORDER BY At LIMIT ?')
  const addEvent = db.prepare<[number, string, string | null]>(
    'INSERT INTO HistoryEvents (At, Type, Server) VALUES (?, ?, ?)')
  const events = db.prepare<[number, number], EventRow>(`SELECT ID AS id, At AS atMs, Type AS type,
    Server AS server FROM HistoryEvents WHERE At >= ? ORDER BY At DESC, ID DESC LIMIT ?`)
  const trimSamples = db.prepare<[number, number]>('DELETE FROM History WHERE At < ? OR At > ?')
  const trimEvents = db.prepare<[number, number]>(
    'DELETE FROM HistoryEvents WHERE At < ? OR At > ?')
  const keepNewestEvents = db.prepare<[number]>(`DELETE FROM HistoryEvents WHERE ID <= (
    SELECT MAX(ID) FROM HistoryEvents) - ?`)
  return {
    addSample: (row: SampleRow) => { addSample.run(row) },
    samplesFrom: (atMs: number, limit: number) => samples.all(atMs, limit),
    addEvent: (atMs: number, type: string, server: string | null) => {
      addEvent.run(atMs, type, server)
    },
    eventsFrom: (atMs: number, limit: number) => events.all(atMs, limit),
    /** Keeps what is of these times, and of events so many. */
    trimHistory: (fromMs: number, toMs: number, eventsMax: number) => {
      trimSamples.run(fromMs, toMs)
      trimEvents.run(fromMs, toMs)
      keepNewestEvents.run(eventsMax)
    }
  }
}
