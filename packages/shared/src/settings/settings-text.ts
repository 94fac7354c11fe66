/**
 * The settings as text for people: `--help`, `--check` and the README's table, all from the one
 * table. Never shows a secret. Computes only.
 */
import { SETTING_ROWS, type SettingRow } from './setting-rows.ts'
import type { EffectiveSetting } from './settings.ts'

const INTRODUCTION = `usage: node dist/coordinator.js [--name value | --name=value]...
       npm start -- [--name value | --name=value]...
       usher [--name value | --name=value]...          (installed)

  --settings FILE   read FILE instead of usher.env in the working directory
  --check           check the settings, print them (secrets as (set)) and exit
  -h, --help        print this text and exit
  -v, --version     print the version and exit

A flag wins over the environment, that over the settings file (lines of NAME=value,
# comments, values in quotes if need be), and that over the default. In environment
and file an empty value counts as not given (but for PORTS: none).
A wrong setting ends the program with exit code 2.

SIGHUP makes the program read them again, its pages, and the certificate, and go on in a
new log file if the old one was moved. What a reload changes says so below, the rest needs
a restart; when a setting is wrong, nothing is changed.`

/** What `--help` prints; ends with a line feed. */
export function renderHelp (version: string): string {
  const heading = `Usher ${version}: a visitor-aware load balancer with a live operator's console`
  return `${[heading, INTRODUCTION, ...SETTING_ROWS.map(helpOn)].join('\n\n')}\n`
}

/** What `--check` prints: every setting, its effective value and where that came from. */
export function renderCheck (effective: readonly EffectiveSetting[]): string {
  const assignments = effective.map(({ name, text }) => `${name}=${text}`)
  const origins = effective.map(({ origin }) => origin)
  const width = Math.max(...origins.map(origin => origin.length))
  return assignments
    .map((assignment, at) => `${origins[at]!.padEnd(width)}  ${assignment}\n`)
    .join('')
}

/** The README's table; ends with a line feed. */
export function settingsMarkdown (): string {
  const rows = SETTING_ROWS.map(row => {
    const cells = [`\`${row.name}\``, codeUnlessWords(row), row.kind.allowed, meaningOf(row)]
    return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  })
  return `| name | default | allowed | meaning |\n|---|---|---|---|\n${rows.join('')}`
}

function helpOn (row: SettingRow): string {
  const places = row.isSecret ? row.name : `${row.flag}, ${row.name}`
  return [
    `${places} (default: ${defaultOf(row)})`,
    `    ${meaningOf(row)}`,
    `    Allowed: ${row.kind.allowed}.`
  ].join('\n')
}

function meaningOf (row: SettingRow): string {
  return [
    row.meaning,
    ...(row.isSecret ? ['Environment or file only.'] : []),
    ...(row.appliedBy === undefined ? [] : ['A reload changes it.'])
  ].join(' ')
}

function defaultOf (row: SettingRow): string {
  return row.defaultShown ?? (row.default === '' ? 'empty' : row.default)
}

function codeUnlessWords (row: SettingRow): string {
  const isWords = row.defaultShown !== undefined || row.default === ''
  return isWords ? defaultOf(row) : `\`${row.default}\``
}
