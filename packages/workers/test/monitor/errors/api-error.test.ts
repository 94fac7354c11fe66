/** What is thrown carries its status and headers. */
import t from 'tap'
import { ApiError } from '../../../src/monitor/errors/api-error.ts'

t.test('api errors: the code decides the status', async t => {
  const error = new ApiError('too_many_attempts', 'Wait.', { 'Retry-After': '7' })
  t.equal(error.status, 429)
  t.equal(error.message, 'Wait.')
  t.strictSame(error.headers, { 'Retry-After': '7' })
})
