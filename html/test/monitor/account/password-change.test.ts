import t from 'tap'
import type { Answer } from '../../../monitor-script/kit/api.ts'
import { changePassword } from '../../../monitor-script/account/password-change.ts'

const CURRENT = { id: 'the-current', value: 'old' }
const NEXT = { id: 'the-next', value: 'a new one' }

async function complaintAt (answer: Answer<unknown>) {
  const posted: unknown[] = []
  const complaint = await changePassword(async (...args) => {
    posted.push(args)
    return answer
  }, CURRENT, NEXT)
  return { posted, complaint }
}

function failure (status: number, error: string, message = 'Why.', retryAfterS?: number): Answer<unknown> {
  return { isOk: false, status, error, message, retryAfterS }
}

t.test('password change: posts both, and has nothing to complain of', async t => {
  const { posted, complaint } = await complaintAt({ isOk: true, body: {} })
  t.strictSame(posted, [['/password', { current: 'old', next: 'a new one' }]])
  t.equal(complaint, undefined)
})

t.test('password change: what is wrong stands at the field that it is about', async t => {
  const check = async (answer: Answer<unknown>, field: string, text: RegExp): Promise<void> => {
    t.match((await complaintAt(answer)).complaint, { field, text })
  }
  await check(failure(400, 'bad_request', 'Too short.'), 'the-next', /^Too short\.$/)
  await check(failure(403, 'wrong_password', 'Another one.'), 'the-current', /^Another one\.$/)
  await check(failure(429, 'too_many_attempts', '', 7), 'the-current', /in 7 seconds/)
  await check(failure(503, 'busy'), 'the-current', /busy/)
  await check(failure(0, 'unreachable'), 'the-current', /does not answer/)
})
