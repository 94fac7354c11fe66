/**
 * Reads the settings file: lines of NAME=value, with comments and empty lines between them. Parses
 * no value (see `kinds.ts`). A complaint never shows more of a line than its name, because
 * the rest may be a secret. Starts nothing.
 */
import { nearMiss } from '../near-miss.ts'
import { readSmallFile } from './path-check.ts'
import { quoteName, quotePath } from '../quote.ts'
import { isGiven, type Given } from './given.ts'
import { settingNamed, SETTING_ROWS } from './setting-rows.ts'

export interface SettingsFile {
  readonly given: readonly Given[]
  readonly problems: readonly string[]
}

type Line =
  | { readonly type: 'nothing' }
  | { readonly type: 'setting', readonly name: string, readonly text: string }
  | { readonly type: 'problem', readonly problem: string }

const NAME_AND_VALUE = /^([A-Za-z_]\w*)[ \t]*=[ \t]*(.*)$/
const AFTER_QUOTE = /^[ \t]*(?:#.*)?$/

/**
 * `label` is what complaints call the file. A file that does not exist is no problem unless it
 * `isRequired`.
 */
export function readSettingsFile (
  path: string, label: string, isRequired: boolean
): SettingsFile {
  const file = readSmallFile(path)
  if (file.refusal === undefined) return parseSettingsFile(file.text, label)
  if (file.isMissing && !isRequired) return { given: [], problems: [] }
  return { given: [], problems: [`settings file ${quotePath(label)} ${file.refusal}`] }
}

/** An empty value counts as not given, unless its setting may be empty. */
export function parseSettingsFile (text: string, label: string): SettingsFile {
  const given: Given[] = []
  const problems: string[] = []
  const linesByName = new Map<string, number>()
  for (const [index, lineText] of text.split(/\r\n|\n|\r/).entries()) {
    const origin = `${quoteName(label)} line ${index + 1}`
    const line = parseLine(lineText)
    const problem = problemOf(line, linesByName)
    if (problem !== undefined) problems.push(`${origin}: ${problem}`)
    if (line.type !== 'setting') continue
    if (!linesByName.has(line.name)) linesByName.set(line.name, index + 1)
    const row = settingNamed(line.name)
    if (row !== undefined && isGiven(row, line.text)) given.push({ row, text: line.text, origin })
  }
  return { given, problems }
}

function problemOf (line: Line, linesByName: ReadonlyMap<string, number>): string | undefined {
  if (line.type === 'nothing') return undefined
  if (line.type === 'problem') return line.problem
  if (settingNamed(line.name) === undefined) return unknownSetting(line.name)
  const firstLine = linesByName.get(line.name)
  if (firstLine === undefined) return undefined
  return `${line.name} is given a second time, after line ${firstLine}`
}

function parseLine (text: string): Line {
  const trimmed = text.replaceAll(/^[ \t]+|[ \t]+$/g, '')
  if (trimmed === '' || trimmed.startsWith('#')) return { type: 'nothing' }
  const [, name, value] = NAME_AND_VALUE.exec(trimmed) ?? []
  if (name === undefined || value === undefined) {
    return { type: 'problem', problem: 'not of the form NAME=value' }
  }
  const mark = value[0]
  return mark === '"' || mark === "'" ? parseQuoted(name, value, mark) : parseBare(name, value)
}

/** What stands between the marks is the value as it is: there are no escapes. */
function parseQuoted (name: string, value: string, mark: string): Line {
  const end = value.indexOf(mark, 1)
  if (end === -1) return { type: 'problem', problem: `${name} lacks the closing ${mark}` }
  if (!AFTER_QUOTE.test(value.slice(end + 1))) {
    return { type: 'problem', problem: `${name} has text after the closing ${mark}` }
  }
  return { type: 'setting', name, text: value.slice(1, end) }
}

/**
 * Whether such a # starts a comment or belongs to a password cannot be told, so the line is
 * refused.
 */
function parseBare (name: string, value: string): Line {
  if (/(?:^|[ \t])#/.test(value)) {
    const problem = `${name} has a bare #; put the value in quotes, or the comment on a line of its own`
    return { type: 'problem', problem }
  }
  return { type: 'setting', name, text: value }
}

function unknownSetting (name: string): string {
  const near = nearMiss(name, SETTING_ROWS.map(row => row.name))
  if (near === undefined) return `unknown setting ${quoteName(name)}; --help lists all settings`
  return `unknown setting ${quoteName(name)}, did you mean ${near}?`
}
