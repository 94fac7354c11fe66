import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runBundle } from '@usher/shared/bundle.ts'
import { withPlaces } from '@usher/shared/stack-places.ts'

const NAME = 'part.js'
/** Line 2 of the bundle from its beginning is line 41, column 3 of the source. */
const MAP = JSON.stringify({ version: 3, sources: ['../src/part.ts'], names: [], mappings: ';AAwCE' })

function stackOf (folder: string): string {
  try {
    runBundle(folder, NAME)
  } catch (error) {
    return (error as Error).stack!
  }
  throw new Error('it did not fail')
}

t.test('stack places: a stack that is told names lines of the sources, where there is a map', async t => {
  const folder = t.testdir({ [NAME]: '\nthrow new RangeError("here")', dist: { [`${NAME}.map`]: MAP } })
  const [, frame, next] = stackOf(folder).split('\n')
  t.equal(frame, '    at part.js:2:7')
  t.equal(withPlaces(`RangeError: here\n${frame}`, folder), `RangeError: here\n${frame}`, 'there is none')
  const mapped = join(folder, 'dist')
  const place = `${join(mapped, '../src/part.ts')}:41:3`
  t.equal(withPlaces(`RangeError: here\n${frame}\n${next}`, mapped), `RangeError: here\n    at ${place}\n${next}`)
  t.equal(withPlaces('    at async Part.run (part.js:2:7)\n    at async part.js:2:9', mapped),
    `    at async Part.run (${place})\n    at async ${place}`)
})

t.test('stack places: what is no place of a bundle stays', async t => {
  const folder = t.testdir({ [`${NAME}.map`]: MAP, 'torn.js.map': '{' })
  for (const text of [
    'Error: see part.js:2:7 there', '    at part.js:1:1', '    at run (node:net:2:7)', '    at torn.js:2:7',
    '    at run (/elsewhere/part.js:2:7)', '    at other.js:2:7', ''
  ]) t.equal(withPlaces(text, folder), text)
})

t.test('stack places: to look at a stack reads no map', async t => {
  const folder = t.testdir({ [NAME]: '\nthrow new RangeError("here")' })
  // Node's streams look at the stack of each error that they pass on.
  writeFileSync(join(folder, `${NAME}.map`), MAP)
  t.match(stackOf(folder), /^RangeError: here\n {4}at part\.js:2:7\n/)
})
