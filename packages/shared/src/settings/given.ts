/**
 * One setting as it was given: its text, and where that came from. Words the complaint about it,
 * so that no complaint ever shows a secret. Starts nothing.
 */
import { quote } from '../quote.ts'
import type { SettingRow } from './setting-rows.ts'

export interface Given {
  readonly row: SettingRow
  readonly text: string
  /** `flag --routing-port`, `environment`, `usher.env line 3` or `default`. */
  readonly origin: string
}

export const DEFAULT_ORIGIN = 'default'

/** In environment and file; a flag is there to be given. */
export function isGiven (row: SettingRow, text: string): boolean {
  return text !== '' || row.mayBeEmpty === true
}

/** `ROUTING_PORT (environment)`. */
export function describe (given: Given): string {
  return `${given.row.name} (${given.origin})`
}

/**
 * One line: the setting, where it came from, its value unless that is secret, what is wrong with it
 * (`refusal` may be empty) and what is allowed.
 */
export function complain (
  given: Given, refusal: string, allowed: string = given.row.kind.allowed
): string {
  const value = given.row.isSecret ? 'has a wrong value (not shown)' : `is ${quote(given.text)}`
  const detail = refusal === '' ? '' : `: ${refusal}`
  return `${describe(given)} ${value}${detail}; allowed: ${allowed}`
}
