import t, { type Test } from 'tap'
import { selectRange } from '../../../src/http/files/range.ts'

const BYTES = 100
type Expected = ReturnType<typeof selectRange>

function check (
  t: Test, cases: ReadonlyArray<[header: string, bytes: number, expected: Expected]>
): void {
  for (const [header, bytes, expected] of cases) {
    t.strictSame(selectRange(header, bytes), expected, `${header} of ${bytes}`)
  }
}

t.test('range: selects one range', async t => {
  check(t, [
    ['bytes=0-0', BYTES, { first: 0, last: 0 }],
    ['bytes=0-99', BYTES, { first: 0, last: 99 }],
    ['bytes=99-99', BYTES, { first: 99, last: 99 }],
    ['bytes=10-', BYTES, { first: 10, last: 99 }],
    ['bytes=10-100', BYTES, { first: 10, last: 99 }],
    ['bytes=10-99999999999999999999', BYTES, { first: 10, last: 99 }],
    ['bytes=-1', BYTES, { first: 99, last: 99 }],
    ['bytes=-100', BYTES, { first: 0, last: 99 }],
    ['bytes=-101', BYTES, { first: 0, last: 99 }],
    [`bytes=-${'9'.repeat(400)}`, BYTES, { first: 0, last: 99 }],
    ['BYTES= 1-2 ', BYTES, { first: 1, last: 2 }]
  ])
})

t.test('range: a range behind the end is unsatisfiable', async t => {
  check(t, [
    ['bytes=100-', BYTES, 'unsatisfiable'],
    ['bytes=100-200', BYTES, 'unsatisfiable'],
    [`bytes=${'9'.repeat(400)}-`, BYTES, 'unsatisfiable'],
    ['bytes=-0', BYTES, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable']
  ])
})

t.test('range: several, malformed and other ranges leave the whole', async t => {
  const headers = [
    '', 'bytes', 'bytes=', 'bytes=-', 'bytes=a-b', 'bytes=1', 'bytes=1-0', 'bytes=1-2,4-5', 'bytes=0-0,-1', 'bytes=1-2,',
    'bytes 1-2', 'bytes:1-2', 'lines=1-2', 'bytes=+1-2', 'bytes=1.0-2', 'bytes=0x1-2', 'bytes=1-2-3', 'bytes=--1', 'bytes=1 -2'
  ]
  check(t, headers.map(header => [header, BYTES, undefined]))
  check(t, [['bytes=-5', 0, undefined]])
})
