/**
 * Reads the command line: which command is asked for, and which settings are given as flags. Parses
 * no value (see `kinds.ts`) and does not touch the process. Starts nothing.
 */
import { nearMiss } from '../near-miss.ts'
import { quote, quoteName } from '../quote.ts'
import type { Given } from './given.ts'
import { SETTING_ROWS, type SettingRow } from './setting-rows.ts'

export type Command = 'run' | 'help' | 'version' | 'check'

export interface Flags {
  readonly command: Command
  /** The argument of `--settings`; undefined when the flag is absent. */
  readonly settingsPath: string | undefined
  readonly given: readonly Given[]
  readonly problems: readonly string[]
}

/** One flag and what belongs to it. */
interface Argument {
  /** Without the value: `--routing-port`, `-h`; or a positional argument as it stands. */
  readonly flag: string
  /** After `=`, or the next argument; undefined when there is neither. */
  readonly value: string | undefined
  readonly isJoined: boolean
}

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['--help', 'help'], ['-h', 'help'], ['--version', 'version'], ['-v', 'version'],
  ['--check', 'check']
])
/** The one that wins when several are given. */
const COMMANDS_BY_RANK: readonly Command[] = ['help', 'version', 'check']
const SETTINGS_FLAG = '--settings'

const rowsByFlag = new Map<string, SettingRow>(SETTING_ROWS.map(row => [row.flag, row]))
const knownFlags = [...SETTING_ROWS.map(row => row.flag), ...COMMANDS.keys(), SETTINGS_FLAG]
  .filter(flag => flag.startsWith('--'))

/** `argv` holds what follows the program's name. Never throws. */
export function parseFlags (argv: readonly string[]): Flags {
  const args = split(argv)
  const asked = args.filter(arg => !arg.isJoined).map(arg => COMMANDS.get(arg.flag))
  return {
    command: COMMANDS_BY_RANK.find(command => asked.includes(command)) ?? 'run',
    settingsPath: args.find(arg => arg.flag === SETTINGS_FLAG)?.value,
    given: args.flatMap(givenBy),
    problems: [...args.flatMap(problemsOf), ...repeated(args)]
  }
}

function split (argv: readonly string[]): readonly Argument[] {
  const args: Argument[] = []
  let at = 0
  while (at < argv.length) {
    const arg = argumentAt(argv, at)
    args.push(arg)
    at += arg.value === undefined || arg.isJoined ? 1 : 2
  }
  return args
}

/**
 * An unknown flag takes the next argument with it too: that may be a secret whose flag is misspelt,
 * and must not be quoted as a stray word.
 */
function argumentAt (argv: readonly string[], at: number): Argument {
  const text = argv[at]!
  const equals = text.indexOf('=')
  if (isFlag(text) && equals !== -1) {
    return { flag: text.slice(0, equals), value: text.slice(equals + 1), isJoined: true }
  }
  const next = argv[at + 1]
  const hasValue = isFlag(text) && !COMMANDS.has(text) && next !== undefined && !isNextFlag(next)
  return { flag: text, value: hasValue ? next : undefined, isJoined: false }
}

function isFlag (text: string): boolean {
  return text.startsWith('-') && text !== '-'
}

/** `-` and `-1` are values; a value that starts with two dashes must be joined with `=`. */
function isNextFlag (text: string): boolean {
  return text.startsWith('--') || COMMANDS.has(text)
}

function givenBy ({ flag, value }: Argument): readonly Given[] {
  const row = rowsByFlag.get(flag)
  if (row === undefined || row.isSecret || value === undefined) return []
  return [{ row, text: value, origin: `flag ${flag}` }]
}

function problemsOf ({ flag, value }: Argument): readonly string[] {
  if (!isFlag(flag)) return [`unexpected argument ${quote(flag)}; settings are given as --name value`]
  if (COMMANDS.has(flag)) return value === undefined ? [] : [`flag ${flag} takes no value`]
  const row = rowsByFlag.get(flag)
  if (row === undefined && flag !== SETTINGS_FLAG) return [unknownFlag(flag)]
  if (row?.isSecret === true) return [secretFlag(row)]
  if (value === undefined) return [`flag ${flag} needs a value`]
  if (row === undefined && value === '') return [`flag ${flag} needs the name of a file`]
  return []
}

function unknownFlag (flag: string): string {
  const near = nearMiss(flag, knownFlags)
  if (near === undefined) return `unknown flag ${quoteName(flag)}; --help lists all flags`
  const row = rowsByFlag.get(near)
  const meant = row?.isSecret === true ? `${row.name} (environment or file only)` : near
  return `unknown flag ${quoteName(flag)}, did you mean ${meant}?`
}

function secretFlag (row: SettingRow): string {
  return `${row.name} (flag ${row.flag}) is secret, and flags can be read in the process list; ` +
    `allowed: ${row.name}=... in the environment or in usher.env`
}

/** Commands may be repeated: that harms nobody. */
function repeated (args: readonly Argument[]): readonly string[] {
  const flags = args.map(arg => arg.flag)
  return [...new Set(flags.filter((flag, at) => flags.indexOf(flag) < at))]
    .filter(flag => rowsByFlag.has(flag) || flag === SETTINGS_FLAG)
    .map(flag => `flag ${flag} is given more than once`)
}
