/**
 * `npm run account`: who may log in to the monitor. Works on the database, beside a running program
 * or without one; what it changes counts from the next request on. Says what it did, and is put on
 * record like what is done in the console.
 */
import { join } from 'node:path'
import { reportOf, SettingsInvalid } from '@usher/shared/errors.ts'
import { loadSettings, type SettingsSource } from '@usher/shared/settings.ts'
import type { Logger } from 'pino'
import { hashPassword } from '../credentials/password-hash.ts'
import { openDatabase } from '../database.ts'
import { Accounts, type Account } from '../monitor/accounts.ts'
import { Audit } from '../monitor/audit.ts'
import { ACCOUNT_USAGE, parseAccountWords, type AccountOrder } from './account-words.ts'
import { passwordProblem } from './password-policy.ts'

export interface AccountCommandParts extends SettingsSource {
  /** Asks for a new password; rejects when none can be had. */
  readonly askPassword: () => Promise<string>
  readonly out: (text: string) => void
  readonly complain: (text: string) => void
}

const EXIT_OK = 0
const EXIT_FAILED = 1
const EXIT_WORDS = 2

/** What each number allows, in a person's words. */
const PERMISSIONS = new Map([
  [-1, 'nothing'], [0, 'view'], [1, 'view and disconnect']
])
const ADMIN_PERMISSION = 1

/** A refusal, in a sentence; the command ends with 1. */
class Refused extends Error {}

/** Runs the command; resolves with the exit code and never rejects. */
export async function runAccountCommand (parts: AccountCommandParts): Promise<number> {
  const words = parseAccountWords(parts.argv)
  if (words.kind === 'help') {
    parts.out(ACCOUNT_USAGE)
    return EXIT_OK
  }
  if (words.kind === 'wrong') {
    parts.complain(`account: ${words.problem}\n\n${ACCOUNT_USAGE}`)
    return EXIT_WORDS
  }
  try {
    const { settings } = loadSettings({ ...parts, argv: words.settingsArgv })
    await withAccounts(settings!.dbPath, parts, commands => commands.carryOut(words.order))
    return EXIT_OK
  } catch (error) {
    if (error instanceof SettingsInvalid) {
      parts.complain(`account: ${error.message}\n`)
      return EXIT_WORDS
    }
    const { code, message, stack } = reportOf(error)
    const isExpected = error instanceof Refused || code.startsWith('USHER_')
    parts.complain(`account: ${isExpected ? message : stack}\n`)
    return EXIT_FAILED
  }
}

async function withAccounts (
  dbPath: string, parts: AccountCommandParts, work: (commands: Commands) => Promise<void>
): Promise<void> {
  const database = openDatabase(dbPath, join(parts.programDir, 'db'))
  try {
    await work(new Commands(
      new Accounts(database), new Audit(database, { log: NO_LOG, wallNow: Date.now }), parts))
  } finally {
    database.close()
  }
}

/** The row in the database is what stays; the program's log is the program's. */
const NO_LOG: Pick<Logger, 'info'> = { info () {} }

class Commands {
  readonly #accounts: Accounts
  readonly #audit: Audit
  readonly #parts: AccountCommandParts

  constructor (accounts: Accounts, audit: Audit, parts: AccountCommandParts) {
    this.#accounts = accounts
    this.#audit = audit
    this.#parts = parts
  }

  async carryOut (order: AccountOrder): Promise<void> {
    switch (order.command) {
      case 'add': return await this.#add(order.name, order.permission)
      case 'list': return await this.#list()
      case 'passwd': return await this.#passwd(order.name)
      case 'permission': return await this.#permission(order)
      case 'remove': return await this.#remove(order.name, order.isForced)
    }
  }

  async #add (name: string, permission: number): Promise<void> {
    if (await this.#accounts.find(name) !== undefined) throw new Refused(`${name} is there already.`)
    const hash = await this.#newHash(name)
    const { username } = await this.#accounts.add(name, hash, permission, false)
    await this.#record('account-added', username, { permission })
    this.#parts.out(`${username} may now log in: ${describe(permission)}.\n`)
  }

  async #list (): Promise<void> {
    const accounts = await this.#accounts.list()
    if (accounts.length === 0) {
      this.#parts.out('There is no account yet. The first start of Usher makes one.\n')
      return
    }
    const width = Math.max(...accounts.map(({ username }) => username.length))
    for (const { username, permission, mustChange } of accounts) {
      const note = mustChange ? ', must change the password' : ''
      this.#parts.out(`${username.padEnd(width)}  ${describe(permission)}${note}\n`)
    }
  }

  async #passwd (name: string): Promise<void> {
    const { id, username } = await this.#find(name)
    await this.#accounts.setPassword(id, await this.#newHash(username), { mustChange: false })
    await this.#record('password-changed', username)
    this.#parts.out(`${username} has a new password; all of its sessions have ended.\n`)
  }

  async #permission (
    { name, permission, isForced }: Extract<AccountOrder, { command: 'permission' }>
  ): Promise<void> {
    const account = await this.#find(name)
    if (permission !== ADMIN_PERMISSION) await this.#keepOneAdmin(account, isForced)
    await this.#accounts.setPermission(account.id, permission)
    await this.#record('permission-changed', account.username, { permission })
    this.#parts.out(`${account.username} may now: ${describe(permission)}.\n`)
  }

  async #remove (name: string, isForced: boolean): Promise<void> {
    const account = await this.#find(name)
    await this.#keepOneAdmin(account, isForced)
    await this.#accounts.remove(account.id)
    await this.#record('account-removed', account.username)
    this.#parts.out(`${account.username} can no longer log in; all of its sessions have ended.\n`)
  }

  async #find (name: string): Promise<Account> {
    const account = await this.#accounts.find(name)
    if (account !== undefined) return account
    const names = (await this.#accounts.list()).map(({ username }) => username)
    const known = names.length === 0 ? 'There is none.' : `There is: ${names.join(', ')}.`
    throw new Refused(`No account has the name ${name}. ${known}`)
  }

  /** Without one nobody could disconnect anybody, nor see the audit. */
  async #keepOneAdmin (account: Account, isForced: boolean): Promise<void> {
    if (isForced || account.permission !== ADMIN_PERMISSION) return
    const admins = (await this.#accounts.list())
      .filter(({ permission }) => permission === ADMIN_PERMISSION)
    if (admins.length > 1) return
    throw new Refused(`${account.username} is the last account with permission 1. ` +
      'Add --force to do it all the same.')
  }

  async #newHash (username: string): Promise<string> {
    const password = await this.#parts.askPassword().catch((error: unknown) => {
      throw new Refused(error instanceof Error ? error.message : String(error))
    })
    const problem = passwordProblem(password, username)
    if (problem !== undefined) throw new Refused(`${problem} Nothing was changed.`)
    return hashPassword(password)
  }

  async #record (action: string, target: string, detail?: object): Promise<void> {
    await this.#audit.add({ who: 'command line', action, target, detail, address: 'local' })
  }
}

function describe (permission: number): string {
  return `${permission} (${PERMISSIONS.get(permission) ?? 'as the table Permissions says'})`
}
