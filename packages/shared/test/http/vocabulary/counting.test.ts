import t from 'tap'
import { countEffect, countEffectOfReply } from '@usher/shared/http/vocabulary/counting.ts'
import { NO_BODY } from '@usher/shared/http/vocabulary/values.ts'
import { COUNTING_CASES } from '../cases/counting-cases.ts'

for (const { what, effect, method = 'GET', path = '/', headers = {} } of COUNTING_CASES) {
  t.test(`counting: ${what}`, async t => {
    t.equal(countEffect({ method, path, headers }), effect)
  })
}

t.test('counting: only an answer that is a page adds anybody', async t => {
  const check = (expected: string, ...headers: readonly string[]): void => {
    t.equal(countEffectOfReply('adds', { status: 200, headers, body: NO_BODY }), expected, headers.join(' '))
  }
  check('adds', 'Content-Type', 'text/html; charset=utf-8')
  check('adds', 'ETag', '"1"', 'Content-Type', 'text/html')
  check('adds', 'ETag', 'Content-Type') // A 304, and a value that looks like a name.
  check('refreshes', 'Content-Type', 'application/json')
  check('refreshes', 'Content-Type', 'text/plain; charset=utf-8')
  t.equal(countEffectOfReply('none', { status: 200, headers: [], body: NO_BODY }), 'none')
})
