/**
 * The words of the account command: what is asked for, and with which settings. Never repeats a
 * word that should not be there, because it may be a password. Computes only.
 */
import { nearMiss } from '@usher/shared/near-miss.ts'
import { quoteName } from '@usher/shared/quote.ts'

export type AccountOrder =
  | { readonly command: 'help' | 'list' }
  | { readonly command: 'passwd', readonly name: string }
  /** Without a name: everybody's sessions. */
  | { readonly command: 'logout', readonly name: string | undefined }
  | { readonly command: 'add', readonly name: string, readonly permission: number }
  | ChangeOrder

/** Commands that could remove the last administrator; they need `--force`. */
export type ChangeOrder =
  | {
    readonly command: 'permission'
    readonly name: string
    readonly permission: number
    readonly isForced: boolean
  }
  | { readonly command: 'remove', readonly name: string, readonly isForced: boolean }

export type AccountWords =
  | { readonly order: AccountOrder, readonly settingsArgv: readonly string[] }
  | { readonly problem: string }

export const ACCOUNT_USAGE = `usage: npm run account -- COMMAND
       usher account COMMAND        (installed)

  add NAME --permission N    make an account
  list                       show all accounts
  passwd NAME                set a new password; the account's sessions end
  logout NAME                end the account's sessions; --all ends everybody's
  permission NAME N          set what the account may do
  remove NAME                remove the account; its sessions end

N is a permission of the table Permissions, which comes with -1 (no access), 0
(viewer) and 1 (administrator). A password is asked for without echo, or read
from the first line of standard input; it has at least 12 characters and is none
that is tried first. A running program applies a change at the next request.

  --force           remove or demote even the last administrator
  --db-path FILE    the database, if not the one in DB_PATH or usher.env
  --settings FILE   read FILE instead of usher.env in the working directory
  -h, --help        print this text and exit

Exit codes: 0 done, 1 not done, 2 the command or a setting is wrong.
`

type Command = Exclude<AccountOrder['command'], 'help'>

interface Shape {
  /** What follows the command, for the complaint. */
  readonly words: readonly string[]
  /** The flags that it takes; `--permission` must be there. */
  readonly flags: readonly string[]
}

const SHAPES: Readonly<Record<Command, Shape>> = {
  add: { words: ['NAME'], flags: ['--permission'] },
  list: { words: [], flags: [] },
  passwd: { words: ['NAME'], flags: [] },
  logout: { words: ['NAME'], flags: ['--all'] },
  permission: { words: ['NAME', 'N'], flags: ['--force'] },
  remove: { words: ['NAME'], flags: ['--force'] }
}
const COMMANDS = Object.keys(SHAPES) as readonly Command[]
const SETTINGS_FLAGS = ['--db-path', '--settings']
const HELP_FLAGS = ['--help', '-h']
const VALUE_FLAGS = ['--permission', ...SETTINGS_FLAGS]
const SWITCHES = ['--force', '--all']
const FLAGS = [...VALUE_FLAGS, ...SWITCHES, '--help']
/** A permission such as -1 looks like a flag but is not one. */
const NEGATIVE = /^-\d+$/
const WHOLE = /^-?\d{1,9}$/

/** The command line, taken apart; undefined is a value that is missing. */
interface Parts {
  readonly words: string[]
  readonly flags: Map<string, string | undefined>
}

/** @param argv what follows the program's name. Never throws. */
export function parseAccountWords (argv: readonly string[]): AccountWords {
  const parts = takeApart(argv)
  const { words: [command, ...rest], flags } = parts
  const settingsArgv = SETTINGS_FLAGS
    .filter(flag => flags.has(flag))
    .map(flag => `${flag}=${flags.get(flag) ?? ''}`)
  if (HELP_FLAGS.some(flag => flags.has(flag)) || command === 'help') {
    return { order: { command: 'help' }, settingsArgv }
  }
  if (command === undefined) return { problem: 'a command is missing' }
  if (!isCommand(command)) return { problem: unknown('command', command, COMMANDS) }
  const problem = flagProblem(command, flags) ?? wordProblem(command, rest, flags)
  return problem === undefined ? order(command, rest, flags, settingsArgv) : { problem }
}

function takeApart (argv: readonly string[]): Parts {
  const words: string[] = []
  const flags = new Map<string, string | undefined>()
  for (let at = 0; at < argv.length; at++) {
    const text = argv[at]!
    if (text === '--') return { words: [...words, ...argv.slice(at + 1)], flags }
    if (!text.startsWith('-') || NEGATIVE.test(text)) {
      words.push(text)
      continue
    }
    const equals = text.indexOf('=')
    const flag = equals === -1 ? text : text.slice(0, equals)
    if (equals !== -1) {
      flags.set(flag, text.slice(equals + 1))
    } else if (VALUE_FLAGS.includes(flag) && argv[at + 1]?.startsWith('--') === false) {
      flags.set(flag, argv[++at])
    } else {
      flags.set(flag, undefined)
    }
  }
  return { words, flags }
}

function flagProblem (command: Command, flags: Parts['flags']): string | undefined {
  for (const [flag, value] of flags) {
    if (!FLAGS.includes(flag)) return unknown('flag', flag, FLAGS)
    if (!SETTINGS_FLAGS.includes(flag) && !SHAPES[command].flags.includes(flag)) {
      return `${command} takes no ${flag}`
    }
    const isSwitch = SWITCHES.includes(flag)
    if (isSwitch ? value !== undefined : value === undefined || value === '') {
      return isSwitch ? `${flag} takes no value` : `${flag} needs a value`
    }
  }
  if (command === 'add' && !flags.has('--permission')) return 'add needs --permission N'
  return undefined
}

function wordProblem (
  command: Command, rest: readonly string[], flags: Parts['flags']
): string | undefined {
  const words = flags.has('--all') ? [] : SHAPES[command].words
  if (rest.length === words.length) return undefined
  const wanted = words.length === 0 ? 'nothing' : words.join(' and ')
  return `${command} takes ${wanted}; a password is never given on the command line`
}

function order (
  command: Command, [name = '', permissionWord]: readonly string[], flags: Parts['flags'],
  settingsArgv: readonly string[]
): AccountWords {
  const isForced = flags.has('--force')
  if (command === 'list') return { order: { command }, settingsArgv }
  if (command === 'passwd') return { order: { command, name }, settingsArgv }
  if (command === 'logout') {
    return { order: { command, name: flags.has('--all') ? undefined : name }, settingsArgv }
  }
  if (command === 'remove') return { order: { command, name, isForced }, settingsArgv }
  const text = permissionWord ?? flags.get('--permission') ?? ''
  if (!WHOLE.test(text)) return { problem: 'N must be a whole number, such as -1, 0 or 1' }
  const permission = Number(text)
  if (command === 'add') return { order: { command, name, permission }, settingsArgv }
  return { order: { command, name, permission, isForced }, settingsArgv }
}

function isCommand (word: string): word is Command {
  return Object.hasOwn(SHAPES, word)
}

function unknown (what: string, given: string, known: readonly string[]): string {
  const near = nearMiss(given, known)
  // A word that is near to no command is not repeated: it may be a password.
  if (near === undefined) return `unknown ${what}; one of ${known.join(', ')} is expected`
  return `unknown ${what} ${quoteName(given)}, did you mean ${near}?`
}
