/** Tokens of programs on a whole cluster: over a restart, and beside the account command. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { Operator } from '../scripts/kit/operator.ts'
import { ROOT, startCluster, Visitor, workingFolder, type Cluster } from './cluster.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD }

async function account (cwd: string, ...words: string[]): Promise<number | null> {
  const child = spawn(process.execPath, [join(ROOT, 'dist/account.js'), ...words], { cwd })
  child.stdin.end(`${PASSWORD}\n`)
  const [code] = await once(child, 'close') as [number | null]
  return code
}

async function made (maker: Operator, name: string, scopes: readonly string[]): Promise<string> {
  const { status, json } = await maker.post('/tokens', { name, scopes })
  if (status !== 200) throw new Error(`no token: ${status}`)
  return json['token'] as string
}

/** Asks as a program does: nothing but its token. */
class Program {
  readonly #operator: Operator
  readonly headers: Record<string, string>

  constructor (cluster: Cluster, token: string) {
    this.#operator = new Operator(cluster)
    this.headers = { authorization: `Bearer ${token}` }
  }

  get (path: string) {
    return this.#operator.get(path, this.headers)
  }

  post (path: string, body: object = {}) {
    return this.#operator.post(path, body, { headers: this.headers })
  }
}

t.test('tokens: one does what it is for, and the audit says which did it', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const viewing = new Program(cluster, await made(admin, 'prometheus', ['view']))
  const acting = new Program(cluster, await made(admin, 'waf', ['disconnect']))
  const guest = new Visitor()
  await guest.enter(cluster)
  const userId = guest.cookie!.split('=')[1]!
  t.match((await viewing.get('/metrics')).text, /^usher_/m)
  t.match(await viewing.get('/stats'), { status: 200, json: { total_users: 1 } })
  t.match(await viewing.post('/disconnect', { userId }),
    { status: 403, json: { error: 'forbidden', message: /"prometheus" is for view; this takes the scope disconnect/ } })
  const { status, headers } = await acting.post('/disconnect', { userId, reason: 'scraper' })
  t.equal(status, 200)
  t.equal(headers['set-cookie'], undefined, 'and it has no session')
  t.equal((await guest.ask(cluster.routingPort)).status, 403)
  const { entries } = (await acting.get('/audit?limit=1')).json as { entries: object[] }
  t.match(entries, [{
    who: 'admin', action: 'disconnect', target: userId, detail: { token: 'waf', reason: 'scraper' }
  }])
  const { sessions } = (await admin.get('/sessions')).json as { sessions: unknown[] }
  t.equal(sessions.length, 1)
})

t.test('tokens: a revoked one is refused at once, and its stream ends', async t => {
  const cluster = await startCluster(t, SETTINGS)
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const program = new Operator(cluster)
  const token = await made(admin, 'board', ['view'])
  const stream = await program.events({ authorization: `Bearer ${token}` })
  await stream.next(() => true)
  const { tokens } = (await admin.get('/tokens')).json as { tokens: Array<{ id: number }> }
  t.match(tokens, [{ name: 'board', made_by: 'admin', in_force: ['view'], last_address: '127.0.0.1', last_used: /Z$/ }])
  t.equal((await admin.post('/tokens/revoke', { id: tokens[0]!.id })).status, 200)
  const refused = await new Program(cluster, token).get('/stats')
  t.match(refused, { status: 401, json: { error: 'invalid_token' } })
  t.match(refused.headers['www-authenticate'], /^Bearer .*error="invalid_token"$/)
  await stream.ended
})

t.test('tokens: a program reports whom it serves, who are users like all others', async t => {
  const cluster = await startCluster(t, { ...SETTINGS, NEWCOMERS_PER_MINUTE: '2' })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  const game = new Program(cluster, await made(admin, 'game', ['report']))
  const [first, second] = cluster.ports
  const id = (number: number) => `6f1c2b0e-93d4-4c11-8a77-${String(number).padStart(12, '0')}`
  const seen = Array.from({ length: 1000 }, (_, number) => ({ id: id(number), seen: true }))
  t.match(await game.post(`/servers/${first}/users`, { users: seen }),
    { status: 200, json: { arrived: 1000, refused: [], active_users: 1000 } })
  t.match(await admin.get('/stats?limit=0'), { json: { total_users: 1000 } })
  t.match((await admin.get(`/users?q=${id(7)}`)).json, { users: [{ id: id(7), server: `${first}` }] })
  const guest = new Visitor()
  t.match((await guest.ask(cluster.routingPort)).headers.location, /:\d+/)
  t.not(new URL((await guest.ask(cluster.routingPort)).headers.location!).port, `${first}`,
    'newcomers go elsewhere')

  await admin.post('/deny', { userId: id(1) })
  const mixed = {
    users: [{ id: id(1), seen: true }, { id: id(2), seen: true }, { id: id(3), left: true }]
  }
  t.match((await game.post(`/servers/${second}/users`, mixed)).json,
    { moved_here: 1, not_here: 1, refused: [{ id: id(1), why: 'denied' }], active_users: 1 })
  t.match((await game.post(`/servers/${first}/users`, mixed)).json,
    { moved_here: 1, left: 1, refused: [{ id: id(1), why: 'denied' }], active_users: 998 })

  const tooMany = [...seen, { id: id(1000), seen: true }]
  t.match(await game.post(`/servers/${first}/users`, { users: tooMany }),
    { status: 413, json: { error: 'body_too_large', message: /1000 users at most; this one has 1001/ } })
  t.match(await game.post('/servers/nowhere/users', { users: seen }),
    { status: 404, json: { message: new RegExp(`there are ${first}, `) } })
  t.equal((await game.post(`/servers/${first}/users`, { users: seen, x: 'x'.repeat(130_000) })).status, 413)
  t.match(await game.get('/stats'), { status: 403 })
})

t.test('tokens: one outlives a restart and a new password, but not what its maker may', async t => {
  const cwd = workingFolder(t)
  const first = await startCluster(t, SETTINGS, { cwd })
  t.equal(await account(cwd, 'add', 'ben', '--permission', '1'), 0)
  const ben = await Operator.loggedIn(first, 'ben', PASSWORD)
  const token = await made(ben, 'deploy', ['view', 'drain'])
  t.equal((await new Program(first, token).get('/stats')).status, 200)
  await first.stop()

  const cluster = await startCluster(t, SETTINGS, { cwd })
  const program = new Program(cluster, token)
  const drain = `/servers/${cluster.ports[0]}/drain`
  t.equal((await program.post(drain)).status, 200)
  t.equal(await account(cwd, 'passwd', 'ben'), 0)
  t.equal((await program.get('/stats')).status, 200)
  t.equal(await account(cwd, 'permission', 'ben', '0'), 0)
  t.equal((await program.get('/stats')).status, 200)
  t.match(await program.post(drain), { status: 403, json: { message: /no more than "ben", who made it/ } })
  t.equal(await account(cwd, 'permission', 'ben', '-1'), 0)
  t.equal((await program.get('/stats')).status, 403, 'the very next request')
  t.equal(await account(cwd, 'permission', 'ben', '1'), 0)
  t.equal((await program.post(drain)).status, 200)
  t.equal(await account(cwd, 'remove', 'ben'), 0)
  t.match(await program.get('/stats'), { status: 401, json: { error: 'invalid_token' } })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  t.match(await admin.get('/tokens'), { json: { tokens: [] } })
})
