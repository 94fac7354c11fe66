/**
 * What each permission allows, as the database says; this is the only place that reads it. Read
 * anew each time, so that a row that is changed counts at once. Runs in the monitor's thread and in
 * the account command.
 */
import type { AccessRow, PermissionRow } from '../database/rows.ts'
import type { UsherDatabase } from '../database/usher-database.ts'

export interface Permission {
  /** Its number, which accounts have. */
  readonly permission: number
  readonly canView: boolean
  readonly canDisconnect: boolean
}

/** Whoever asks the monitor, in person or by a program: the account behind it. */
export interface Access extends Permission {
  readonly accountId: number
  readonly username: string
  /** The password was made up for them: it must be changed before anything else. */
  readonly mustChange: boolean
}

export class Permissions {
  readonly #database: UsherDatabase

  constructor (database: UsherDatabase) {
    this.#database = database
  }

  /** In the order of their numbers. */
  list (): Promise<readonly Permission[]> {
    return this.#database.read(sql => sql.permissions().map(permissionOf))
  }
}

/** May see and do everything; one such account must remain, or nobody could use the console. */
export function isAdministrator ({ canView, canDisconnect }: Permission): boolean {
  return canView && canDisconnect
}

/** What an account is at this moment, of a row that was joined with its permission. */
export function accessOf (row: AccessRow): Access {
  const { id: accountId, username, mustChange } = row
  return { accountId, username, ...permissionOf(row), mustChange: mustChange === 1 }
}

export function permissionOf ({ permission, canView, canDisconnect }: PermissionRow): Permission {
  return { permission, canView: canView === 1, canDisconnect: canDisconnect === 1 }
}
