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
import { visibleText } from '@usher/shared/visible-text.ts'
import type { AccountRow } from '../database/rows.ts'
import type { Sql } from '../database/statements.ts'
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
  /** Until when, by the session clock; undefined: it does not expire. */
  readonly passwordUntilMs: number | undefined
}

/** The first account, as the program makes it. */
export interface FirstAccount extends Pick<Account, 'username' | 'passwordHash' | 'permission'> {
  /** Undefined: the password was chosen. */
  readonly madeUpUntilMs: number | undefined
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
/** Blanks that look like a space and are none. */
const OTHER_BLANK = /[^\P{Zs} ]/u
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

  /** Whether `putFirst` has anything to do. @param nowMs by the session clock */
  needsFirst (nowMs: number): Promise<boolean> {
    return this.#database.read(sql => neededFirst(sql, nowMs) !== undefined)
  }

  /**
   * Adds the first account; or, where the made-up password of the only administrator has expired,
   * gives it this one. Undefined when neither is needed any more.
   */
  async putFirst (first: FirstAccount, nowMs: number): Promise<Account | undefined> {
    const { username, passwordHash, permission, madeUpUntilMs } = first
    const password = {
      passwordHash,
      mustChange: flagOf(madeUpUntilMs !== undefined),
      passwordUntilMs: madeUpUntilMs ?? null
    }
    return await this.#database.write(sql => {
      const needed = neededFirst(sql, nowMs)
      if (needed === undefined) return undefined
      if (needed === 'new') {
        const row = { username, permission, ...password }
        const id = sql.addAccount(row)
        sql.tellAsOldest('account', username) // Whatever accounts a fleet has count, not this one.
        return accountOf({ id, ...row })
      }
      sql.setPassword({ id: needed.id, ...password })
      sql.removeSessionsOf(needed.id)
      return accountOf({ ...needed, ...password })
    })
  }

  /** Throws AccountNameInvalid, AccountExists and PermissionUnknown. */
  async add (
    username: string, passwordHash: string, permission: number, mustChange: boolean
  ): Promise<Account> {
    const name = checkUsername(username)
    return await this.#database.write(sql => {
      if (findByKey(sql, name) !== undefined) throw new AccountExists(quote(name))
      checkPermission(sql, permission)
      const password = { passwordHash, mustChange: flagOf(mustChange), passwordUntilMs: null }
      const row = { username: name, permission, ...password }
      return accountOf({ id: sql.addAccount(row), ...row })
    })
  }

  /** Whatever password stood; ends the sessions. Throws AccountUnknown, as the next two do. */
  async setPassword (id: number, passwordHash: string, mustChange: boolean): Promise<void> {
    await this.#database.write(sql => {
      const row = { id, passwordHash, mustChange: flagOf(mustChange), passwordUntilMs: null }
      if (!sql.setPassword(row)) throw new AccountUnknown()
      sql.removeSessionsOf(id)
    })
  }

  /** Of one account, or of all of them. @returns how many */
  endSessions (id: number | undefined): Promise<number> {
    return this.#database.write(sql =>
      id === undefined ? sql.removeSessions() : sql.removeSessionsOf(id))
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

/** A made-up password that was not changed in time. @param nowMs by the session clock */
export function isExpired ({ passwordUntilMs }: Account, nowMs: number): boolean {
  return passwordUntilMs !== undefined && nowMs >= passwordUntilMs
}

/** Throws AccountNameInvalid. @returns the name as it is stored */
export function checkUsername (username: string): string {
  const name = username.normalize('NFC')
  // One that stands already may be found under its name, whatever is in it.
  if (!isUsername(name) || visibleText(name) !== name || OTHER_BLANK.test(name)) {
    throw new AccountNameInvalid()
  }
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
  const isKeeping = !isForced && administrators(sql).length > 0
  change()
  if (isKeeping && administrators(sql).length === 0) throw new LastAdministrator(quote(username))
}

function administrators (sql: Sql): readonly AccountRow[] {
  const enough = sql.permissions().map(permissionOf).filter(isAdministrator)
  return sql.accounts()
    .filter(({ permission }) => enough.some(one => one.permission === permission))
}

/** The account whose password has expired; new: there is no account at all. */
function neededFirst (sql: Sql, nowMs: number): AccountRow | 'new' | undefined {
  if (sql.accounts().length === 0) return 'new'
  const [only, ...others] = administrators(sql)
  return only !== undefined && others.length === 0 && isExpired(accountOf(only), nowMs)
    ? only
    : undefined
}

function checkPermission (sql: Sql, permission: number): void {
  const known = sql.permissions().map(({ permission }) => permission)
  if (!known.includes(permission)) throw new PermissionUnknown(`${permission}`, known.join(', '))
}

function accountOf (row: AccountRow): Account {
  return {
    ...row, mustChange: row.mustChange === 1, passwordUntilMs: row.passwordUntilMs ?? undefined
  }
}

function flagOf (isTrue: boolean): 0 | 1 {
  return isTrue ? 1 : 0
}
