/** What a stop keeps for the next start, and what visitors notice of a restart under load. */
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import t from 'tap'
import { ask, samePorts, startCluster, until, Visitor, workingFolder } from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { RetryingClients } from './retrying-clients.ts'
import { WallClock } from './wall-clock.ts'

const CLIENTS = 30
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0.05' }
const PASSWORD = 'correct horse battery'
const NEXT_PASSWORD = 'staple of another kind'
const DENIED_ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const TIMEOUT_THRESHOLD_S = 600
/** The history has a sample of each such piece of the wall clock's time. */
const SAMPLE_MS = 5000
const SHUTDOWN_TIMEOUT_MS = 10_000

/** What the monitor tells of the past: none of it may change by a restart. */
async function remembered (operator: Operator): Promise<Record<string, unknown>> {
  const [denied, audit, history] = await Promise.all([
    operator.get('/denied'), operator.get('/audit'), operator.get('/history?minutes=60')
  ])
  return {
    denied: (denied.json['denied'] as Denied[]).map(({ since, until, ...rest }) => (
      { ...rest, forMs: until === null ? null : Date.parse(until) - Date.parse(since) }
    )),
    audit: audit.json['entries'],
    events: history.json['events']
  }
}

/** Its times are told by the wall clock, which a test sets. */
interface Denied {
  readonly since: string
  readonly until: string | null
}

interface HistoryEvent {
  readonly type: string
}

/** At least one sample in which somebody was here. */
async function samples (operator: Operator): Promise<unknown[]> {
  const { json } = await operator.get('/history?minutes=60')
  const servers = Object.values(json['servers'] as Record<string, { active_users: unknown[] }>)
  return servers.flatMap(server => server.active_users).filter(count => Number(count) > 0)
}

/** As if they had been seen last at this time. */
function setLastSeen (cwd: string, { cookie }: Visitor, atMs: number): void {
  const db = new Database(join(cwd, 'db/usher.db'))
  const { changes } = db.prepare('UPDATE SavedUsers SET LastSeen = ? WHERE Client = ?')
    .run(atMs, cookie!.slice('client_id='.length))
  db.close()
  if (changes !== 1) throw new Error(`${cookie} was not saved`)
}

t.test('restart: a clean stop keeps accounts, sessions, denials, audit, history and users', async t => {
  const cwd = workingFolder(t)
  const clock = new WallClock(cwd)
  const settings = {
    ...SETTINGS,
    ...clock.settings,
    ADMIN_PASSWORD: PASSWORD,
    TIMEOUT_THRESHOLD: String(TIMEOUT_THRESHOLD_S),
    HEARTBEAT_INTERVAL: String(TIMEOUT_THRESHOLD_S) // No sweep comes in between.
  }
  const options = { ...clock.options, cwd }
  const first = await startCluster(t, settings, options)
  const operator = new Operator(first)
  await operator.logIn('admin', PASSWORD)
  await operator.changePassword(PASSWORD, NEXT_PASSWORD)
  await operator.post('/deny', { userId: DENIED_ID, reason: 'spam', minutes: 60 })
  await operator.post('/deny', { address: '198.51.100.0/24', reason: 'flood' })
  const visitors = [new Visitor(), new Visitor(), new Visitor()] as const
  const ports: number[] = []
  for (const visitor of visitors) ports.push(await visitor.enter(first))
  clock.set({ offsetMs: SAMPLE_MS })
  await until(() => samples(operator), found => found.length > 0)
  const before = await remembered(operator)
  t.equal(await first.stop(), 0)

  const startMs = Date.now() + SAMPLE_MS
  clock.set({ frozenMs: startMs })
  setLastSeen(cwd, visitors[1], startMs - TIMEOUT_THRESHOLD_S * 1000)
  setLastSeen(cwd, visitors[2], startMs - TIMEOUT_THRESHOLD_S * 1000 - 1)
  const second = await startCluster(t, { ...settings, ...samePorts(first) }, options)
  t.match(await second.logged(/users of the last run were restored/), { users: 2 })
  const { json } = await operator.get('/users')
  t.same(
    (json['users'] as Array<{ id: string, server: string }>).map(({ id, server }) => [id, server]).sort(),
    [0, 1].map(at => [visitors[at]!.cookie!.slice('client_id='.length), String(ports[at])]).sort(),
    'who stayed away for exactly TIMEOUT_THRESHOLD is back, and who did a millisecond longer is not')

  const after = await remembered(operator)
  t.same(after['denied'], before['denied'])
  t.same(after['audit'], before['audit'])
  const [eventsBefore, events] = [before, after].map(said => said['events'] as HistoryEvent[])
  t.same(events!.slice(0, eventsBefore!.length), eventsBefore)
  t.equal(events!.filter(({ type }) => type === 'start').length, 2)
  t.ok((await samples(operator)).length > 0)
  t.equal((await operator.get('/user-info')).status, 200, 'the session goes on')
  t.equal((await new Operator(second).logIn('admin', PASSWORD)).status, 401)
  t.equal((await new Operator(second).logIn('admin', NEXT_PASSWORD)).status, 200)
  for (const port of [...second.ports, second.routingPort]) {
    t.equal((await ask(port, '/', { headers: { cookie: `client_id=${DENIED_ID}` } })).status, 403)
  }
  t.equal(await second.stop(), 0)
})

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`restart: under load by ${signal} no request is lost that is sent once more`, async t => {
    const cwd = workingFolder(t)
    const first = await startCluster(t, SETTINGS, { cwd })
    const clients = new RetryingClients(first, CLIENTS)
    await until(() => Promise.resolve(clients.requests), requests => requests > 20 * CLIENTS)
    const signalledMs = performance.now()
    const code = await first.stop(signal)
    const stoppedMs = performance.now()
    if (signal === 'SIGTERM') {
      t.equal(code, 0)
      t.ok(stoppedMs - signalledMs < SHUTDOWN_TIMEOUT_MS, 'within SHUTDOWN_TIMEOUT')
    }
    const second = await startCluster(t, { ...SETTINGS, ...samePorts(first) }, { cwd })
    const readyMs = performance.now()
    const before = clients.requests
    const enough = before + 20 * CLIENTS
    await until(() => Promise.resolve(clients.requests), requests => requests > enough)
    const { requests, failed, lost } = await clients.stop()
    t.same(lost, [])
    if (signal === 'SIGTERM') {
      // Not one answer was cut off or refused: what failed had not been accepted yet.
      t.same(Object.keys(failed).filter(reason => !/^ECONN(REFUSED|RESET)$/.test(reason)), [])
    }
    t.comment(`${signal}: ${requests} requests, failed at first ${JSON.stringify(failed)}, ` +
      `lost ${lost.length}; stopped in ${(stoppedMs - signalledMs).toFixed(0)} ms, ` +
      `ready ${(readyMs - stoppedMs).toFixed(0)} ms later`)
    t.equal(await second.stop(), 0)
  })
}
