/**
 * The rows of the table of settings, as the code that goes through all of them takes them: with
 * their keys and flags. Starts nothing.
 */
import type { Kind } from './kinds.ts'
import { camelCase, flagOf } from './setting-spelling.ts'
import type { Definition } from './setting-definition.ts'
import {
  TABLE, type SettingKey, type SettingName, type WithUnit
} from './setting-table.ts'

export interface SettingRow extends Definition<unknown> {
  readonly name: SettingName
  readonly key: SettingKey<SettingName>
  /** `--routing-port`; secrets have the form too, though it is refused. */
  readonly flag: string
  readonly isSecret: boolean
}

/** In the order in which they are shown. */
export const SETTING_ROWS: readonly SettingRow[] = Object.entries(TABLE).map(
  ([name, definition]: [string, Definition<unknown>]) => ({
    ...definition,
    name: name as SettingName,
    key: keyOf(name, definition.kind),
    flag: flagOf(name),
    isSecret: definition.isSecret ?? false
  }))

const rowsByName = new Map<string, SettingRow>(SETTING_ROWS.map(row => [row.name, row]))

/** The row of an exact name; undefined for anything else. */
export function settingNamed (name: string): SettingRow | undefined {
  return rowsByName.get(name)
}

/** As the type `SettingKey` has it. */
function keyOf (
  name: string, kind: Kind<unknown> | WithUnit<string>
): SettingKey<SettingName> {
  const suffix = 'keySuffix' in kind ? kind.keySuffix : ''
  return `${camelCase(name)}${suffix}` as SettingKey<SettingName>
}
