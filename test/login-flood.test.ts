/**
 * Many logins at once: none gets more than its turn, and operators who are logged in do not notice.
 */
import t from 'tap'
import { startCluster } from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'

const PASSWORD = 'correct horse battery'
const LOGINS = 200

t.test('login flood: beyond the queue and the throttle there is 503 and 429, and stats go on', async t => {
  const cluster = await startCluster(t, { ADMIN_PASSWORD: PASSWORD })
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  const flood = Promise.all(Array.from({ length: LOGINS }, async (_, each) => {
    const { status, headers } = await new Operator(cluster).logIn(`name ${each}`, 'a wrong password')
    if (status === 503 || status === 429) t.ok(Number(headers['retry-after']) >= 1)
    return status
  }))
  const over = flood.then(() => 'over' as const)
  let answered = 0
  for (;;) {
    const stats = operator.get('/stats')
    if (await Promise.race([stats, over]) === 'over') break
    t.equal((await stats).status, 200)
    answered++
  }
  const statuses = await flood
  t.strictSame([...new Set(statuses)].filter(status => ![401, 429, 503].includes(status)), [])
  t.ok(statuses.includes(401), 'some had their turn')
  t.ok(statuses.includes(503), 'the rest was told to come back')
  t.ok(answered > 1)
  t.equal((await new Operator(cluster).logIn('admin', PASSWORD)).status, 200, 'and then all is well')
})

t.test('login throttle: five wrong ones from one address, and the account waits for that address', async t => {
  const cluster = await startCluster(t, { ADMIN_PASSWORD: PASSWORD, TRUST_PROXY: '127.0.0.1' })
  const attempt = (password: string, address: string) => new Operator(cluster).post('/login',
    { username: 'admin', password }, { headers: { 'x-forwarded-for': address } })
  for (let wrong = 0; wrong < 5; wrong++) {
    t.equal((await attempt(`wrong ${wrong}`, '198.51.100.7')).status, 401)
  }
  const sixth = await attempt(PASSWORD, '198.51.100.7')
  t.match(sixth, { status: 429, json: { error: 'too_many_attempts' } })
  t.ok(Number(sixth.headers['retry-after']) <= 60)
  t.equal((await attempt(PASSWORD, '203.0.113.9')).status, 200, 'the owner gets in from elsewhere')
})
