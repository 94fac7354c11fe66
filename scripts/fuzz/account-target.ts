/**
 * The account command as a target: its words and what comes on standard input, whole and broken;
 * and what must hold for each: an exit code of its own, words for people, no password shown. Runs
 * in a thread of the fuzzer's own, on a database there.
 */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runAccountCommand } from '@usher/workers/account-command/account-command.ts'
import { openDatabase } from '@usher/workers/database/open.ts'
import { PROGRAM_DIR } from '../kit/places.ts'
import { Random } from '../kit/random.ts'
import { breakBytes } from './framing-breaks.ts'
import type { AccountInput } from './inputs.ts'
import { nastyNumber, nastyText } from './nasty-values.ts'

const ACCOUNT_SEQUENCE = 3
const DATABASE = 'accounts.db'
const SITE = 'site'
export const ACCOUNT_ENV = { DB_PATH: DATABASE, HTML_DIRS: SITE, LOG_FILE: '-' }
const SECRET = 'planted secret of an account'
const EXIT_CODES = [0, 1, 2]
const STACK = /\n\s+at .+:\d+/
/** Each takes a hash of the password, some 50 ms: seldom. */
const GOOD_PASSWORD_SHARE = 0.05
const BREAK_SHARE = 0.3
const BYTES_MAX = 6000

/** A temporary folder with a site and the database that the command changes, for it makes none. */
export function makeAccountsFolder (): string {
  const folder = mkdtempSync(join(tmpdir(), 'usher-fuzz-'))
  mkdirSync(join(folder, SITE))
  openDatabase(join(folder, DATABASE), join(PROGRAM_DIR, 'db')).close()
  return folder
}

/** Input number n depends on seed and n alone. */
export function accountInput (seed: number, number: number): AccountInput {
  const random = new Random(seed, ACCOUNT_SEQUENCE, number)
  const isBroken = random.chance(BREAK_SHARE)
  const words = random.pick(COMMANDS)(random)
  const argv = isBroken ? words.map(word => damaged(word, random)) : words
  return {
    to: 'account',
    argv: argv.map(inside),
    stdin: passwordText(random).slice(0, BYTES_MAX),
    // Only where it has not become another word by chance.
    ...(!isBroken && { secret: SECRET })
  }
}

/** @returns what is wrong */
export async function wrongAccount (
  { argv, stdin, secret }: AccountInput, cwd: string, programDir: string
): Promise<string[]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const code = await runAccountCommand({ argv, env: ACCOUNT_ENV, cwd, programDir }, {
    stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin, 'latin1')]), stdout, stderr
  })
  const said = await Promise.all([stdout.end(), stderr.end()].map(stream => text(stream)))
  return wrongEnd(code, said.join(''), secret)
}

/** Of the command in a process of its own, too. */
export function wrongEnd (code: number | null, said: string, secret: string | undefined): string[] {
  return [
    ...(code !== null && EXIT_CODES.includes(code) ? [] : [`ended with ${code}`]),
    ...(code === 0 || said.includes('account: ') ? [] : [`ended with ${code} without a reason`]),
    ...(STACK.test(said) ? [`said a stack: ${said}`] : []),
    ...(secret !== undefined && said.includes(secret) ? ['shows a password'] : [])
  ]
}

const COMMANDS: ReadonlyArray<(random: Random) => string[]> = [
  random => ['add', nameOf(random), '--permission', permissionOf(random)],
  random => ['add', `--permission=${permissionOf(random)}`, nameOf(random)],
  random => ['passwd', nameOf(random)],
  random => ['logout', random.pick(['--all', nameOf(random)])],
  random => ['permission', nameOf(random), permissionOf(random)],
  random => ['permission', nameOf(random), permissionOf(random), '--force'],
  random => ['remove', nameOf(random), '--force'],
  random => ['remove', nameOf(random)],
  () => ['list'],
  random => ['list', '--db-path', nameOf(random)],
  random => ['list', `--settings=${nameOf(random)}`],
  random => Array.from({ length: random.between(0, 5) }, () => random.pick([
    'add', 'list', 'passwd', 'ADD', '--force', '--force=1', '--permission', '--', '-1', '-h', '--help', '__proto__',
    'constructor', nameOf(random), permissionOf(random)
  ]))
]

function nameOf (random: Random): string {
  return random.pick(['anna', 'ANNA', 'bert', '\u0130da', 'caf\u00e9', 'cafe\u0301', '-1', '', nastyText(random)])
}

function permissionOf (random: Random): string {
  return random.chance(0.7) ? random.pick(['-1', '0', '1']) : nastyNumber(random)
}

function damaged (word: string, random: Random): string {
  return word !== '' && random.chance(0.4) ? breakBytes(word, nastyText(random), random) : word
}

function passwordText (random: Random): string {
  if (random.chance(GOOD_PASSWORD_SHARE)) return `${SECRET}\n`
  return random.pick([
    '', '\n', 'short\n', `${SECRET}\0\n`, `${SECRET}\xff`, 'anna'.repeat(4), 'a'.repeat(1025), 'a'.repeat(5000),
    '\xed\xa0\x80'.repeat(12), '\r\n', `\n${SECRET}`
  ])
}

/** No word leads out of the folder: the command makes files where it is told to. */
function inside (word: string): string {
  return word.replaceAll('..', '.').replaceAll(/(^|=)\/+/g, '$1')
}
