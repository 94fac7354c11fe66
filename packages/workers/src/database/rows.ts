/** The rows that the SQL of statements.ts takes and gives: plain values, as SQLite has them. */

/** A user as it was saved. Times are wall-clock milliseconds since 1970. */
export interface SavedUser {
  readonly kind: 'id' | 'ip'
  readonly client: string
  readonly address: string
  /** Its name, or its port when it had none. */
  readonly server: string
  readonly isConfirmed: Flag
  readonly firstSeenMs: number
  readonly lastSeenMs: number
}

/** SQLite's truth value. */
export type Flag = 0 | 1

export interface AccountRow {
  readonly id: number
  readonly username: string
  readonly passwordHash: string
  readonly permission: number
  readonly mustChange: Flag
  /** By the session clock; null: it does not expire. */
  readonly passwordUntilMs: number | null
}

export type PasswordRow = Pick<AccountRow, 'id' | 'passwordHash' | 'mustChange' | 'passwordUntilMs'>

export interface PermissionRow {
  readonly permission: number
  readonly canView: Flag
  readonly canDisconnect: Flag
}

/** An account with what its permission allows. */
export interface AccessRow extends AccountRow, PermissionRow {}

/** Times are milliseconds since 1970 by the session clock. */
export interface SessionRow {
  readonly tokenHash: string
  readonly accountId: number
  readonly createdMs: number
  readonly lastUsedMs: number
  readonly address: string
  readonly userAgent: string
}

/** Times are milliseconds since 1970 by the session clock. */
export interface TokenRow {
  readonly tokenId: number
  readonly name: string
  /** Words with a blank in between. */
  readonly scopes: string
  readonly createdMs: number
  readonly expiresMs: number
  readonly lastUsedMs: number | null
  readonly lastAddress: string | null
}

export type NewTokenRow = Pick<TokenRow, 'name' | 'scopes' | 'createdMs' | 'expiresMs'> &
  Pick<SessionRow, 'tokenHash' | 'accountId'>

/** Times are milliseconds since 1970 by the session clock. */
export interface DeniedSqlRow {
  readonly kind: 'id' | 'address' | 'range'
  readonly target: string
  readonly reason: string
  readonly author: string
  readonly sinceMs: number
  readonly untilMs: number | null
}

export interface AuditRow {
  readonly atMs: number
  readonly who: string
  readonly action: string
  readonly target: string | null
  /** JSON. */
  readonly detail: string | null
  readonly address: string
}

/** As it is read back. */
export interface ListedAuditRow extends AuditRow {
  readonly id: number
  /** In a fleet: where it was done. */
  readonly node: string | null
}

/** Times are wall-clock milliseconds since 1970. */
export interface DrainRow {
  /** Its name, or its port when it had none. */
  readonly server: string
  readonly note: string
  readonly sinceMs: number
  readonly movesFromMs: number | null
  readonly isMaintenance: 0 | 1
}

export interface TicketKeyRow {
  readonly keyId: string
  /** Both in base64url. */
  readonly publicKey: string
  readonly privateKey: string
  /** Milliseconds since 1970 by the session clock. */
  readonly signsFromMs: number
}

/** A server that the console names; null: as the settings say for all. */
export interface ServerRow {
  readonly name: string
  readonly url: string
  readonly weight: number | null
  readonly capacity: number | null
  readonly healthPath: string | null
  /** Milliseconds, as the next one. */
  readonly healthInterval: number | null
  readonly healthTimeout: number | null
  readonly healthRise: number | null
  readonly healthFall: number | null
  readonly healthStatus: string | null
}

export interface SampleRow {
  readonly atMs: number
  /** JSON. */
  readonly loads: string
}

export interface EventRow {
  readonly id: number
  readonly atMs: number
  readonly type: string
  /** Its name, or its port when it had none; null for the whole. */
  readonly server: string | null
}

/** The own part in a fleet. Times are milliseconds since 1970 by the engine's clock. */
export interface FleetRow {
  /** Empty: this is no node of a fleet. */
  readonly node: string
  readonly cluster: string
  /** Of the own audit's entries. */
  readonly origin: string
  /** How far the engine's clock is ahead of the wall clock. */
  readonly aheadMs: number
  readonly life: string
  readonly lastId: string
  readonly lastNumber: number
  readonly heardMs: number
}

/** Of what is told: the newest version counts. See news-entry.ts. */
export interface OutboxRow {
  readonly kind: string
  readonly key: string
  readonly at: number
  readonly node: string
}

export interface NewsRow extends OutboxRow {
  /** JSON; null: it is gone. */
  readonly value: string | null
  readonly untilMs: number | null
}
