/** What docs/security-checklist.md points at is there, and no requirement is left out. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from './cluster.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  .trim().split('\n').filter(path => existsSync(join(ROOT, path)))
const text = read('docs/security-checklist.md')
const rows = text.split('\n')
  .filter(line => /^\| \d/.test(line))
  .map(line => line.split(/(?<!\\)\|/).slice(1, -1).map(cell => cell.trim()))

const STATES = ['met', 'not met', 'not applicable']
/** A file in backticks, and the words of its claims that follow it. */
const EVIDENCE = /`([\w.-][\w./-]*\.(?:ts|mjs|js|json|html|md|pml))`((?:,? "[^"]+")*)/g
/** How many requirements each section of ASVS 5.0.0 has. */
const SECTIONS: Readonly<Record<string, readonly number[]>> = {
  1: [2, 10, 12, 3, 3],
  2: [3, 3, 5, 2],
  3: [1, 3, 5, 8, 8, 1, 5],
  4: [5, 5, 2, 4],
  5: [1, 6, 3, 3],
  6: [3, 12, 8, 6, 8, 4, 2, 4],
  7: [3, 4, 2, 5, 3, 2],
  8: [4, 4, 3, 2],
  9: [3, 4],
  11: [4, 5, 5, 4, 2, 2, 2],
  12: [5, 2, 5],
  13: [4, 6, 4, 7],
  14: [2, 8, 3],
  15: [5, 5, 7, 4],
  16: [1, 5, 4, 3, 4]
}

/** The whole path, or the end of one. */
function pathsOf (name: string): string[] {
  return files.includes(name) ? [name] : files.filter(path => path.endsWith(`/${name}`))
}

t.test('security checklist: every file is there, and is one', async t => {
  for (const [, name = ''] of text.matchAll(EVIDENCE)) {
    const found = pathsOf(name)
    t.equal(found.length, 1, `${name} is ${found.join(' and ') || 'nowhere'}`)
  }
})

t.test('security checklist: every claim of a test is in that test', async t => {
  for (const [, name = '', claims = ''] of text.matchAll(EVIDENCE)) {
    const [path] = pathsOf(name)
    for (const [, claim = ''] of claims.matchAll(/"([^"]+)"/g)) {
      t.ok(path !== undefined && read(path).includes(claim), `${name}: ${claim}`)
    }
  }
})

t.test('security checklist: every requirement has its row, once, and every row its state', async t => {
  const listed: string[] = []
  for (const [number = '', level = '', , state = '', why = ''] of rows) {
    const [first = '', last = first] = number.split(' to ')
    const section = first.slice(0, first.lastIndexOf('.') + 1)
    const end = Number(last.slice(section.length))
    for (let at = Number(first.slice(section.length)); at <= end; at++) listed.push(`${section}${at}`)
    t.match(level, /^[123]$/, number)
    t.ok(STATES.includes(state), `${number} is ${state}`)
    if (state !== 'met') t.not(why, '', `${number} says why`)
  }
  const wanted = Object.entries(SECTIONS).flatMap(([chapter, counts]) =>
    counts.flatMap((count, section) => Array.from({ length: count },
      (_, at) => `${chapter}.${section + 1}.${at + 1}`)))
  t.same(listed, wanted)
})

t.test('security checklist: what is met is shown by something', async t => {
  const shownByAbsence = ['6.3.6', '6.4.2']
  for (const [number = '', , , state, , evidence = ''] of rows) {
    if (state !== 'met' || shownByAbsence.includes(number)) continue
    t.match(evidence, /`/, number)
  }
})
