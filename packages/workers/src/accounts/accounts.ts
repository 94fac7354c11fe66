/**
 * The accounts of the monitor: names, password hashes, permissions. A change that should end
 * sessions ends them in the same transaction. Makes and checks no password; runs in the monitor's
 * thread and in the account command.
 */
import {
  AccountChanged, AccountExists, AccountNameInvalid, AccountUnknown, LastAdministrator,
  PermissionUnknown
} from '@usher/shared/errors.ts'
import { foldCase } from '@usher/shared/fold-case.ts'
import { quote } from '@usher/shared/quote.ts'
import type { AccountRow, Sql } from '../database/statements.ts'
import type { UsherDatabase } from '../database/usher-database.ts'
import { isAdministrator, permissionOf } from './permissions.ts'

export interface Account {
  readonly id: number
  readonly username: string
  /** argon2id, as a PHC string. */
  readonly passwordHash: string
  readonly permission: number
  /** The password was made up for them: it must be changed before anything else. */
  readonly mustChange: boolean
}

export interface RemovalOptions {
  /** Even the last administrator. */
  readonly isForced: boolean
  /** Only while this password stands. */
  readonly checkedHash?: string
}

export const USERNAME_LENGTH_MAX = 64

/** Controls, invisible format characters, lone surrogates and unassigned code points. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u
const ASCII = /^[ -~]*$/

export class Accounts {
  readonly #database: UsherDatabase

  constructor (database: UsherDatabase) {
    this.#database = database
  }

  /** Without regard to case. */
  find (username: string): Promise<Account | undefined> {
    const name = username.normalize('NFC')
    if (!isUsername(name)) return Promise.resolve(undefined)
    return this.#database.read(sql => {
      const row = findRow(sql, name)
      return row === undefined ? undefined : accountOf(row)
    })
  }

  /** In the order of their names. */
  list (): Promise<readonly Account[]> {
    return this.#database.read(sql => sql.accounts().map(accountOf))
  }

  isEmpty (): Promise<boolean> {
    return this.#database.read(sql => !sql.hasAccounts())
  }

  /** Throws AccountNameInvalid, AccountExists and PermissionUnknown. */
  async add (
    username: string, passwordHash: string, permission: number, mustChange: boolean
  ): Promise<Account> {
    const name = checkUsername(username)
    return await this.#database.write(sql => {
      if (findByKey(sql, name) !== undefined) throw new AccountExists(quote(name))
      checkPermission(sql, permission)
      const row = { username: name, passwordHash, permission }
      const id = sql.addAccount({ ...row, mustChange: mustChange ? 1 : 0 })
      return { id, ...row, mustChange }
    })
  }

  /** Whatever password stood; ends the sessions. Throws AccountUnknown, as the next two do. */
  async setPassword (id: number, passwordHash: string, mustChange: boolean): Promise<void> {
    await this.#database.write(sql => {
      if (!sql.setPassword(id, passwordHash, mustChange ? 1 : 0)) throw new AccountUnknown()
      sql.removeSessionsOf(id)
    })
  }

  /**
   * Counts from the next request on. Throws PermissionUnknown, too, and LastAdministrator unless
   * forced. @returns the permission that it had
   */
  async setPermission (id: number, permission: number, isForced: boolean): Promise<number> {
    return await this.#database.write(sql => {
      checkPermission(sql, permission)
      const account = accountById(sql, id)
      keepAdministrator(sql, account, isForced, () => { sql.setPermission(id, permission) })
      return account.permission
    })
  }

  /** Ends the sessions. Throws LastAdministrator unless forced, and AccountChanged. */
  async remove (id: number, { isForced, checkedHash }: RemovalOptions): Promise<void> {
    await this.#database.write(sql => {
      const account = accountById(sql, id)
      if ((checkedHash ?? account.passwordHash) !== account.passwordHash) throw new AccountChanged()
      keepAdministrator(sql, account, isForced, () => {
        sql.removeSessionsOf(id)
        sql.removeAccount(id)
      })
    })
  }
}

/** Throws AccountNameInvalid. @returns the name as it is stored */
export function checkUsername (username: string): string {
  const name = username.normalize('NFC')
  if (!isUsername(name)) throw new AccountNameInvalid()
  return name
}

function isUsername (name: string): boolean {
  return name !== '' && name === name.trim() && !UNPRINTABLE.test(name) &&
    [...name].length <= USERNAME_LENGTH_MAX
}

/**
 * SQLite's index knows the case of ASCII letters only; other names are compared one by one. Which
 * way is taken depends on the name alone, so that the time does not tell which accounts exist.
 */
function findRow (sql: Sql, name: string): AccountRow | undefined {
  return ASCII.test(name) ? sql.accountNamed(name) : findByKey(sql, name)
}

function findByKey (sql: Sql, name: string): AccountRow | undefined {
  const key = foldCase(name)
  return sql.accounts().find(({ username }) => foldCase(username) === key)
}

function accountById (sql: Sql, id: number): AccountRow {
  const row = sql.account(id)
  if (row === undefined) throw new AccountUnknown()
  return row
}

/** The look and the change are one transaction: what this throws undoes the change. */
function keepAdministrator (
  sql: Sql, { username }: AccountRow, isForced: boolean, change: () => void
): void {
  const isKeeping = !isForced && hasAdministrator(sql)
  change()
  if (isKeeping && !hasAdministrator(sql)) throw new LastAdministrator(quote(username))
}

function hasAdministrator (sql: Sql): boolean {
  const enough = sql.permissions().map(permissionOf).filter(isAdministrator)
  return sql.accounts().some(account => enough.some(one => one.permission === account.permission))
}

function checkPermission (sql: Sql, permission: number): void {
  const known = sql.permissions().map(({ permission }) => permission)
  if (!known.includes(permission)) throw new PermissionUnknown(`${permission}`, known.join(', '))
}

function accountOf (row: AccountRow): Account {
  return { ...row, mustChange: row.mustChange === 1 }
}
