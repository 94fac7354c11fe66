/** An account's sessions and the audit's search, on a whole cluster. */
import t from 'tap'
import { startCluster, Visitor } from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD }

interface Session {
  readonly id: string
  readonly user_agent: string
  readonly current: boolean
}

async function sessionsOf (operator: Operator): Promise<readonly Session[]> {
  return (await operator.get('/sessions')).json['sessions'] as Session[]
}

t.test('sessions: one of another browser is ended at once, with its stream', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const [here, there] = [new Operator(cluster), new Operator(cluster)]
  await here.logIn('admin', PASSWORD)
  await there.logIn('admin', PASSWORD)
  const stream = await there.events()
  await stream.next(() => true)
  const sessions = await sessionsOf(here)
  t.strictSame(sessions.map(({ current }) => current).sort(), [false, true])
  t.match(sessions[0], { address: '127.0.0.1', created: /Z$/, last_seen: /Z$/ })
  for (const { id } of sessions) {
    t.notOk(there.cookie!.includes(id))
    t.equal((await new Operator(cluster).get('/stats', { cookie: `session_id=${id}` })).status, 401)
  }

  const { id } = sessions.find(({ current }) => !current)!
  t.equal((await here.post('/sessions/end', { id })).status, 200)
  t.equal((await there.get('/stats')).status, 401)
  await stream.ended
  t.match(await here.post('/sessions/end', { id }), { status: 404, json: { error: 'not_found' } })
  const [own] = await sessionsOf(here)
  t.match(await here.post('/sessions/end', { id: own!.id }), { status: 400 })
  t.equal((await here.get('/stats')).status, 200)
})

t.test('sessions: the audit is searched by what it says, and goes on where a page ended', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  for (const address of ['203.0.113.7', '203.0.113.8', '198.51.100.9']) {
    await operator.post('/deny', { address, reason: `<b>${address}</b>` })
  }
  await operator.post('/allow', { address: '203.0.113.7' })
  const search = async (query: string): Promise<unknown[]> => {
    const { json } = await operator.get(`/audit?${query}`)
    return (json['entries'] as Array<{ action: string, target: string }>)
      .map(({ action, target }) => `${action} ${target}`)
  }
  t.strictSame(await search('q=203.0.113'), ['allow 203.0.113.7', 'deny 203.0.113.8', 'deny 203.0.113.7'])
  t.strictSame(await search('q=DENIED%20203'), ['deny 203.0.113.8', 'deny 203.0.113.7'])
  t.strictSame(await search('q=nobody'), [])
  const { json } = await operator.get('/audit?q=denied&limit=1')
  t.match(json, { entries: [{ target: '198.51.100.9' }], kept: { entries_max: 100_000, oldest: /Z$/ } })
  t.strictSame(await search(`q=denied&limit=1&cursor=${String(json['next_cursor'])}`), ['deny 203.0.113.8'])
})

t.test('sessions: how many share an address is counted, for who may view', async t => {
  const cluster = await startCluster(t, { ...SETTINGS, TRUST_PROXY: '127.0.0.1' })
  const operator = new Operator(cluster)
  await operator.logIn('admin', PASSWORD)
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
  for (const address of ['198.51.100.7', '198.51.100.7', '2001:db8::1']) {
    const guest = new Visitor()
    // The second request brings the id that the first one was given.
    for (let visit = 0; visit < 2; visit++) await guest.ask(cluster.ports[0]!, '/', from(address))
  }
  const sharing = async (query: string) => (await operator.get(`/users/sharing?${query}`)).json
  t.strictSame(await sharing('address=198.51.100.7'), { users: 2 })
  t.strictSame(await sharing('address=198.51.100.7&address=2001:db8:0::1'), { users: 3 })
  t.strictSame(await sharing('address=192.0.2.1'), { users: 0 })
})
