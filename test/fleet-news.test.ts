/** What is done at one program of a fleet is in force at the others. */
import http from 'node:http'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { ENGINE_SKIP, startEngine, type TestEngine } from '../packages/shared/test/fleet/engine-kit.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { startCluster, until, Visitor, workingFolder, type Cluster } from './cluster.ts'

const PASSWORD = 'correct horse battery'
/** Nobody shares a connection: that of a denied visitor is closed. */
const ONCE = { agent: new http.Agent({ keepAlive: false }) }

function settingsOf (engine: TestEngine, node: string): Record<string, string> {
  return {
    ADMIN_PASSWORD: PASSWORD,
    DELAY_BETWEEN_ROUTING: '0',
    DB_PATH: `${node}.db`,
    NODE_NAME: node,
    CLUSTER_URL: engine.url,
    CLUSTER_SECRET: 'a-secret-of-all-nodes'.padEnd(32, '-')
  }
}

/** The same person, by the same cookie. */
function operatorAt (cluster: Cluster, { cookie }: Operator): Operator {
  const operator = new Operator(cluster)
  operator.cookie = cookie
  return operator
}

function hashOf (cwd: string, node: string): string {
  const db = new Database(join(cwd, `${node}.db`), { readonly: true })
  try {
    return db.prepare('SELECT Password FROM UserPassPerm').pluck().get() as string
  } finally {
    db.close()
  }
}

/**
 * Two programs that know each other: each has made an account at its start if it had not heard of
 * the other's, and one of the two stays, without the logins of the other.
 */
async function startTwo (t: Test, engine: TestEngine, cwd: string): Promise<[Cluster, Cluster]> {
  const a = await startCluster(t, settingsOf(engine, 'a'), { cwd })
  const b = await startCluster(t, settingsOf(engine, 'b'), { cwd })
  await until(async () => hashOf(cwd, 'a') === hashOf(cwd, 'b'), areSame => areSame)
  return [a, b]
}

const statusOf = (operator: Operator) => async (): Promise<number> =>
  (await operator.get('/stats')).status

t.test('fleet news: a denial, a login and a log-out are in force at another node', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const cwd = workingFolder(t)
  const [a, b] = await startTwo(t, engine, cwd)
  const atA = await Operator.loggedIn(a, 'admin', PASSWORD)
  const atB = operatorAt(b, atA)
  await until(statusOf(atB), status => status === 200)
  t.pass('who has logged in at one is known at the other')

  const [visitor, other] = [new Visitor(), new Visitor()]
  const port = await visitor.enter(b)
  await other.enter(b)
  const userId = visitor.cookie!.split('=')[1]!
  t.equal((await atA.post('/deny', { userId, reason: 'spam' })).status, 200)
  const statuses = async (who: Visitor): Promise<number[]> =>
    [(await who.ask(b.routingPort, '/', ONCE)).status, (await who.ask(port, '/', ONCE)).status]
  // Connections of whoever is denied are closed, maybe in the middle of a request.
  await until(() => statuses(visitor).catch(() => []),
    ([router, server]) => router === 403 && server === 403)
  t.strictSame(await statuses(other), [302, 200], 'and nobody else is refused')
  t.match((await atB.get('/denied')).json, { denied: [{ userId, reason: 'spam', by: 'admin' }] })
  t.notMatch(JSON.stringify((await atB.get('/users')).json), userId, 'the denied one is counted no more')
  await until(async () => JSON.stringify((await atB.get('/audit')).json), text => text.includes('"deny"'))
  t.equal((await atB.post('/allow', { userId })).status, 200)
  await until(async () => (await visitor.ask(a.routingPort, '/', ONCE)).status, status => status === 302)

  t.equal((await atB.post('/logout', {})).status, 200)
  await until(statusOf(atA), status => status === 401)
  t.pass('who logs out at one is logged out at the other')
})

t.test('fleet news: who was denied while a node was down is refused from its first answer on', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const cwd = workingFolder(t)
  const [a, b] = await startTwo(t, engine, cwd)
  await b.stop('SIGTERM')
  const visitor = new Visitor()
  await visitor.enter(a)
  const operator = await Operator.loggedIn(a, 'admin', PASSWORD)
  await operator.post('/deny', { userId: visitor.cookie!.split('=')[1]! })
  // Sent, and not only stored: what another node has not heard it cannot know.
  await until(async () => Number(await engine.call('HEXISTS', 'usher:{usher}:news-kept',
    `denial id ${visitor.cookie!.split('=')[1]!}`)), is => is === 1)
  const again = await startCluster(t, settingsOf(engine, 'b'), { cwd })
  t.equal((await visitor.ask(again.routingPort)).status, 403)
})
