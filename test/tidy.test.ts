/** What readers forget: rows and lines that should be there, and things that should not. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import t from 'tap'
import { settingsMarkdown } from '@usher/shared/settings/settings-text.ts'
import { AUDIT_WORDS } from '@usher/workers/records/audit-match.ts'
import { AUDIT } from '../html/monitor-script/kit/texts.ts'
import { ROOT } from './cluster.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
// Tracked files and new ones; ignored ones are left out.
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

t.test('tidy: no file imports itself by way of others', async t => {
  const typescript = files.filter(path => path.endsWith('.ts'))
  const importsOf = new Map(typescript.map(path => [path, importedFiles(path)]))
  t.ok(importsOf.get('packages/coordinator/src/main.ts')!.length > 5, 'imports are found')
  t.strictSame(findCycle(importsOf), [])
})

t.test('tidy: no folder of the console\'s scripts has more than 15 files', async t => {
  const folders = files.filter(path => path.startsWith('html/monitor-script/')).map(dirname)
  for (const folder of new Set(folders)) {
    const count = folders.filter(other => other === folder).length
    t.ok(count <= 15, `${folder} has ${count} files`)
  }
})

t.test('tidy: no two modules of the product have one name', async t => {
  const product = files.filter(path => /^(packages\/[^/]+\/src|html)\/.*\.ts$/.test(path) &&
    !path.startsWith('html/test/') && !path.endsWith('/main.ts'))
  t.ok(product.length > 200, 'modules are found')
  for (const name of new Set(product.map(path => basename(path)))) {
    t.equal(product.filter(path => basename(path) === name).length, 1, name)
  }
})

t.test('tidy: ARCHITECTURE.md has a line for every folder of source', async t => {
  const architecture = read('ARCHITECTURE.md')
  const folders = new Set(sources.map(path => path.slice(0, path.lastIndexOf('/'))))
  for (const folder of folders) t.ok(architecture.includes(`\`${folder}`), folder)
})

t.test('tidy: the files that ARCHITECTURE.md names are there', async t => {
  for (const [, name = ''] of read('ARCHITECTURE.md').matchAll(/`([\w.-][\w./-]*\.(?:ts|md|pml))`/g)) {
    t.ok(files.some(path => path === name || path.endsWith(`/${name}`)), name)
  }
})

t.test('tidy: no merge left its marks', async t => {
  const marks = /^(?:<{7} |={7}$|>{7} )/m
  for (const path of files.filter(path => /\.(ts|mjs|js|json|md|html|css|sql|yml)$/.test(path))) {
    t.notMatch(read(path), marks, path)
  }
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

t.test('tidy: the lock files name no host', async t => {
  for (const path of files.filter(path => basename(path) === 'package-lock.json')) {
    t.notMatch(read(path), /"resolved": "https?:/, path)
  }
})

/** The files of this tree that a file imports, types included. */
function importedFiles (path: string): readonly string[] {
  return [...read(path).matchAll(/^(?:import|export|\}).* from '([^']+)'|^import '([^']+)'/gm)]
    .map(([, from, bare]) => (from ?? bare)!)
    .map(name => name.startsWith('@usher/')
      ? name.replace(/^@usher\/(\w+)\//, 'packages/$1/src/')
      : normalize(join(dirname(path), name)))
    .filter(imported => files.includes(imported))
}

/** The files of one cycle, in order; empty when there is none. */
function findCycle (importsOf: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): readonly string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path]
    if (done.has(path)) return []
    for (const imported of importsOf.get(path) ?? []) {
      const cycle = visit(imported, [...way, path])
      if (cycle.length > 0) return cycle
    }
    done.add(path)
    return []
  }
  for (const path of importsOf.keys()) {
    const cycle = visit(path, [])
    if (cycle.length > 0) return cycle
  }
  return []
}
