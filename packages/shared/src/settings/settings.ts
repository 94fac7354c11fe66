/**
 * The settings: from flags over environment over file over default to one complete, validated
 * value, or to one error that names everything that is wrong. The only file that may look at the
 * environment and the command line. Reads files that settings name; runs on the main thread at
 * start, and starts nothing.
 */
import { hostname, networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import { SettingsInvalid } from '../errors.ts'
import { complain, DEFAULT_ORIGIN, isGiven, type Given } from './given.ts'
import { SETTING_ROWS, type SettingRow } from './setting-rows.ts'
import type {
  LiveName, SettingName, SettingValues, ValidValues, ValuesByKey
} from './setting-table.ts'
import { checkCluster } from './cluster-check.ts'
import { checkTls, disagreements, pathProblems, type GivenByName } from './consistency.ts'
import { completeValues } from './completion.ts'
import { SERVER_SETTINGS, serversOf, type ServerSettingName, type Slot } from './servers.ts'
import { readSettingsFile } from './settings-file.ts'
import { parseFlags, type Flags } from './flags.ts'
import type { TlsPair } from '../http/tls-context.ts'

/**
 * Every setting, validated and complete, by the keys that the table gives them: addresses and paths
 * are filled in and absolute; what is said of each server is in one value for it.
 */
export interface Settings extends WorkerSettings {
  /** What a reload may change: one object for good, to be read at each use and never copied. */
  readonly live: LiveSettings
}

/** As workers have them: without what only the router applies. */
export interface WorkerSettings
  extends ValuesByKey<Exclude<SettingName, LiveName | ServerSettingName>> {
  /**
   * By index: in the order of the settings, own ones first, then those that came while the program
   * runs. One list for good in each thread, whose entries change: see server-list.ts.
   */
  readonly servers: readonly Slot[]
  readonly live: ThreadSettings
  /** The PEM texts; undefined without TLS. */
  readonly tls: TlsPair | undefined
}

export type LiveSettings = ValuesByKey<LiveName>

export type ThreadSettings = ValuesByKey<LiveName<'every-thread'>>

/** Everything that settings are read from. */
export interface SettingsSource {
  /** What follows the program's name on the command line. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The folder that holds coordinator.js, and with it the default html. */
  readonly programDir: string
}

/** One setting as it came out, fit to be shown. */
export interface EffectiveSetting {
  readonly name: string
  /** A secret is `(set)` or `(empty)`. */
  readonly text: string
  readonly origin: string
}

/** Help and version need no settings, and work when the settings are wrong. */
export type LoadedSettings =
  | { readonly command: 'help' | 'version', readonly settings?: undefined }
  | CompleteSettings

export interface CompleteSettings {
  readonly command: 'run' | 'check'
  readonly settings: Settings
  /** What these were made of, row by row. */
  readonly values: SettingValues
  readonly effective: readonly EffectiveSetting[]
}

const DEFAULT_FILE = 'usher.env'

/** The running program's own source. */
export function processSource (programDir: string): SettingsSource {
  return { argv: process.argv.slice(2), env: process.env, cwd: process.cwd(), programDir }
}

/**
 * Throws `SettingsInvalid` with a line for each problem: the setting, where it came from, its value
 * (never a secret's) and what is allowed.
 */
export function loadSettings (source: SettingsSource): LoadedSettings {
  const flags = parseFlags(source.argv)
  const { command } = flags
  if (command === 'help' || command === 'version') return { command }
  const { given, problems, path } = collect(source, flags)
  const parsed = parseAll(given)
  const values = completeValues(parsed.values, given.HTML_DIRS.origin === DEFAULT_ORIGIN, {
    cwd: source.cwd,
    programDir: source.programDir,
    get interfaces () { return networkInterfaces() }, // Takes a millisecond.
    get hostName () { return hostname() }
  })
  const tls = checkTls(values, given)
  const cluster = checkCluster(values, given)
  const all = [
    ...problems, ...parsed.problems, ...disagreements(values, given),
    ...pathProblems(values, given, path), ...tls.problems, ...cluster.problems
  ]
  if (all.length > 0) throw new SettingsInvalid(all.join('\n'))
  // No problem means that no value is missing.
  const complete = values as SettingValues
  return {
    command,
    settings: settingsOf({ ...complete, CLUSTER_SECRET: cluster.secret }, tls.pair),
    values: complete,
    effective: show(complete, given)
  }
}

/** Each setting from the place that has precedence. */
function collect (
  source: SettingsSource, flags: Flags
): { readonly given: GivenByName, readonly problems: readonly string[], readonly path: string } {
  const label = flags.settingsPath ?? DEFAULT_FILE
  const path = resolve(source.cwd, label)
  const file = readSettingsFile(path, label, flags.settingsPath !== undefined)
  const inOrder = [...flags.given, ...givenInEnvironment(source.env), ...file.given]
  const entries = SETTING_ROWS.map(row => {
    const given = inOrder.find(candidate => candidate.row === row)
    return [row.name, given ?? { row, text: row.default, origin: DEFAULT_ORIGIN }]
  })
  return {
    path,
    given: Object.fromEntries(entries) as GivenByName,
    problems: [...flags.problems, ...file.problems]
  }
}

/**
 * An empty variable counts as not given, unless its setting may be empty; an unknown one belongs to
 * other programs.
 */
function givenInEnvironment (env: SettingsSource['env']): readonly Given[] {
  return SETTING_ROWS.flatMap(row => {
    const text = env[row.name]
    return text === undefined || !isGiven(row, text) ? [] : [{ row, text, origin: 'environment' }]
  })
}

function parseAll (
  given: GivenByName
): { readonly values: ValidValues, readonly problems: readonly string[] } {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  for (const { name, kind } of SETTING_ROWS) {
    const parsed = kind.parse(given[name].text)
    if (parsed.refusal === undefined) values[name] = parsed.value
    else problems.push(complain(given[name], parsed.refusal))
  }
  // Each row's kind made the value that stands under the row's name.
  return { values: values as ValidValues, problems }
}

function show (values: SettingValues, given: GivenByName): readonly EffectiveSetting[] {
  return SETTING_ROWS.map(row =>
    ({ name: row.name, text: shownText(row, values[row.name]), origin: given[row.name].origin }))
}

/** The value as text; a secret's is `(set)` or `(empty)`. */
export function shownText ({ kind, isSecret }: SettingRow, value: unknown): string {
  const text = kind.format(value)
  if (!isSecret) return text
  return text === '' ? '(empty)' : '(set)'
}

function settingsOf (values: SettingValues, tls: TlsPair | undefined): Settings {
  const ofServers: readonly SettingName[] = SERVER_SETTINGS
  const byKey = (rows: readonly SettingRow[]): object =>
    Object.fromEntries(rows.map(({ key, name }) => [key, values[name]]))
  const fixed = SETTING_ROWS.filter(({ name, appliedBy }) =>
    appliedBy === undefined && !ofServers.includes(name))
  const live = SETTING_ROWS.filter(({ appliedBy }) => appliedBy !== undefined)
  // Each value stands under its row's key, as the types say.
  return { ...byKey(fixed), servers: serversOf(values), live: byKey(live), tls } as Settings
}
