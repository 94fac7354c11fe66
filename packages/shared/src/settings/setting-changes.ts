/**
 * What a reload finds: the settings that run and those read again, compared row by row; and how a
 * thread takes over what is every thread's. Reads no file; any thread.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { TlsPair } from '../http/tls-context.ts'
import { SETTING_ROWS, type SettingRow } from './setting-rows.ts'
import type { Applier } from './setting-definition.ts'
import type { LiveName, SettingName, ValuesByKey } from './setting-table.ts'
import type { Slot } from './servers.ts'
import { shownText, type CompleteSettings, type ThreadSettings } from './settings.ts'

export interface SettingChanges {
  /** For each applier its own settings, by their keys. */
  readonly values: { readonly [A in Applier]: ChangedValues<A> }
  /** As the settings name and order them now; undefined when nothing of that has changed. */
  readonly servers: readonly Slot[] | undefined
  /** `LOG_LEVEL from info to debug`, one for each of these values. */
  readonly texts: readonly string[]
  /** Those that differ and keep the value that they run with. */
  readonly needRestart: readonly SettingName[]
  /**
   * What the files that TLS_CERT and TLS_KEY name hold now, checked; undefined without TLS, and
   * while one of the two needs a restart.
   */
  readonly certificate: TlsPair | undefined
}

export type ChangedValues<A extends Applier> = Partial<ValuesByKey<LiveName<A>>>

/** They say which servers of our own there are, and what they are called. */
const OWN_ORDER: readonly SettingName[] = ['PORTS', 'SERVER_NAMES']

type Compared = Pick<CompleteSettings, 'settings' | 'values'>

/** @param running those of the start; what reloads have changed since is in its `live` */
export function compareSettings (running: Compared, read: Compared): SettingChanges {
  const differing = SETTING_ROWS.filter(row =>
    !isDeepStrictEqual(valueNow(running, row), read.values[row.name]))
  // What is said in the order of the servers waits with them.
  const isOrderKept = !differing.some(({ name }) => OWN_ORDER.includes(name))
  const isLive = ({ appliedBy }: SettingRow): boolean =>
    appliedBy !== undefined && (appliedBy !== 'servers' || isOrderKept)
  const live = differing.filter(isLive)
  const valuesFor = <A extends Applier>(applier: A): ChangedValues<A> => Object.fromEntries(
    live.filter(row => row.appliedBy === applier)
      .map(row => [row.key, read.values[row.name]])) as ChangedValues<A>
  const needRestart = differing.filter(row => !isLive(row)).map(row => row.name)
  const isSameFiles = !needRestart.includes('TLS_CERT') && !needRestart.includes('TLS_KEY')
  return {
    values: {
      router: valuesFor('router'),
      loader: valuesFor('loader'),
      table: valuesFor('table'),
      servers: valuesFor('servers'),
      'every-thread': valuesFor('every-thread')
    },
    servers: live.some(({ appliedBy }) => appliedBy === 'servers')
      ? read.settings.servers
      : undefined,
    texts: live.map(row => `${row.name} from ${textOf(row, valueNow(running, row))} ` +
      `to ${textOf(row, read.values[row.name])}`),
    needRestart,
    certificate: isSameFiles ? read.settings.tls : undefined
  }
}

/** From here on the new values are in force, the log's level among them. */
export function applyToThread (
  live: ThreadSettings, changes: ChangedValues<'every-thread'>, log: Pick<Logger, 'level'>
): void {
  Object.assign(live, changes)
  log.level = live.logLevel
}

function valueNow ({ settings, values }: Compared, { name, key, appliedBy }: SettingRow): unknown {
  const live: Readonly<Record<string, unknown>> = { ...settings.live }
  return appliedBy === undefined ? values[name] : live[key]
}

function textOf (row: SettingRow, value: unknown): string {
  return shownText(row, value) || '(empty)'
}
