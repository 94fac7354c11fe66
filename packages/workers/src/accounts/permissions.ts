/**
 * What each permission allows, as the database says; this is the only place that reads it. Read
 * anew each time, so that a row that is changed counts at once. Runs in the monitor's thread and in
 * the account command.
 */
import type { PermissionRow } from '../database/rows.ts'
import type { UsherDatabase } from '../database/usher-database.ts'

export interface Permission {
  /** Its number, which accounts have. */
  readonly permission: number
  readonly canView: boolean
  readonly canDisconnect: boolean
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

export function permissionOf ({ permission, canView, canDisconnect }: PermissionRow): Permission {
  return { permission, canView: canView === 1, canDisconnect: canDisconnect === 1 }
}
