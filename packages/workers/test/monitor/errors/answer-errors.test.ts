/** Whatever is thrown becomes a code, a status and a sentence. */
import t from 'tap'
import { silentLog } from '@usher/shared/log.ts'
import { toApiError } from '../../../src/monitor/errors/answer-errors.ts'
import { ApiError } from '../../../src/monitor/errors/api-error.ts'

t.test('answer errors: what other parts throw means something to a client', async t => {
  const check = (
    thrown: unknown, status: number, error: string, message: RegExp, retryAfter?: string
  ): void => {
    const found = toApiError(thrown, {}, silentLog(), 16_384)
    const { status: foundStatus, code, message: text } = found
    t.match({ status: foundStatus, code, text }, { status, code: error, text: message })
    t.equal(found.headers['Retry-After'], retryAfter)
  }
  const coded = (code: string, message = 'it is so', statusCode?: number): Error =>
    Object.assign(new Error(message), { code, statusCode })

  check(new ApiError('not_found', 'Nobody.'), 404, 'not_found', /^Nobody\.$/)
  check(coded('USHER_CREDENTIALS_BUSY'), 503, 'busy', /^It is so\.$/, '1')
  check(coded('USHER_DATABASE_BUSY'), 503, 'database_unavailable', /^It is so\.$/, '2')
  check(coded('USHER_DATABASE_FAILED'), 503, 'database_unavailable', /./, '10')
  check(coded('USHER_ORDER_TIMED_OUT'), 503, 'busy', /./, '1')
  check(coded('USHER_DENY_ENTRY_INVALID', 'not a range!'), 400, 'bad_request', /^Not a range!$/)
  check(coded('FST_ERR_VALIDATION', 'body/a must be string', 400), 400, 'bad_request',
    /^Body\/a must be string\.$/)
  check(coded('FST_ERR_CTP_BODY_TOO_LARGE'), 413, 'body_too_large',
    /^The body may have 16384 bytes at most\.$/)
  check(new Error('inner workings'), 500, 'internal_error', /^Something went wrong on our side\./)
  check('a text', 500, 'internal_error', /^Something went wrong on our side\./)
})

t.test('answer errors: a fault of ours is logged once, under the code that is told', async t => {
  const lines: unknown[][] = []
  const thrown = new Error('inner workings')
  const { message } = toApiError(thrown, { method: 'GET', path: '/stats' }, {
    error: (...line: unknown[]) => { lines.push(line) }
  } as never)
  const [, code] = /under the code ([0-9a-f]{8})\.$/.exec(message) ?? []
  t.strictSame(lines, [
    [{ err: thrown, code, method: 'GET', path: '/stats' }, 'a request failed']
  ])
})
