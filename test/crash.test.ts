/** Killed again and again without warning: what was acknowledged is there at the next start. */
import { randomInt, randomUUID } from 'node:crypto'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { isLong } from '../packages/shared/test/length.ts'
import { ask, samePorts, startCluster, Visitor, workingFolder, type Cluster } from './cluster.ts'
import { Operator, type Reply } from '../scripts/kit/operator.ts'

const DEATHS = isLong ? 12 : 2
/** After the first acknowledgement of every kind. */
const KILL_MS_MAX = 700
/** An account has 100 sessions at most. */
const LOGIN_PAUSE_MS = 50
const VISITORS = 9
const REASON = 'x'.repeat(200)
const PASSWORD = 'correct horse battery'
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD }

/** What the monitor has answered with 200, over all the lives of the program. */
class Acknowledged {
  readonly denied = new Set<string>()
  readonly allowed = new Set<string>()
  readonly sessions: string[] = []
  /** Logged out. */
  readonly ended: string[] = []
  /** `action target`, as often as it was acknowledged. */
  readonly audit: string[] = []
  /** Asked for and never answered: they may have been done. */
  readonly unanswered = new Set<string>()
  /** By which apps verify tickets. */
  ticketKeys = ''

  /** Denies clients and takes every other one back, logs in and out, until the program dies. */
  async work (cluster: Cluster, onFirst: () => void): Promise<void> {
    const operator = new Operator(cluster)
    operator.cookie = this.sessions.at(-1)
    let denials = 0
    await Promise.all([
      untilDead(async () => {
        const userId = randomUUID()
        this.unanswered.add(userId)
        this.#note(await operator.post('/deny', { userId, reason: REASON }), 'deny', userId)
        if (++denials % 2 === 0) {
          this.#note(await operator.post('/allow', { userId }), 'allow', userId)
          this.allowed.add(userId)
        } else {
          this.denied.add(userId)
        }
        this.unanswered.delete(userId)
      }),
      untilDead(async () => {
        await this.logIn(cluster)
        await this.#logOut(cluster)
        if (denials > 1) onFirst()
        await setTimeout(LOGIN_PAUSE_MS)
      })
    ])
  }

  async logIn (cluster: Cluster): Promise<void> {
    const operator = new Operator(cluster)
    this.#note(await operator.logIn('admin', PASSWORD), 'login', '')
    this.sessions.push(operator.cookie!)
  }

  /** Of a session made for it. */
  async #logOut (cluster: Cluster): Promise<void> {
    const operator = new Operator(cluster)
    this.#note(await operator.logIn('admin', PASSWORD), 'login', '')
    this.#note(await operator.post('/logout'), 'logout', '')
    this.ended.push(operator.cookie!)
  }

  #note ({ status, text }: Reply, action: string, target: string): void {
    if (status !== 200) throw new Error(`${action}: ${status} ${text}`)
    this.audit.push(`${action} ${target}`)
  }
}

async function untilDead (work: () => Promise<void>): Promise<void> {
  try {
    for (;;) await work()
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (!/^ECONN/.test(code) && !/aborted|hang up/.test(message)) throw error
  }
}

async function beats (visitor: Visitor, port: number): Promise<void> {
  await untilDead(async () => {
    await visitor.beat(port)
    await setTimeout(10)
  })
}

/** Asked of a copy, so that nothing is mended by asking. */
function integrity (cwd: string): unknown {
  const file = join(cwd, 'db/usher.db')
  for (const suffix of ['', '-wal']) {
    if (existsSync(file + suffix)) copyFileSync(file + suffix, join(cwd, `copy.db${suffix}`))
  }
  const db = new Database(join(cwd, 'copy.db'))
  const answer: unknown = db.pragma('integrity_check', { simple: true })
  db.close()
  return answer
}

async function auditOf (operator: Operator): Promise<string[]> {
  const found: string[] = []
  let cursor = ''
  for (;;) {
    const { json } = await operator.get(`/audit?limit=1000${cursor}`)
    const entries = json['entries'] as Array<{ action: string, target?: string }>
    found.push(...entries.map(({ action, target = '' }) => `${action} ${target}`))
    if (typeof json['next_cursor'] !== 'string') return found
    cursor = `&cursor=${json['next_cursor']}`
  }
}

/** Those of the first list that the second has not, each as often as it is missing. */
function missing (wanted: readonly string[], found: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const one of found) left.set(one, (left.get(one) ?? 0) + 1)
  return wanted.filter(one => {
    const count = left.get(one) ?? 0
    left.set(one, count - 1)
    return count <= 0
  })
}

async function ticketKeys ({ routingPort }: Cluster): Promise<string> {
  return (await ask(routingPort, '/.well-known/jwks.json')).body
}

async function checkKept (t: Test, cluster: Cluster, acknowledged: Acknowledged): Promise<void> {
  const operator = new Operator(cluster)
  operator.cookie = acknowledged.sessions.at(-1)
  const { denied, allowed, sessions, ended, audit, unanswered } = acknowledged
  const { json } = await operator.get('/denied')
  const found = (json['denied'] as Array<{ userId: string }>).map(({ userId }) => userId)
  const certain = found.filter(id => !unanswered.has(id))
  t.same(missing([...denied], found), [], `${denied.size} denials are there`)
  t.same(certain.filter(id => allowed.has(id)), [], `${allowed.size} are taken back`)
  t.same(missing(certain, [...denied]), [], 'and no others')
  const statuses = (cookies: readonly string[]): Promise<number[]> => Promise.all(
    cookies.map(async cookie => (await operator.get('/user-info', { cookie })).status))
  t.same(await statuses(sessions), sessions.map(() => 200), `${sessions.length} sessions go on`)
  t.same(await statuses(ended), ended.map(() => 401), `${ended.length} have ended`)
  t.same(missing(audit, await auditOf(operator)), [], `${audit.length} entries of the audit`)
  t.equal(await ticketKeys(cluster), acknowledged.ticketKeys, 'the keys of tickets')
}

t.test('crash: killed at any moment, nothing that was acknowledged is lost', async t => {
  const cwd = workingFolder(t)
  const acknowledged = new Acknowledged()
  const visitors = Array.from({ length: VISITORS }, () => new Visitor())
  let cluster = await startCluster(t, SETTINGS, { cwd })
  await acknowledged.logIn(cluster)
  acknowledged.ticketKeys = await ticketKeys(cluster)
  const ports: number[] = []
  for (const visitor of visitors) ports.push(await visitor.enter(cluster))

  for (let death = 1; death <= DEATHS; death++) {
    const victim = cluster
    const beating = visitors.map((visitor, at) => beats(visitor, ports[at]!))
    const waitMs = randomInt(KILL_MS_MAX)
    await new Promise<void>((resolve, reject) => {
      let isFirst = true
      const onFirst = (): void => {
        if (isFirst) void setTimeout(waitMs).then(() => victim.stop('SIGKILL'))
        isFirst = false
      }
      acknowledged.work(victim, onFirst).then(resolve, reject)
    })
    await Promise.all(beating)
    t.equal(integrity(cwd), 'ok', `death ${death}, ${waitMs} ms after the first logins and denials`)

    cluster = await startCluster(t, { ...SETTINGS, ...samePorts(cluster) }, { cwd })
    await checkKept(t, cluster, acknowledged)
    const counts: number[] = []
    for (const [at, visitor] of visitors.entries()) counts.push(await visitor.beat(ports[at]!))
    t.equal(Math.max(...counts), VISITORS / cluster.ports.length, 'a beat, and they are back')
    for (const [at, visitor] of visitors.entries()) {
      t.equal(await visitor.knock(cluster), ports[at], 'on the server that they had')
    }
  }
  const operator = new Operator(cluster)
  operator.cookie = acknowledged.sessions.at(-1)
  const { json } = await operator.get('/history?minutes=60')
  const starts = (json['events'] as Array<{ type: string }>).filter(({ type }) => type === 'start')
  t.equal(starts.length, DEATHS + 1, 'the history knows of every start')
  t.comment(`${DEATHS} deaths: ${acknowledged.audit.length} acknowledged changes, none lost`)
  t.equal(await cluster.stop(), 0)
})
