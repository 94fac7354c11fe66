/** docs/decisions.md is numbered without a gap, dated and listed at its top; evidence exists. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from './cluster.ts'

const text = readFileSync(join(ROOT, 'docs/decisions.md'), 'utf8')
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  .trim().split('\n').filter(path => existsSync(join(ROOT, path)))

interface Decision { number: number, title: string, date: string, replacedBy: number | null }

const decisions = [...text.matchAll(/^### (\d+)\. (.+) \((\d{4}-\d\d-\d\d)(.*)\)$/gm)]
  .map(([, number, title = '', date = '', note = '']): Decision => {
    const by = /, superseded by (\d+)/.exec(note)?.[1]
    return { number: Number(number), title, date, replacedBy: by === undefined ? null : Number(by) }
  })
const byNumber = decisions.toSorted((a, b) => a.number - b.number)

t.test('decisions: every heading has a number, once, and a date', async t => {
  t.equal(decisions.length, text.match(/^### /gm)?.length)
  t.strictSame(byNumber.map(({ number }) => number), byNumber.map((_, at) => at + 1))
})

t.test('decisions: a later number has no earlier date', async t => {
  const dates = byNumber.map(({ date }) => date)
  t.strictSame(dates, dates.toSorted())
})

t.test('decisions: the contents list all of them, in the order of the text', async t => {
  const listed = [...text.matchAll(/^- (\d+)\. (.+?)(?: \(superseded by \d+\))?$/gm)]
  t.strictSame(listed.map(([, number, title]) => `${number} ${title}`),
    decisions.map(({ number, title }) => `${number} ${title}`))
})

t.test('decisions: only a later one supersedes', async t => {
  for (const { number, replacedBy } of decisions) {
    if (replacedBy === null) continue
    t.ok(replacedBy > number && replacedBy <= decisions.length, `${number} by ${replacedBy}`)
    t.match(text, new RegExp(`^### ${replacedBy}\\. .*replaces ${number}`, 'm'))
  }
})

t.test('decisions: the files that they name are there', async t => {
  for (const [, name = ''] of text.matchAll(/`([\w.-][\w./-]*\.(?:ts|mjs|md|pml))`/g)) {
    t.ok(files.some(path => path === name || path.endsWith(`/${name}`)), name)
  }
})
