/** Each code has one status, and its row in docs/errors.md. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { API_ERRORS, ApiError, type ApiErrorCode } from '../../src/monitor/api-error.ts'

t.test('api errors: the code decides the status', async t => {
  const error = new ApiError('too_many_attempts', 'Wait.', { 'Retry-After': '7' })
  t.equal(error.status, 429)
  t.equal(error.message, 'Wait.')
  t.strictSame(error.headers, { 'Retry-After': '7' })
})

t.test('api errors: docs/errors.md has a row for each, with its status', async t => {
  const docs = readFileSync(resolve(import.meta.dirname, '../../../../docs/errors.md'), 'utf8')
  for (const [code, status] of Object.entries(API_ERRORS)) {
    t.ok(docs.includes(`| \`${code satisfies string as ApiErrorCode}\` | ${status} |`), code)
  }
})
