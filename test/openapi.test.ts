/**
 * The program keeps to its own document: every route of /openapi.json is asked, and every answer,
 * errors included, is held against the schema that the document has for it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import AjvCompiler from '@fastify/ajv-compiler'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { canSharePorts } from '@usher/shared/http/listen.ts'
import { Operator, type Reply } from '../scripts/kit/operator.ts'
import { ROOT, startCluster, Visitor, workingFolder, type Cluster } from './cluster.ts'

const PASSWORD = 'correct horse battery'
const METRICS_TOKEN = 'a-token-of-sixteen-or-more'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD, METRICS_TOKEN }
const DOCUMENT = 'openapi'
const FORM = 'application/x-www-form-urlencoded'
const OTHER_ID = '7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
/**
 * What cannot be asked for: a fault of ours; a database that fails while it is only read; and more
 * at the same time than is done, which a fast machine would not notice.
 */
const NEVER_ASKED = [429, 500, 503, 504]
/** Of one account. */
const STREAMS = 20
/**
 * A deny list of 10,000 entries; and a reset in the middle of a verification, through which
 * check-then-act.test.ts walks; a thread that stands still for 10 s (changing-servers.test.ts).
 * Where ports can be shared no restart leaves a gap. Other nodes: fleet-console.test.ts.
 */
const TOO_LONG = [
  ...['/servers/{node}/{name}', '/nodes/{node}'].flatMap(path =>
    ['drain 200', 'drain 409', 'ready 200'].map(rest => `post ${path}/${rest}`)),
  'get /history 404',
  ...['post /servers', 'post /servers/{name}/change', 'post /servers/{name}/remove']
    .map(route => `${route} 202`),
  'post /disconnect 409', 'post /password 409',
  ...(canSharePorts ? ['post /servers/{name}/restart 409'] : [])
]

interface Operation {
  readonly security: readonly object[]
  readonly parameters?: ReadonlyArray<{ readonly in: string }>
  readonly responses: Readonly<Record<string, {
    readonly description: string
    readonly content?: Readonly<Record<string, { readonly schema: object }>>
  }>>
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** Holds answers against the document, and keeps count of what it has held. */
class Holder {
  readonly operations: ReadonlyMap<string, Operation>
  readonly held = new Map<string, Set<number>>()
  readonly #t: Test
  readonly #compile

  constructor (t: Test, document: OpenApi) {
    this.#t = t
    this.operations = new Map(Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation])))
    this.#compile = AjvCompiler()(
      { [DOCUMENT]: { ...document, $id: DOCUMENT } },
      { customOptions: { strict: false, coerceTypes: false, removeAdditional: false } })
  }

  hold (route: string, reply: Reply, status: number): void {
    const name = `${route} ${status}`
    this.#t.equal(reply.status, status, `${name}: ${reply.text.slice(0, 200)}`)
    const response = this.operations.get(route)?.responses[status]
    if (response === undefined) {
      this.#t.fail(`${name} is not in the document`)
      return
    }
    this.note(route, status)
    const type = String(reply.headers['content-type'] ?? '').split(';', 1)[0]!
    const { content } = response
    if (content === undefined) this.#t.equal(reply.text, '', name)
    else this.#t.ok(type in content, `${name}: ${type}`)
    if (type === 'application/json') {
      this.holdValue(`${pointer(route)}/responses/${status}/content/application~1json/schema`, reply.json, name)
    }
  }

  /** An error of what is no operation of the document. */
  holdError (reply: Reply, status: number): void {
    this.#t.equal(reply.status, status)
    this.holdValue('/components/schemas/Error', reply.json, `${status}`)
  }

  note (route: string, status: number): void {
    this.held.set(route, (this.held.get(route) ?? new Set()).add(status))
  }

  same (found: readonly string[], wanted: readonly string[]): void {
    this.#t.strictSame(found, wanted)
  }

  /** @param at where in the document the schema is */
  holdValue (at: string, value: unknown, name: string): void {
    const validate = this.#compile({
      schema: { $ref: `${DOCUMENT}#${at}` }, method: '', url: at, httpPart: 'body'
    } as never)
    this.#t.ok(validate(value), `${name}: ${JSON.stringify(validate.errors)}`)
  }
}

/** A JSON pointer, as a fragment of a URI. */
function pointer (route: string): string {
  const [method, path] = route.split(' ') as [string, string]
  return `/paths/${encodeURIComponent(path.replaceAll('/', '~1'))}/${method}`
}

async function start (t: Test) {
  const cwd = workingFolder(t)
  const cluster = await startCluster(t, SETTINGS, { cwd })
  const nobody = spawn(process.execPath,
    [join(ROOT, 'dist/account.js'), 'add', 'nobody', '--permission', '-1'], { cwd })
  nobody.stdin.end(`${PASSWORD}\n`)
  t.same(await once(nobody, 'close'), [0, null])
  const admin = await loggedIn(cluster, 'admin')
  const document = (await admin.get('/openapi.json')).json as unknown as OpenApi
  return { cwd, cluster, admin, holder: new Holder(t, document) }
}

/** Each request on a connection of its own: some are refused with the end of theirs. */
const isKeptAlive = false

function loggedIn (cluster: Cluster, username: string): Promise<Operator> {
  return Operator.loggedIn(cluster, username, PASSWORD, { isKeptAlive })
}

const isGet = (route: string): boolean => route.startsWith('get ')

/** A path as it may be asked for; a server's name may be any. */
function pathOf (route: string): string {
  const path = route.split(' ')[1]!.replace('{node}', 'no-node').replace('{name}', 'no-such')
  return path === '/users/sharing' || path === '/users/reach' ? `${path}?address=::1` : path
}

/** What stands before every route and is no concern of its own. */
async function holdRefusals (cluster: Cluster, admin: Operator, holder: Holder): Promise<void> {
  const made = await admin.post('/tokens', { name: 'refused', scopes: ['view'] })
  const program = { authorization: `Bearer ${String(made.json['token'])}` }
  const [stranger, nobody] = [new Operator(cluster, { isKeptAlive }), await loggedIn(cluster, 'nobody')]
  for (const [route, { security, parameters = [], responses }] of holder.operations) {
    const path = pathOf(route)
    const ask = (as: Operator, headers: Record<string, string> = {}, body: unknown = {}) =>
      isGet(route) ? as.get(path, headers) : as.post(path, body, { headers })
    holder.hold(route, await ask(admin, { host: 'rebound.example' }), 421)
    holder.hold(route, await ask(admin, { host: 'a b' }), 400)
    if (security.length > 0) holder.hold(route, await ask(stranger), 401)
    if (security.length > 0) {
      // Where any session will do, no token does.
      const asNobody = security.some(one => 'token' in one) || path.startsWith('/tokens')
      holder.hold(route, asNobody ? await ask(nobody) : await ask(stranger, program), 403)
      holder.hold(route, await ask(stranger, { authorization: 'Bearer usher_none' }), 401)
    }
    if (responses['403']?.description.includes('forged_action') === true) {
      holder.hold(route, await ask(admin, { 'sec-fetch-site': 'same-site' }), 403)
    }
    if ('412' in responses) {
      holder.hold(route, await ask(admin, { 'if-match': '"a"' }), 412)
      holder.hold(route, await ask(admin, { 'if-none-match': '*' }), 304)
    }
    if (parameters.some(({ in: place }) => place === 'query')) {
      holder.hold(route, await admin.get(`${path.split('?')[0]}?no=such`), 400)
    }
    if (!isGet(route)) {
      holder.hold(route, await ask(admin, { 'content-type': 'text/plain' }), 415)
      holder.hold(route, await ask(admin, {}, '{'), 400)
      holder.hold(route, await ask(admin, {}, { x: 'x'.repeat(path.endsWith('/users') ? 140_000 : 17_000) }), 413)
    }
    const hasOther = holder.operations.has(isGet(route) ? `post ${path}` : `get ${path}`)
    if (!hasOther) {
      holder.holdError(isGet(route) ? await admin.post(path) : await admin.get(path), 405)
    }
  }
  holder.holdError(await admin.get('/no/such'), 404)
}

/** What a viewer reads, with users and entries in it. */
async function holdReads (cluster: Cluster, admin: Operator, holder: Holder): Promise<void> {
  const [first] = cluster.ports
  await admin.post('/deny', { userId: ID, reason: 'x' })
  await admin.post('/deny', { address: '198.51.100.0/24', minutes: 5 })
  for (const path of [
    '/healthz', '/readyz', '/metrics', '/openapi.json', '/user-info', '/sessions', '/denied',
    '/stats', '/stats?limit=1', '/users', `/users?server=${first}&limit=1&sort=last_seen`,
    '/users/sharing?address=127.0.0.1', '/users/reach?address=127.0.0.0/8', '/history?minutes=5', '/audit?limit=2',
    '/tokens', '/servers'
  ]) holder.hold(`get ${path.split('?')[0]}`, await admin.get(path), 200)
  const byToken = { authorization: `Bearer ${METRICS_TOKEN}` }
  holder.hold('get /metrics', await new Operator(cluster, { isKeptAlive }).get('/metrics', byToken), 200)
  const stream = await admin.events()
  const { servers } = await stream.next(() => true) as { servers: Record<string, object> }
  stream.close()
  const events = `${pointer('get /events')}/responses/200/content/text~1event-stream/schema/x-events`
  holder.holdValue(`${events}/stats`, stream.events[0]!.data, 'an event')
  holder.note('get /events', 200)
  const streams = await Promise.all(Array.from({ length: STREAMS }, () => admin.events()))
  holder.hold('get /events', await admin.get('/events'), 429)
  for (const open of streams) open.close()
  const [stats] = Object.values((await admin.get('/stats?limit=0')).json['servers'] as object)
  holder.same(Object.keys(Object.values(servers)[0]!), Object.keys(stats as object))
}

/** What an operator orders, and what is refused to them. */
async function holdActions (cluster: Cluster, admin: Operator, holder: Holder): Promise<void> {
  const [guest, other] = [new Visitor(), new Visitor()]
  await guest.enter(cluster)
  await other.enter(cluster)
  const userId = guest.cookie!.split('=')[1]!
  const names = cluster.ports.map(String)
  const steps: Array<[path: string, body: object, status: number]> = [
    ['/disconnect', { userId, address: false, minutes: 1 }, 200],
    ['/disconnect', { userId }, 404],
    ['/deny', { address: '203.0.113.9', reason: 'flood' }, 200],
    ['/deny', { address: '127.0.0.1' }, 409],
    ['/deny', {}, 400],
    ['/allow', { address: '203.0.113.9' }, 200],
    ['/allow', { address: '203.0.113.9' }, 404],
    [`/servers/${names[0]}/drain`, {}, 200],
    [`/servers/${names[1]}/drain`, {}, 200],
    [`/servers/${names[2]}/drain`, {}, 409],
    [`/servers/${names[2]}/restart`, {}, canSharePorts ? 200 : 409],
    [`/servers/${names[2]}/drain`, { force: true }, 200],
    ['/servers/no-such/drain', {}, 404],
    [`/servers/no-such/${names[0]}/drain`, {}, 404],
    [`/servers/no-such/${names[0]}/ready`, {}, 404],
    ['/nodes/no-such/drain', {}, 404],
    ['/nodes/no-such/ready', {}, 404],
    [`/servers/${names[0]}/restart`, {}, 200],
    ['/servers/no-such/restart', {}, 404],
    ['/servers/no-such/ready', {}, 404],
    [`/servers/${names[1]}/users`, { users: [{ id: ID, seen: true }, { id: OTHER_ID, seen: true }] }, 200],
    [`/servers/${names[1]}/users`, { users: [{ id: OTHER_ID, left: true }] }, 200],
    [`/servers/${names[1]}/users`, { users: [{ id: 'x', seen: true }] }, 400],
    ['/servers/no-such/users', { users: [{ id: OTHER_ID, seen: true }] }, 404],
    ['/servers', { name: 'shop', url: 'https://shop.example', weight: 2, health: { path: '/up', rise: null } }, 200],
    ['/servers', { name: 'shop', url: 'https://shop.example' }, 409],
    ['/servers', { name: 'a shop', url: 'https://shop.example' }, 400],
    ['/servers/shop/change', { capacity: 7, health: { interval: 0.5, timeout: 0.5, fall: 1, status: '200' } }, 200],
    ['/servers/shop/change', { url: 'shop' }, 400],
    ['/servers/no-such/change', {}, 404],
    [`/servers/${names[0]}/change`, {}, 409],
    ['/servers/no-such/remove', {}, 404],
    [`/servers/${names[0]}/remove`, { force: true }, 409],
    ['/servers/shop/remove', {}, 200],
    ['/tokens', { name: 'prometheus', scopes: ['view'], days: 30 }, 200],
    ['/tokens', { name: 'Prometheus', scopes: ['view'] }, 409],
    ['/tokens', { name: 'b', scopes: ['all'] }, 400],
    ['/tokens/revoke', { id: 2 }, 200],
    ['/tokens/revoke', { id: 2 }, 404]
  ]
  for (const [path, body, status] of steps) await holdPost(admin, holder, path, body, status)
  holder.hold('get /readyz', await admin.get('/readyz'), 503)
  for (const name of names) await holdPost(admin, holder, `/servers/${name}/ready`, {}, 200)
}

async function holdPost (
  as: Operator, holder: Holder, path: string, body: object, status: number
): Promise<void> {
  const ofNode = path.replace(/^\/servers\/[^/]+\/[^/]+\/(?=\w+$)/, '/servers/{node}/{name}/')
    .replace(/^\/nodes\/[^/]+/, '/nodes/{node}')
  const route = `post ${ofNode.replace(/^\/servers\/[^/{]+/, '/servers/{name}')}`
  holder.hold(route, await as.post(path, body), status)
}

/** How one gets in, and out. */
async function holdAccount (cluster: Cluster, admin: Operator, holder: Holder): Promise<void> {
  const other = await loggedIn(cluster, 'admin')
  const { sessions } = (await admin.get('/sessions')).json as
    { sessions: Array<{ id: string, current: boolean }> }
  const id = sessions.find(({ current }) => !current)!.id
  const next = 'another horse battery'
  await holdPost(admin, holder, '/sessions/end', { id }, 200)
  await holdPost(admin, holder, '/sessions/end', { id }, 404)
  await holdPost(admin, holder, '/sessions/end', { id: '' }, 400)
  await holdPost(admin, holder, '/password', { current: 'wrong', next }, 403)
  await holdPost(admin, holder, '/password', { current: PASSWORD, next: 'short' }, 400)
  holder.hold('post /password', await admin.changePassword(PASSWORD, next), 200)
  await holdPost(other, holder, '/login', { username: 'admin', password: next }, 200)
  const form = (path: string, text: string, as: Operator): Promise<Reply> => as.post(path, text, {
    headers: { 'content-type': FORM, origin: `http://127.0.0.1:${cluster.monitoringPort}` }
  })
  holder.hold('post /login', await form('/login', 'username=admin&password=no', other), 303)
  holder.hold('post /password', await form('/password', 'current=no&next=no', admin), 303)
  holder.hold('post /logout', await form('/logout', '', await loggedIn(cluster, 'nobody')), 303)
  holder.hold('post /login', await other.post('/login', { username: 'b', password: 'x' }), 401)
  const wrong = { username: 'c', password: 'x' }
  for (let attempt = 0; attempt < 5; attempt++) await other.post('/login', wrong)
  await holdPost(other, holder, '/login', wrong, 429)
  const change = { current: 'wrong', next: PASSWORD }
  for (let attempt = 0; attempt < 5; attempt++) await admin.post('/password', change)
  await holdPost(admin, holder, '/password', change, 429)
  await holdPost(admin, holder, '/logout', {}, 200)
}

/** Whose password was made up for them must change it first. */
async function holdMadeUp (
  database: Database.Database, cluster: Cluster, holder: Holder
): Promise<void> {
  database.exec("UPDATE UserPassPerm SET MustChange = 1 WHERE Username = 'nobody'")
  const nobody = await loggedIn(cluster, 'nobody')
  holder.hold('get /sessions', await nobody.get('/sessions'), 403)
  await holdPost(nobody, holder, '/sessions/end', { id: 'x' }, 403)
}

async function holdOutage (
  database: Database.Database, admin: Operator, holder: Holder
): Promise<void> {
  database.exec('BEGIN IMMEDIATE')
  const address = '203.0.113.77'
  await Promise.all([
    holdPost(admin, holder, '/deny', { address }, 503),
    holdPost(admin, holder, '/allow', { address }, 503)
  ])
  database.exec('COMMIT')
}

t.test('openapi: every route is asked, and every answer is as the document says', async t => {
  const { cwd, cluster, admin, holder } = await start(t)
  await new Visitor().enter(cluster)
  await holdReads(cluster, admin, holder)
  await holdRefusals(cluster, admin, holder)
  await holdActions(cluster, admin, holder)
  const database = new Database(join(cwd, 'db/usher.db'))
  t.teardown(() => database.close())
  await holdOutage(database, admin, holder)
  await holdMadeUp(database, cluster, holder)
  await holdAccount(cluster, admin, holder)
  for (const [route, { responses }] of holder.operations) {
    const held = holder.held.get(route) ?? new Set()
    const missing = Object.keys(responses).map(Number)
      .filter(status => !held.has(status) && !NEVER_ASKED.includes(status) &&
        !TOO_LONG.includes(`${route} ${status}`))
    t.strictSame(missing, [], `${route}: what the document says and nobody has seen`)
  }
})
