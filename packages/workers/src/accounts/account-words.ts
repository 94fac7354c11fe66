/**
 * The words of `npm run account`: a command, its name and number, and the program's own flags for
 * where the database is. Written by hand because a bare -1 is a permission here, and an unknown
 * option to every parser of flags. Pure.
 */

export type AccountOrder =
  | { readonly command: 'list' }
  | { readonly command: 'passwd', readonly name: string }
  | { readonly command: 'add', readonly name: string, readonly permission: number }
  | { readonly command: 'remove', readonly name: string, readonly isForced: boolean }
  | {
    readonly command: 'permission'
    readonly name: string
    readonly permission: number
    readonly isForced: boolean
  }

export type AccountWords =
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong', readonly problem: string }
  | { readonly kind: 'order', readonly order: AccountOrder, readonly settingsArgv: string[] }

export const ACCOUNT_USAGE = `npm run account -- COMMAND

  add NAME --permission N   makes an account; asks for its password
  list                      all accounts and what they may do
  passwd NAME               a new password; ends the account's sessions
  permission NAME N         what the account may do, from its next request on
  remove NAME               ends the account's sessions, too

  N  -1 nothing, 0 view, 1 view and disconnect

A password is asked for without showing it, or read from standard input (one line).
  --force                   also for the last account with permission 1
  --db-path FILE            the database; or --settings FILE, DB_PATH, usher.env, as for the program
`

const SETTINGS_FLAGS = ['--db-path', '--settings']
const NUMBER = /^-?\d+$/

interface Split {
  readonly words: string[]
  readonly settingsArgv: string[]
  permission: string | undefined
  isForced: boolean
  isHelp: boolean
  problem: string | undefined
}

export function parseAccountWords (argv: readonly string[]): AccountWords {
  const { words, settingsArgv, permission, isForced, isHelp, problem } = split(argv)
  if (isHelp) return { kind: 'help' }
  const order = problem ?? orderOf(words, permission, isForced)
  return typeof order === 'string'
    ? { kind: 'wrong', problem: order }
    : { kind: 'order', order, settingsArgv }
}

/** Tells words from flags. A flag's value stands behind it or behind its `=`. */
function split (argv: readonly string[]): Split {
  const found: Split = {
    words: [],
    settingsArgv: [],
    permission: undefined,
    isForced: false,
    isHelp: false,
    problem: undefined
  }
  const rest = argv.flatMap(word => {
    const equals = word.startsWith('--') ? word.indexOf('=') : -1
    return equals === -1 ? [word] : [word.slice(0, equals), word.slice(equals + 1)]
  })
  while (rest.length > 0) {
    const word = rest.shift()!
    if (word === '--help' || word === '-h') found.isHelp = true
    else if (word === '--force') found.isForced = true
    else if (word === '--permission') found.permission = rest.shift() ?? ''
    else if (SETTINGS_FLAGS.includes(word)) found.settingsArgv.push(word, rest.shift() ?? '')
    else if (!word.startsWith('-') || NUMBER.test(word)) found.words.push(word)
    else found.problem ??= `${word} is no option; allowed are --permission, --force, --db-path and --settings`
  }
  return found
}

/** The order, or what is wrong with it. */
function orderOf (
  [command = '', name, ...more]: readonly string[], permission: string | undefined,
  isForced: boolean
): AccountOrder | string {
  const number = command === 'permission' ? permission ?? more.shift() : permission
  if (command === 'list') return name === undefined ? { command } : tooMany(command)
  if (!['add', 'passwd', 'permission', 'remove'].includes(command)) {
    return command === '' ? 'name a command' : `"${command}" is no command`
  }
  if (name === undefined) return `${command} takes the account's name`
  if (more.length > 0) return tooMany(command)
  if (command === 'passwd') return { command, name }
  if (command === 'remove') return { command, name, isForced }
  if (number === undefined || !NUMBER.test(number) || !isPermission(Number(number))) {
    return `the permission must be -1, 0 or 1${number === undefined ? '' : `, not "${number}"`}`
  }
  return command === 'add'
    ? { command, name, permission: Number(number) }
    : { command: 'permission', name, permission: Number(number), isForced }
}

function tooMany (command: string): string {
  return `${command} takes fewer words`
}

function isPermission (number: number): boolean {
  return number >= -1 && number <= 1
}
