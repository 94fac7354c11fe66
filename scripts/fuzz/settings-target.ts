/**
 * The settings as a target: command lines, environments and files, whole and broken; and what must
 * hold for each: settings, or an error that says in every line what is wrong where. Runs in a
 * thread of the fuzzer's own.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reportOf } from '@usher/shared/errors.ts'
import { SETTING_ROWS } from '@usher/shared/settings/setting-rows.ts'
import { loadSettings } from '@usher/shared/settings/settings.ts'
import { renderCheck } from '@usher/shared/settings/settings-text.ts'
import { Random } from '../kit/random.ts'
import { breakBytes } from './framing-breaks.ts'
import type { SettingsInput } from './inputs.ts'
import { nastyNumber, nastyText } from './nasty-values.ts'

const SETTINGS_SEQUENCE = 2
const ASSIGNMENTS_MAX = 6
const BREAK_SHARE = 0.3
const SECRET = 'planted-secret-in-a-setting'
/** Of values that some setting takes. */
const VALUES = [
  '8080', '0', '8000,8001', '0.35', '1e3', '127.0.0.1', '::', '[::1]', 'localhost', 'shop.example',
  'site', 'site,site', 'site/,', '.', '/dev/null', '/dev/zero', '/proc/self/mem', 'usher.env', '-', 'info', 'INFO',
  'http://a.example', 'https://a.example:99999/', 'http://[::1', 'https://\u00e9.example', '10.0.0.0/8',
  '::/0', '::ffff:1.2.3.4/120', '10.0.0.0/33', 'a,b,,c', ',', ' 5 ', '131072', '4194305', '""', "'a'"
]
/** What a line of a complaint begins with, or has in it: where to look. */
const NAMES = SETTING_ROWS.map(({ name }) => name)
const SECRET_NAMES: readonly string[] = SETTING_ROWS
  .filter(({ isSecret }) => isSecret).map(({ name }) => name)
const PLACES = /\bflag |\bline \d+: |^settings file |^unexpected argument |^unknown (flag|setting) /

/** Input number n depends on seed and n alone. */
export function settingsInput (seed: number, number: number): SettingsInput {
  const random = new Random(seed, SETTINGS_SEQUENCE, number)
  const isBroken = random.chance(BREAK_SHARE)
  const damage = (text: string): string =>
    isBroken && text !== '' && random.chance(0.5) ? breakBytes(text, fileText(random), random) : text
  const file = random.chance(0.6) ? damage(fileText(random)) : undefined
  return {
    to: 'settings',
    argv: flags(random).map(damage),
    env: Object.fromEntries(some(random).map(name => [name, valueOf(name, random)])),
    ...(file !== undefined && { file }),
    // Wherever else damage moves it, it may be quoted.
    ...(!isBroken && { secret: SECRET })
  }
}

/** @returns what is wrong; leaves nothing in `cwd` */
export function wrongSettings (
  { argv, env, file, secret }: SettingsInput, cwd: string, programDir: string
): string[] {
  const path = join(cwd, 'usher.env')
  if (file !== undefined) writeFileSync(path, file, 'latin1')
  try {
    const loaded = loadSettings({ argv, env, cwd, programDir })
    const shown = loaded.settings === undefined ? '' : renderCheck(loaded.effective)
    return isShown(secret, shown) ? ['--check shows a secret'] : []
  } catch (error) {
    const { code, message, stack } = reportOf(error)
    if (code !== 'USHER_SETTINGS_INVALID') return [`threw ${code}: ${stack}`]
    const lost = message.split('\n').find(line =>
      !PLACES.test(line) && !NAMES.some(name => line.includes(name)))
    return [
      ...(lost === undefined ? [] : [`a complaint says not where: ${JSON.stringify(lost)}`]),
      ...(isShown(secret, message) ? ['a complaint shows a secret'] : [])
    ]
  } finally {
    if (file !== undefined) rmSync(path)
  }
}

function isShown (secret: string | undefined, text: string): boolean {
  return secret !== undefined && text.includes(secret)
}

function some (random: Random): readonly string[] {
  return Array.from({ length: random.between(0, ASSIGNMENTS_MAX) }, () => random.pick(NAMES))
}

function valueOf (name: string, random: Random): string {
  if (SECRET_NAMES.includes(name)) return SECRET + random.pick(['', ' ', '\0', '#', '"'])
  return random.pick([random.pick(VALUES), nastyText(random), nastyNumber(random)])
}

function flags (random: Random): string[] {
  return some(random).flatMap(name => {
    const known = `--${name.toLowerCase().replaceAll('_', '-')}`
    // Never as a word of its own, which a complaint may quote.
    if (SECRET_NAMES.includes(name)) {
      const value = valueOf(name, random)
      const flag = random.pick([known, `--${name}`, known.replace('s', '')])
      return random.pick([[flag, value], [`${flag}=${value}`]])
    }
    const flag = random.pick([
      known, known, `--${name}`, `-${name}`, '--settings', '--check',
      '--help', '-h', '--', '-', '--=', '--settings=usher.env', '--routing-prot'
    ])
    const value = valueOf(name, random)
    return random.pick([[flag, value], [`${flag}=${value}`], [flag], [value]])
  })
}

function fileText (random: Random): string {
  const lines = some(random).map((name: string) => {
    const value = valueOf(name, random)
    return random.pick([
      `${name}=${value}`, `${name} = ${value}`, `${name}="${value}"`, `${name}='${value}`, `export ${name}=${value}`,
      `# ${name}=${value}`, `${name}`, `${name.toLowerCase()}=${value}`, `${name}="${value}" # why`, ''
    ])
  })
  return lines.join(random.pick(['\n', '\r\n', '\r']))
}
