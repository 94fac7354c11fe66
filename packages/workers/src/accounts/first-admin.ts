/**
 * The first account, without which no login is possible. Its password comes from the settings, or
 * is made up and printed once, to the console and never to the log. Runs in the monitor's thread.
 */
import { randomInt } from 'node:crypto'
import { AccountExists, reportOf } from '@usher/shared/errors.ts'
import type { Logger } from 'pino'
import type { Account, Accounts } from './accounts.ts'
import { isAdministrator, type Permissions } from './permissions.ts'

export interface FirstAdminParts {
  readonly accounts: Pick<Accounts, 'isEmpty' | 'add' | 'remove'>
  readonly permissions: Pick<Permissions, 'list'>
  /** Empty: one is made up. */
  readonly adminPassword: string
  readonly hashPassword: (password: string) => Promise<string>
  /** Prints to the console, not to the log; throws the system's error when it cannot be written. */
  readonly print: (text: string) => void
  readonly log: Pick<Logger, 'error'>
}

export const FIRST_ADMIN = 'admin'
/** Without letters and digits that look alike. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP_LETTERS = 5

/**
 * Makes `admin` if there is no account at all. A made-up password must be changed at first login;
 * where it cannot be shown, no account is left, so that the next start makes up another.
 */
export async function ensureFirstAdmin (parts: FirstAdminParts): Promise<void> {
  const { accounts, permissions, adminPassword, print, log } = parts
  if (!await accounts.isEmpty()) return
  const permission = (await permissions.list()).find(isAdministrator)?.permission
  if (permission === undefined) {
    log.error('nobody can log in: no row of the table Permissions allows to view and to disconnect')
    return
  }
  const isMadeUp = adminPassword === ''
  const password = isMadeUp ? makeUpPassword() : adminPassword
  const account = await addAdmin(parts, permission, password, isMadeUp)
  if (account === undefined || !isMadeUp) return
  try {
    print(announcement(password))
  } catch (error) {
    await accounts.remove(account.id, { isForced: true, checkedHash: account.passwordHash })
    log.error({ reason: reportOf(error).message }, 'nobody can log in: the console took no first password. Start with ' +
      `one, set ADMIN_PASSWORD, or use: npm run account -- add admin --permission ${permission}`)
  }
}

/** Undefined when the account command has made an account meanwhile. */
async function addAdmin (
  { accounts, hashPassword }: FirstAdminParts, permission: number, password: string,
  mustChange: boolean
): Promise<Account | undefined> {
  const hash = await hashPassword(password)
  try {
    return await accounts.add(FIRST_ADMIN, hash, permission, mustChange)
  } catch (error) {
    if (error instanceof AccountExists) return undefined
    throw error
  }
}

/** Four groups of five, such as `k7wqm-3xhpt-...`: 99 random bits that a person can type. */
export function makeUpPassword (): string {
  const letter = (): string => LETTERS[randomInt(LETTERS.length)]!
  const group = (): string => Array.from({ length: GROUP_LETTERS }, letter).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

function announcement (password: string): string {
  return [
    '',
    '  The monitor has its first account. The password is shown this once:',
    '',
    `      name      ${FIRST_ADMIN}`,
    `      password  ${password}`,
    '',
    '  At the first login you choose your own.',
    '',
    ''
  ].join('\n')
}
