/**
 * The account command: makes, lists, changes and removes accounts in the database, beside a running
 * program or without one. Every change is recorded in the audit. A process of its own; main.ts is
 * its entry.
 */
import { constants } from 'node:os'
import { join } from 'node:path'
import {
  AccountExists, AccountRefused, LastAdministrator, PermissionUnknown, reportOf
} from '@usher/shared/errors.ts'
import { openLog } from '@usher/shared/log.ts'
import { quote, quoteName } from '@usher/shared/quote.ts'
import { loadSettings, type SettingsSource } from '@usher/shared/settings/settings.ts'
import { hashPassword } from '../credentials/password-hash.ts'
import { openExistingDatabase } from '../database/open.ts'
import { Accounts, checkUsername, isExpired, type Account } from '../accounts/accounts.ts'
import { isAdministrator, Permissions, type Permission } from '../accounts/permissions.ts'
import { AuditLog } from '../records/audit-log.ts'
import {
  ACCOUNT_USAGE, parseAccountWords, type AccountOrder, type ChangeOrder
} from './arguments.ts'
import { enterPassword, type AccountStreams } from './password-entry.ts'

const EXIT_DONE = 0
const EXIT_FAILED = 1
const EXIT_WORDS = 2
/** Errors of what was typed: they end with exit code 2. */
const WORDS_CODES = new Set([
  'USHER_SETTINGS_INVALID', 'USHER_ACCOUNT_NAME_INVALID', 'USHER_PERMISSION_UNKNOWN'
])

/** What a command works with. */
interface Parts {
  readonly accounts: Accounts
  readonly permissions: Permissions
  readonly streams: AccountStreams
  /** Records a change in the audit. */
  record (
    action: string, target: string | undefined, detail?: Readonly<Record<string, unknown>>
  ): Promise<void>
}

/** Never rejects. @returns the exit code */
export async function runAccountCommand (
  source: SettingsSource, streams: AccountStreams
): Promise<number> {
  const words = parseAccountWords(source.argv)
  if ('problem' in words) {
    streams.stderr.write(`account: ${words.problem}\n\n${ACCOUNT_USAGE}`)
    return EXIT_WORDS
  }
  if (words.order.command === 'help') {
    streams.stdout.write(ACCOUNT_USAGE)
    return EXIT_DONE
  }
  try {
    await withDatabase({ ...source, argv: words.settingsArgv }, streams, parts =>
      carryOut(words.order, parts))
    return EXIT_DONE
  } catch (error) {
    return fail(error, streams)
  }
}

async function withDatabase (
  source: SettingsSource, streams: AccountStreams, work: (parts: Parts) => Promise<void>
): Promise<void> {
  const settings = loadSettings(source).settings!
  const log = openLog({
    thread: 'account command',
    level: settings.live.logLevel,
    file: settings.logFile,
    isTerminal: false,
    hasConsole: false
  })
  const database = openExistingDatabase(settings.dbPath, join(source.programDir, 'db'))
  streams.stderr.write(`Database: ${settings.dbPath}\n`)
  try {
    const audit = new AuditLog(database, { log, wallNow: Date.now })
    await work({
      accounts: new Accounts(database),
      permissions: new Permissions(database),
      streams,
      record: (action, target, detail) =>
        audit.add({ who: 'command line', action, target, detail, address: 'local' })
    })
  } finally {
    database.close()
  }
}

async function carryOut (order: AccountOrder, parts: Parts): Promise<void> {
  switch (order.command) {
    case 'help': return
    case 'list': return await list(parts)
    case 'add': return await add(order.name, order.permission, parts)
    case 'passwd': return await changePassword(order.name, parts)
    case 'logout': return await endSessions(order.name, parts)
    case 'permission': return await changePermission(order, parts)
    case 'remove': await remove(order, parts)
  }
}

async function list ({ accounts, permissions, streams }: Parts): Promise<void> {
  const all = await accounts.list()
  if (all.length === 0) {
    streams.stdout.write('There is no account; the first start of the program makes one.\n')
    return
  }
  const rows = [['NAME', 'PERMISSION', 'MAY']]
  const known = await permissions.list()
  for (const account of all) {
    const { username, permission } = account
    rows.push([quoteName(username), `${permission}`, `${mayOf(permission, known)}${noteOn(account)}`])
  }
  const [nameWidth = 0, permissionWidth = 0] = [0, 1].map(column =>
    Math.max(...rows.map(row => row[column]!.length)))
  for (const [name, permission, may] of rows) {
    streams.stdout.write(
      `${name!.padEnd(nameWidth)}  ${permission!.padEnd(permissionWidth)}  ${may}\n`)
  }
}

/** By the wall clock, which may be somewhat behind the session clock. */
function noteOn (account: Account): string {
  if (isExpired(account, Date.now())) return ' (the generated password has expired: use passwd)'
  return account.mustChange ? ' (must change the password first)' : ''
}

/** Everything that can be known is checked before a password is asked for. */
async function add (name: string, permission: number, parts: Parts): Promise<void> {
  const { accounts, streams } = parts
  checkUsername(name)
  if (await accounts.find(name) !== undefined) throw new AccountExists(quote(name))
  await findPermission(permission, parts)
  const password = await enterPassword(streams, name)
  const { username } = await accounts.add(name, hashPassword(password), permission, false)
  await parts.record('account-added', username, { permission })
  streams.stdout.write(`Added ${quote(username)} with permission ${permission}.\n`)
  await warnWithoutAdmin(parts)
}

async function changePassword (name: string, parts: Parts): Promise<void> {
  const { id, username } = await findAccount(name, parts)
  const password = await enterPassword(parts.streams, username)
  await parts.accounts.setPassword(id, hashPassword(password), false)
  await parts.record('password-changed', username)
  parts.streams.stdout.write(`${quote(username)} has a new password; its sessions have ended.\n`)
}

async function endSessions (name: string | undefined, parts: Parts): Promise<void> {
  const account = name === undefined ? undefined : await findAccount(name, parts)
  const sessions = await parts.accounts.endSessions(account?.id)
  if (account === undefined) await parts.record('all-sessions-ended', undefined, { sessions })
  else await parts.record('sessions-ended', account.username, { sessions })
  const whose = account === undefined ? 'Everybody' : quote(account.username)
  parts.streams.stdout.write(`${whose} is logged out; sessions ended: ${sessions}.\n`)
}

async function changePermission (
  order: Extract<ChangeOrder, { command: 'permission' }>, parts: Parts
): Promise<void> {
  const { name, permission, isForced } = order
  const { id, username } = await findAccount(name, parts)
  const from = await orHint(parts.accounts.setPermission(id, permission, isForced))
  await parts.record('permission-changed', username, { from, permission })
  parts.streams.stdout.write(`${quote(username)} has permission ${permission} now.\n`)
  await warnWithoutAdmin(parts)
}

async function remove (
  order: Extract<ChangeOrder, { command: 'remove' }>, parts: Parts
): Promise<void> {
  const { id, username } = await findAccount(order.name, parts)
  await orHint(parts.accounts.remove(id, order))
  await parts.record('account-removed', username)
  parts.streams.stdout.write(`Removed ${quote(username)}; its sessions have ended.\n`)
  await warnWithoutAdmin(parts)
}

async function findAccount (name: string, { accounts }: Parts): Promise<Account> {
  const account = await accounts.find(name)
  if (account !== undefined) return account
  throw new AccountRefused(`There is no account ${quote(name)}; list shows all.`)
}

async function findPermission (number: number, { permissions }: Parts): Promise<Permission> {
  const known = await permissions.list()
  const found = known.find(({ permission }) => permission === number)
  if (found !== undefined) return found
  throw new PermissionUnknown(`${number}`, known.map(({ permission }) => permission).join(', '))
}

/** Says what can be done about a refusal. */
async function orHint<T> (change: Promise<T>): Promise<T> {
  try {
    return await change
  } catch (error) {
    if (!(error instanceof LastAdministrator)) throw error
    throw new AccountRefused(`${error.message}: nobody could disconnect or deny any more. ` +
      'Use --force to do it anyway.')
  }
}

async function warnWithoutAdmin (parts: Parts): Promise<void> {
  if ((await administrators(parts)).length > 0) return
  parts.streams.stderr.write('Note: no account may view and disconnect.\n')
}

async function administrators ({ accounts, permissions }: Parts): Promise<readonly Account[]> {
  const enough = (await permissions.list()).filter(isAdministrator)
  return (await accounts.list()).filter(account =>
    enough.some(({ permission }) => permission === account.permission))
}

function mayOf (number: number, known: readonly Permission[]): string {
  const found = known.find(({ permission }) => permission === number)
  const rights = [
    ...(found?.canView === true ? ['view'] : []),
    ...(found?.canDisconnect === true ? ['disconnect'] : [])
  ]
  return rights.length === 0 ? 'nothing' : rights.join(' and ')
}

/** An error that a person can fix is one sentence; only a bug of ours shows a stack. */
function fail (error: unknown, { stderr }: AccountStreams): number {
  const { code, message, stack } = reportOf(error)
  const isExpected = code.startsWith('USHER_') || code in constants.errno
  stderr.write(`account: ${isExpected || stack === '' ? message : stack}\n`)
  return WORDS_CODES.has(code) ? EXIT_WORDS : EXIT_FAILED
}
