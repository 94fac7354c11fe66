/** Each code of the monitor has its row in docs/errors.md, with its status. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { API_ERRORS, ErrorAnswer } from '../../src/api/error-answer.ts'

t.test('api errors: docs/errors.md has a row for each, with its status', async t => {
  const docs = readFileSync(resolve(import.meta.dirname, '../../../../docs/errors.md'), 'utf8')
  for (const [code, status] of Object.entries(API_ERRORS)) {
    t.ok(docs.includes(`| \`${code}\` | ${status} |`), code)
  }
})

t.test('api errors: an answer has one of these codes, and a sentence', async t => {
  t.strictSame(ErrorAnswer.required, ['error', 'message'])
  t.match(ErrorAnswer.properties.error, { enum: Object.keys(API_ERRORS) })
})
