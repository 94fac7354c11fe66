/**
 * The first account: without one nobody could ever log in. Its password comes from the settings, or
 * is made up and printed once, to the console and never to the log. Runs in the monitor's thread.
 */
import { randomInt } from 'node:crypto'
import { AccountExists } from '@usher/shared/errors.ts'
import type { Accounts } from './accounts.ts'

export const FIRST_ADMIN = 'admin'
const FIRST_ADMIN_PERMISSION = 1
/** Without letters and digits that look alike. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP_LETTERS = 5

/**
 * Makes `admin` if there is no account at all. A made-up password must be changed at first login.
 * @param adminPassword empty: one is made up
 * @param print to the console, past the log
 */
export async function ensureFirstAdmin (
  accounts: Pick<Accounts, 'isEmpty' | 'add'>, adminPassword: string,
  hashPassword: (password: string) => Promise<string>, print: (text: string) => void
): Promise<void> {
  if (!await accounts.isEmpty()) return
  const isMadeUp = adminPassword === ''
  const password = isMadeUp ? makeUpPassword() : adminPassword
  try {
    const hash = await hashPassword(password)
    await accounts.add(FIRST_ADMIN, hash, FIRST_ADMIN_PERMISSION, isMadeUp)
  } catch (error) {
    if (error instanceof AccountExists) return // Somebody was quicker: the account command.
    throw error
  }
  if (isMadeUp) print(announcement(password))
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
