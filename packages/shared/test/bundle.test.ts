import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import t, { type Test } from 'tap'
import { runBundle } from '@usher/shared/bundle.ts'

const NAME = 'part.js'
const WRAPPER = ['(function (exports, require, module, __filename, __dirname) { ', '\n});']

/** The folder of a bundle of this source, with the code that V8 makes of another one. */
function leave (
  t: Test, source: string, codeOf: string, digestOf = codeOf, node = process.version
): string {
  const folder = t.testdir({ [NAME]: source })
  const script = new Script(WRAPPER.join(codeOf), { filename: NAME })
  const run = script.runInThisContext() as (...parts: unknown[]) => void
  run({}, () => ({}), {}, '', '')
  const digest = createHash('sha256')
    .update(`${node} ${process.arch}\n`).update(digestOf).digest()
  writeFileSync(join(folder, `${NAME}.code`), Buffer.concat([digest, script.createCachedData()]))
  return folder
}

t.test('bundle: runs as CommonJS, with or without its code', async t => {
  const source = 'module.exports = { dir: __dirname, file: __filename, sep: require("node:path").sep }'
  const folder = leave(t, source, source)
  const expected = { dir: folder, file: join(folder, NAME), sep: '/' }
  t.strictSame(runBundle(folder, NAME), expected)
  writeFileSync(join(folder, `${NAME}.code`), 'torn')
  t.strictSame(runBundle(folder, NAME), expected)
})

t.test('bundle: the code is what runs, and never that of another source', async t => {
  const one = 'exports.value = 1'
  const two = 'exports.value = 2' // As long: V8 itself does not tell them apart.
  t.match(runBundle(leave(t, one, two, one), NAME), { value: 2 }, 'V8 has compiled nothing')
  t.match(runBundle(leave(t, one, two), NAME), { value: 1 })
  t.match(runBundle(leave(t, one, two, one, 'v20.0.0'), NAME), { value: 1 }, 'nor of another Node')
})
