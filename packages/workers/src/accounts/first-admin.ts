/**
 * The first account, without which no login is possible. Its password comes from the settings, or
 * is made up and printed once, to the console and never to the log. Runs in the monitor's thread.
 */
import { randomInt } from 'node:crypto'
import { reportOf } from '@usher/shared/errors.ts'
import type { Logger } from 'pino'
import type { Accounts } from './accounts.ts'
import { isAdministrator, type Permissions } from './permissions.ts'

export interface FirstAdminParts {
  readonly accounts: Pick<Accounts, 'needsFirst' | 'putFirst' | 'remove'>
  readonly permissions: Pick<Permissions, 'list'>
  /** Empty: one is made up. */
  readonly adminPassword: string
  readonly hashPassword: (password: string) => Promise<string>
  /** Prints to the console, not to the log; throws the system's error when it cannot be written. */
  readonly print: (text: string) => void
  readonly log: Pick<Logger, 'error'>
  /** The session clock. */
  readonly now: () => number
}

export const FIRST_ADMIN = 'admin'
/** For as long a made-up password may be changed. */
const FIRST_PASSWORD_HOURS = 24
const HOUR_MS = 3_600_000
/** Without letters and digits that look alike. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP_LETTERS = 5

/**
 * Makes `admin` if there is no account at all, or its password anew when nobody changed the made-up
 * one in time. A made-up password must be changed at first login; where it cannot be shown, no
 * account is left, so that the next start makes up another.
 */
export async function ensureFirstAdmin (parts: FirstAdminParts): Promise<void> {
  const { accounts, permissions, adminPassword, hashPassword, print, log, now } = parts
  if (!await accounts.needsFirst(now())) return
  const permission = (await permissions.list()).find(isAdministrator)?.permission
  if (permission === undefined) {
    log.error('nobody can log in: no row of the table Permissions allows to view and to disconnect')
    return
  }
  const isMadeUp = adminPassword === ''
  const password = isMadeUp ? makeUpPassword() : adminPassword
  const passwordHash = await hashPassword(password)
  const madeUpUntilMs = isMadeUp ? now() + FIRST_PASSWORD_HOURS * HOUR_MS : undefined
  const account = await accounts.putFirst(
    { username: FIRST_ADMIN, passwordHash, permission, madeUpUntilMs }, now())
  if (account === undefined || !isMadeUp) return
  try {
    print(announcement(account.username, password))
  } catch (error) {
    await accounts.remove(account.id, { isForced: true, checkedHash: passwordHash })
    log.error({ reason: reportOf(error).message }, 'nobody can log in: the console took no first password. Start with ' +
      `one, set ADMIN_PASSWORD, or use: npm run account -- add admin --permission ${permission}`)
  }
}

/** Four groups of five, such as `k7wqm-3xhpt-...`: 99 random bits that a person can type. */
export function makeUpPassword (): string {
  const letter = (): string => LETTERS[randomInt(LETTERS.length)]!
  const group = (): string => Array.from({ length: GROUP_LETTERS }, letter).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

function announcement (username: string, password: string): string {
  return [
    '',
    '  The monitor has its first account. The password is shown this once:',
    '',
    `      name      ${username}`,
    `      password  ${password}`,
    '',
    `  At the first login you choose your own, within ${FIRST_PASSWORD_HOURS} hours.`,
    '',
    ''
  ].join('\n')
}
