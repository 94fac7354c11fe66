/** What readers forget: rows and lines that should be there, and things that should not. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { settingsMarkdown } from '@usher/shared/settings/settings-text.ts'
import { AUDIT_WORDS } from '@usher/workers/records/audit-match.ts'
import { AUDIT } from '../html/monitor-script/kit/texts.ts'
import { ROOT } from './cluster.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
// Tracked files and new ones; ignored ones are nobody's business.
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  .trim().split('\n').filter(path => existsSync(join(ROOT, path)))
const sources = files.filter(path => /^packages\/[^/]+\/src\/.*\.ts$/.test(path))

t.test('tidy: every source file opens with what it is', async t => {
  for (const source of sources) t.match(read(source), /^\/\*\*/, source)
})

t.test('tidy: no source file holds a second idea', async t => {
  for (const source of sources) {
    const lines = read(source).split('\n').length
    t.ok(lines <= 300, `${source} has ${lines} lines`)
  }
})

t.test('tidy: nothing unfinished, skipped or narrowed is left', async t => {
  const words = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'not implemented']
  const marks = new RegExp(`\\b(${words.join('|')})\\b`)
  const narrowed = /\bt\.(only|skip|todo)\b/
  for (const path of files.filter(path => /\.(ts|mjs|js)$/.test(path) && basename(path) !== 'tidy.test.ts')) {
    t.notMatch(read(path), marks, path)
    if (path.endsWith('.test.ts')) t.notMatch(read(path), narrowed, path)
  }
})

t.test('tidy: ARCHITECTURE.md has a line for every folder of source', async t => {
  const architecture = read('ARCHITECTURE.md')
  const folders = new Set(sources.map(path => path.slice(0, path.lastIndexOf('/'))))
  for (const folder of folders) t.ok(architecture.includes(`\`${folder}`), folder)
})

t.test('tidy: the README shows the settings as the program has them', async t => {
  t.ok(read('README.md').includes(settingsMarkdown().trim()))
})

t.test('tidy: every dependency has its line in docs/decisions.md', async t => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as
    Record<string, Record<string, string>>
  const decisions = read('docs/decisions.md')
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    t.match(version, /^\d/, `${name} is pinned`)
    if (!name.startsWith('@types/')) t.ok(decisions.includes(`\`${name}\``), name)
  }
})

t.test('tidy: the audit is searched by the words that the console says', async t => {
  t.strictSame(AUDIT_WORDS, AUDIT.actions)
})

t.test('tidy: the lock file names no host', async t => {
  t.notMatch(read('package-lock.json'), /"resolved": "https?:/)
})
