/**
 * The SQL of what the nodes of a fleet tell each other: what is to be told, what was told or heard,
 * and how far. Which changes are told is for the triggers of the schema. As statements.ts.
 */
import type { Database } from 'better-sqlite3'
import type { AuditRow, FleetRow, Flag, NewsRow, OutboxRow, PermissionRow } from './rows.ts'

/** The version of what a node had before it knew the others: whatever they know is newer. */
export const BEFORE_ALL = 1

/** What is known of the own part in a fleet. */
const FLEET = `SELECT Node AS node, Cluster AS cluster, Origin AS origin, Ahead AS aheadMs,
  Life AS life, LastID AS lastId, LastNumber AS lastNumber, Heard AS heardMs FROM Fleet`
const OUTBOX = 'SELECT Kind AS kind, Key AS key, At AS at, Node AS node FROM FleetOutbox'
const NEWS = `SELECT Kind AS kind, Key AS key, At AS at, Node AS node, Value AS value,
  Until AS untilMs FROM FleetNews`

export function newsSql (db: Database) {
  return {
    ...fleetSql(db),
    ...outboxSql(db),
    ...heardSql(db),
    ...foreignAuditSql(db),
    ...accessSql(db)
  }
}

/** Changes that others need not hear of, in a transaction: their triggers tell nobody. */
export function quietly (db: Database): <T>(work: () => T) => T {
  const setTold = db.prepare<[Flag, Flag]>('UPDATE Fleet SET IsTold = ? WHERE IsTold = ?')
  return work => {
    const wasTold = setTold.run(0, 1).changes > 0
    try {
      return work()
    } finally {
      if (wasTold) setTold.run(1, 0)
    }
  }
}

function fleetSql (db: Database) {
  const fleet = db.prepare<[], FleetRow>(FLEET)
  const join = db.prepare<[string, string, string]>(`UPDATE Fleet SET Node = ?, Cluster = ?,
    Origin = ?, IsTold = 1, Newest = 0, Life = '', LastID = '0-0', LastNumber = 0, Heard = 0`)
  const leave = db.prepare("UPDATE Fleet SET Node = '', Cluster = '', IsTold = 0")
  const forgetOutbox = db.prepare('DELETE FROM FleetOutbox')
  const forgetNews = db.prepare('DELETE FROM FleetNews')
  const setAhead = db.prepare<[number]>('UPDATE Fleet SET Ahead = ?')
  const setNewest = db.prepare<[number]>('UPDATE Fleet SET Newest = MAX(Newest, ?)')
  const setHeard = db.prepare<[string, string, number, number]>(
    'UPDATE Fleet SET Life = ?, LastID = ?, LastNumber = ?, Heard = ?')
  return {
    fleet: () => fleet.get()!,
    /** Changes are told from now on. */
    joinFleet: (node: string, cluster: string, origin: string) => {
      join.run(node, cluster, origin)
    },
    /** Nothing is told any more, and nothing known of what was. */
    leaveFleet: () => {
      leave.run()
      forgetOutbox.run()
      forgetNews.run()
    },
    setAhead: (aheadMs: number) => { setAhead.run(aheadMs) },
    /** The next version is newer than this one. */
    setNewest: (at: number) => { setNewest.run(at) },
    /** All up to this entry of the stream has been heard, at that time of the engine. */
    setHeard: (life: string, lastId: string, lastNumber: number, atMs: number) => {
      setHeard.run(life, lastId, lastNumber, atMs)
    },
    quietly: quietly(db)
  }
}

function outboxSql (db: Database) {
  const change = db.prepare<[string, string]>('INSERT INTO FleetChanges VALUES (?, ?)')
  const all = db.prepare<[number], OutboxRow>(`${OUTBOX} ORDER BY At, Kind, Key LIMIT ?`)
  const ofKind = db.prepare<[string], OutboxRow>(`${OUTBOX} WHERE Kind = ?`)
  const one = db.prepare<[string, string], OutboxRow>(`${OUTBOX} WHERE Kind = ? AND Key = ?`)
  const put = db.prepare<OutboxRow>(`INSERT OR REPLACE INTO FleetOutbox (Kind, Key, At, Node)
    VALUES (@kind, @key, @at, @node)`)
  const age = db.prepare<[number, string, string]>(
    'UPDATE FleetOutbox SET At = ? WHERE Kind = ? AND Key = ?')
  const remove = db.prepare<[string, string]>('DELETE FROM FleetOutbox WHERE Kind = ? AND Key = ?')
  return {
    /** As the triggers do. */
    tell: (kind: string, key: string) => { change.run(kind, key) },
    /** A change of this transaction, for who has never heard of the thing. */
    tellAsOldest: (kind: string, key: string) => { age.run(BEFORE_ALL, kind, key) },
    /** The oldest changes first. */
    outbox: (limit: number) => all.all(limit),
    outboxOf: (kind: string) => ofKind.all(kind),
    outboxRow: (kind: string, key: string) => one.get(kind, key),
    putOutbox: (row: OutboxRow) => { put.run(row) },
    removeOutbox: (kind: string, key: string) => { remove.run(kind, key) }
  }
}

function heardSql (db: Database) {
  const one = db.prepare<[string, string], NewsRow>(`${NEWS} WHERE Kind = ? AND Key = ?`)
  const ofKind = db.prepare<[string], NewsRow>(`${NEWS} WHERE Kind = ? ORDER BY Key`)
  const all = db.prepare<[], NewsRow>(NEWS)
  const put = db.prepare<NewsRow>(`INSERT OR REPLACE INTO FleetNews
    (Kind, Key, At, Node, Value, Until) VALUES (@kind, @key, @at, @node, @value, @untilMs)`)
  const expired = db.prepare<[number, number], NewsRow>(`${NEWS} WHERE Until <= ? LIMIT ?`)
  const remove = db.prepare<[string, string]>('DELETE FROM FleetNews WHERE Kind = ? AND Key = ?')
  return {
    news: (kind: string, key: string) => one.get(kind, key),
    newsOf: (kind: string) => ofKind.all(kind),
    allNews: () => all.all(),
    putNews: (row: NewsRow) => { put.run(row) },
    expiredNews: (nowMs: number, limit: number) => expired.all(nowMs, limit),
    removeNews: (kind: string, key: string) => { remove.run(kind, key) }
  }
}

/** An entry of another node's audit. */
type ForeignAuditRow = AuditRow & {
  readonly origin: string
  readonly originId: number
  readonly told: number
}

function foreignAuditSql (db: Database) {
  const own = db.prepare<[number], AuditRow>(`SELECT At AS atMs, Who AS who, Action AS action,
    Target AS target, Detail AS detail, Address AS address FROM Audit
    WHERE ID = ? AND Origin IS NULL`)
  const put = db.prepare<ForeignAuditRow>(`INSERT INTO Audit
    (At, Who, Action, Target, Detail, Address, Origin, OriginID, Told) VALUES
    (@atMs, @who, @action, @target, @detail, @address, @origin, @originId, @told)
    ON CONFLICT (Origin, OriginID) WHERE Origin IS NOT NULL DO UPDATE
    SET Who = excluded.Who, Detail = excluded.Detail, Told = excluded.Told
    WHERE excluded.Told > Told`)
  const marks = db.prepare<[], { readonly origin: string, readonly lastId: number }>(
    `SELECT Origin AS origin, MAX(OriginID) AS lastId FROM Audit
    WHERE Origin IS NOT NULL GROUP BY Origin`)
  const tellAfter = db.prepare<[number, number]>(`INSERT INTO FleetChanges
    SELECT 'audit', CAST(ID AS TEXT) FROM (SELECT ID FROM Audit
    WHERE Origin IS NULL AND ID > ? ORDER BY ID DESC LIMIT ?) ORDER BY ID`)
  return {
    ownAudit: (id: number) => own.get(id),
    /** An older version than the one that is here changes nothing. */
    putForeignAudit: (row: ForeignAuditRow) => { put.run(row) },
    /** Of each other node, the last entry that is here. */
    auditMarks: () => marks.all(),
    /** The own entries after that one are told, again if need be: the newest so many. */
    tellAuditAfter: (id: number, limit: number) => { tellAfter.run(id, limit) }
  }
}

/** What only news of other nodes change. */
function accessSql (db: Database) {
  const setUsername = db.prepare<[string, number]>(
    'UPDATE UserPassPerm SET Username = ? WHERE ID = ?')
  const put = db.prepare<PermissionRow>(`INSERT INTO Permissions
    (PermissionNum, CanView, CanDisconnect) VALUES (@permission, @canView, @canDisconnect)
    ON CONFLICT DO UPDATE SET CanView = excluded.CanView, CanDisconnect = excluded.CanDisconnect`)
  const remove = db.prepare<[number]>(`DELETE FROM Permissions WHERE PermissionNum = ?
    AND NOT EXISTS (SELECT 1 FROM UserPassPerm WHERE Perm = PermissionNum)`)
  return {
    setUsername: (id: number, username: string) => { setUsername.run(username, id) },
    putPermission: (row: PermissionRow) => { put.run(row) },
    /** Not one that accounts have: false. */
    removePermission: (permission: number) => remove.run(permission).changes > 0
  }
}
