/** The wall clock is set by a year while the program runs: all takes as long as it should. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { ask, startCluster, until, Visitor, workingFolder, type Cluster } from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { WallClock } from './wall-clock.ts'

const PASSWORD = 'correct horse battery'
const YEAR_MS = 365 * 86_400_000
const HOUR_MS = 3_600_000
/** What is measured by the wall clock, here and in the program, differs by less. */
const SLACK_MS = 60_000
/** One length for all that ends by itself. */
const LASTING_MS = 3000
const LASTING_S = String(LASTING_MS / 1000)
const SETTINGS = {
  DELAY_BETWEEN_ROUTING: '0',
  HEARTBEAT_INTERVAL: '0.5',
  TIMEOUT_THRESHOLD: LASTING_S,
  RESERVATION_TTL: LASTING_S,
  SESSION_IDLE_TIMEOUT: LASTING_S,
  ADMIN_PASSWORD: PASSWORD
}

/** A denial that ends before the shortest that may be asked for; in force with the next change. */
function denyShortly (db: Database.Database, userId: string): void {
  db.prepare(`INSERT INTO Denied (Kind, Target, Reason, Author, Since, Until)
    VALUES ('id', ?, '', 'a test', ?, ?)`).run(userId, Date.now(), Date.now() + LASTING_MS)
}

const statusOf = async ({ ports }: Cluster, id: string): Promise<number> =>
  (await ask(ports[0]!, '/', { headers: { cookie: `client_id=${id}` } })).status

const idOf = ({ cookie }: Visitor): string => cookie!.slice('client_id='.length)

interface Stats {
  readonly timestamp: string
  readonly servers: Record<string, { readonly users: string[], readonly reserved: number }>
}

/** Says when it came true, and that this was not too early. */
async function lasts (
  t: Test, what: string, fromMs: number, isOver: () => Promise<boolean>
): Promise<void> {
  await until(isOver, over => over)
  const lastedMs = performance.now() - fromMs
  // The wall clock by which one is stored has whole milliseconds.
  t.ok(lastedMs >= LASTING_MS - 2, `${what}: ${lastedMs.toFixed(0)} ms`)
}

for (const aheadMs of [YEAR_MS, -YEAR_MS]) {
  const way = aheadMs > 0 ? 'forward' : 'back'
  t.test(`clock: set ${way} by a year, it ends and extends nothing`, async t => {
    const cwd = workingFolder(t)
    const clock = new WallClock(cwd)
    const cluster = await startCluster(
      t, { ...SETTINGS, ...clock.settings }, { ...clock.options, cwd })
    const db = new Database(join(cwd, 'db/usher.db'))
    t.teardown(() => db.close())
    const wallMs = (): number => Date.now() + aheadMs
    const [operator, other] = [new Operator(cluster), new Operator(cluster)]
    await operator.logIn('admin', PASSWORD)
    await other.logIn('admin', PASSWORD)
    const [shortly, long] = [randomUUID(), randomUUID()]
    const [active, silent, awaited] = [new Visitor(), new Visitor(), new Visitor()]
    const fromMs = performance.now()
    denyShortly(db, shortly)
    const port = await active.enter(cluster)
    await silent.enter(cluster)
    await awaited.knock(cluster)
    await operator.post('/deny', { userId: long, minutes: 60 })
    await other.get('/user-info')
    t.same([await statusOf(cluster, shortly), await statusOf(cluster, long)], [403, 403])

    clock.set({ offsetMs: aheadMs })
    t.equal((await operator.get('/user-info')).status, 200, 'a session goes on')
    const stats = async (): Promise<Stats> =>
      (await operator.get('/stats')).json as unknown as Stats
    const isClose = (text: unknown, ms: number): boolean =>
      Math.abs(Date.parse(String(text)) - ms) < SLACK_MS
    t.ok(isClose((await stats()).timestamp, wallMs()), 'the clock is set')
    const [denied] = (await operator.get('/denied')).json['denied'] as Array<{ until: string }>
    t.ok(isClose(denied!.until, wallMs() + HOUR_MS), 'people are told by the clock that they see')

    const over = new AbortController()
    const beating = (async () => {
      while (!over.signal.aborted) {
        await active.beat(port)
        await setTimeout(50)
      }
    })()
    const users = async (): Promise<string[]> =>
      Object.values((await stats()).servers).flatMap(({ users }) => users)
    const reserved = async (): Promise<number> =>
      Object.values((await stats()).servers).reduce((sum, { reserved }) => sum + reserved, 0)
    const sessions = async (): Promise<number> =>
      ((await operator.get('/sessions')).json['sessions'] as unknown[]).length
    await Promise.all([
      lasts(t, 'a silent user', fromMs, async () => !(await users()).includes(idOf(silent))),
      lasts(t, 'a place held', fromMs, async () => await reserved() === 0),
      lasts(t, 'an idle session', fromMs, async () => await sessions() === 1),
      lasts(t, 'a denial', fromMs, async () => await statusOf(cluster, shortly) !== 403)
    ])
    t.ok((await users()).includes(idOf(active)), 'who beats is still here')
    t.equal(await statusOf(cluster, long), 403)
    over.abort()
    await beating
    await checkHistory(t, operator, wallMs)

    clock.set({ offsetMs: 0 })
    const toCome = db.prepare<[number], number>('SELECT COUNT(*) FROM History WHERE At > ?').pluck()
    await until(async () => toCome.get(Date.now() + SLACK_MS), count => count === 0)
    await checkHistory(t, operator, Date.now)
    t.equal(await cluster.stop(), 0)
  })
}

/** Of the hour before now, with a measurement, and nothing of the time to come. */
async function checkHistory (t: Test, operator: Operator, now: () => number): Promise<void> {
  const history = async () => (await operator.get('/history?minutes=60')).json
  const isMeasured = (json: Record<string, unknown>): boolean =>
    Object.values(json['servers'] as Record<string, { active_users: unknown[] }>)
      .some(({ active_users: counts }) => counts.some(count => count !== null))
  const { from, events } = await until(history, isMeasured)
  t.ok(Math.abs(Date.parse(String(from)) - (now() - HOUR_MS)) < SLACK_MS, 'the last hour')
  const times = (events as Array<{ at: string }>).map(({ at }) => Date.parse(at))
  t.ok(times.every(atMs => atMs < now() + SLACK_MS), 'no event of the time to come')
}
