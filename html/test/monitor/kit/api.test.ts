/** The monitor's answers as the pages see them; fetch is a fake. */
import t from 'tap'
import { Api } from '../../../monitor-script/kit/api.ts'
import { refusalText } from '../../../monitor-script/kit/json-form.ts'

function testApi (answer: () => Response) {
  const left: string[] = []
  const asked: Array<[string, RequestInit]> = []
  const api = new Api({
    fetch: async (path, init) => {
      asked.push([path, init])
      return answer()
    },
    leaveFor: page => { left.push(page) },
    pause: async () => {}
  })
  return { api, left, asked }
}

const json = (status: number, body: object, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers })

t.test('api: posts JSON and gives the body back', async t => {
  const { api, asked } = testApi(() => json(200, { response: 'deny received' }))
  t.strictSame(await api.post('/deny', { address: '::1' }),
    { isOk: true, body: { response: 'deny received' } })
  const [path, init] = asked[0]!
  t.equal(path, '/deny')
  t.match(init, {
    method: 'POST', body: '{"address":"::1"}', headers: { 'Content-Type': 'application/json' }
  })
})

t.test('api: a refusal carries code, text and when to come back', async t => {
  const { api, left } = testApi(() => json(429, { error: 'x', message: 'Later.' }, { 'Retry-After': '42' }))
  t.strictSame(await api.get('/stats'),
    { isOk: false, status: 429, error: 'x', message: 'Later.', retryAfterS: 42 })
  t.strictSame(left, [])
})

t.test('api: a session that has ended leads to the login, a made-up password to its change', async t => {
  const check = async (status: number, error: string, page: string): Promise<void> => {
    const { api, left } = testApi(() => json(status, { error, message: '' }))
    await api.get('/stats')
    t.strictSame(left, [page])
  }
  await check(401, 'not_logged_in', '/login.html')
  await check(403, 'password_change_required', '/password.html')
})

t.test('api: a tab goes on with the cookie of a password that another tab has changed', async t => {
  const answers = [json(401, { error: 'not_logged_in', message: '' }), json(200, { users: [] })]
  const { api, left, asked } = testApi(() => answers.shift()!)
  t.strictSame(await api.post('/deny', { address: '::1' }), { isOk: true, body: { users: [] } })
  t.strictSame(left, [])
  t.strictSame(asked.map(([path, { body }]) => [path, body]), Array(2).fill(['/deny', '{"address":"::1"}']))
})

t.test('api: no answer, or one that is no JSON, is a failure without a status', async t => {
  for (const answer of [() => { throw new TypeError('down') }, () => new Response('<html>')]) {
    const { api } = testApi(answer)
    t.match(await api.get('/stats'), { isOk: false, status: 0, error: 'unreachable' })
  }
})

t.test('gate: says in words when to try again', async t => {
  const check = (status: number, error: string, retryAfterS: number | undefined, text: string) => {
    t.equal(refusalText({ isOk: false, status, error, message: 'As it is.', retryAfterS }), text)
  }
  check(401, '', undefined, 'Name and password do not match.')
  check(429, 'too_many_attempts', 43, 'Too many attempts for this account. Try again in 43 seconds.')
  check(429, 'too_many_attempts', 1, 'Too many attempts for this account. Try again in 1 second.')
  check(429, 'too_many_attempts', 121, 'Too many attempts for this account. Try again in 3 minutes.')
  check(503, 'busy', undefined, 'The monitor is busy right now. Try again in 1 second.')
  check(0, 'unreachable', undefined, 'The monitor does not answer. Try again when Usher is running.')
  check(403, 'wrong_password', undefined, 'As it is.')
})
