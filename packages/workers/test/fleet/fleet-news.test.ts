/** Nodes that tell each other what changes, by an engine that comes and goes. */
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import {
  ENGINE_SKIP, startEngine, type TestEngine
} from '../../../shared/test/fleet/engine-kit.ts'
import { FleetNews } from '../../src/fleet/fleet-news.ts'
import { NewsSeal } from '../../src/fleet/news-entry.ts'
import { EngineStream, type NewsStream } from '../../src/fleet/news-stream.ts'
import { linesLog } from '../fixtures/lines-log.ts'
import { FakeEngine } from './fake-engine.ts'
import { CLUSTER, testNode, type TestNode } from './test-nodes.ts'

const SECRET = 'a secret that all nodes of the fleet have'
const ORIGIN = { address: '192.0.2.7', userAgent: 'browser' }
const anyway = (): void => {}

interface Member extends TestNode {
  readonly news: FleetNews
  /** Kinds in the order in which they were to be brought into force. */
  readonly heard: string[]
  readonly lines: ReturnType<typeof linesLog>['lines']
  /** Of the next calls of `onHeard`. */
  failures: number
}

interface MemberOptions {
  readonly secret?: string
  readonly node?: TestNode
  readonly startWaitMs?: number
}

async function join (
  t: Test, name: string, stream: NewsStream, options: MemberOptions = {}
): Promise<Member> {
  const { secret = SECRET, node = testNode(t, name), startWaitMs = 20_000 } = options
  const { log, lines } = linesLog()
  const heard: string[] = []
  const news = new FleetNews({
    database: node.database,
    book: node.book,
    seal: new NewsSeal(secret, CLUSTER),
    stream,
    async onHeard (kinds) {
      if (member.failures-- > 0) throw new Error('a thread is busy')
      heard.push(...kinds)
    },
    log
  })
  const member: Member = { ...node, news, heard, lines, failures: 0 }
  t.teardown(() => news.close())
  await news.start(startWaitMs)
  return member
}

function realStream (engine: TestEngine): NewsStream {
  const open = (): Engine => openEngine({ address: engine.address, name: 'news' })
  const stream = new EngineStream({
    engine: open(),
    reading: open(),
    prefix: 'usher:test',
    wallNow: Date.now,
    randomId: () => String(Math.random())
  })
  // It is one machine: what a busy one measures would only make times differ.
  stream.aheadMs = async () => 0
  return stream
}

/** Before the test runs out of time. */
async function until (isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await setTimeout(5)
}

async function untilEqual (...members: readonly Member[]): Promise<void> {
  await until(() => {
    const [first, ...others] = members.map(member => JSON.stringify(member.state()))
    return others.every(other => other === first) && members.every(isQuiet)
  })
}

function isQuiet ({ database }: Member): boolean {
  return database.readNow(sql => sql.outbox(1).length === 0)
}

const deny = (member: Member, text: string, forMs?: number): Promise<unknown> =>
  member.denials.deny([{ kind: 'address', text, reason: 'spam', by: member.name, forMs }], anyway)
const deniedBy = async ({ denials }: Member): Promise<string[]> =>
  (await denials.entries()).map(({ text }) => text).sort()

async function checkNews (t: Test, a: Member, b: Member): Promise<void> {
  await deny(a, '192.0.2.1', 60_000)
  await until(() => b.heard.includes('denial'))
  t.strictSame(await deniedBy(b), ['192.0.2.1'], 'a denial')
  const anna = await a.accounts.add('Anna', 'hash', 1, false)
  const token = await a.sessions.open(anna, ORIGIN)
  await until(async () => await b.sessions.current(token) !== undefined)
  t.match(await b.sessions.current(token), { username: 'Anna', canDisconnect: true }, 'a login')
  await a.accounts.setPermission(anna.id, -1, true)
  await until(async () => (await b.sessions.current(token))?.canView === false)
  t.pass('a demotion')
  await b.sessions.close(token)
  t.equal(await b.sessions.current(token), undefined)
  await until(async () => await a.sessions.current(token) === undefined)
  t.pass('a log-out, at another node than the login')
  const again = await b.sessions.open((await b.accounts.find('anna'))!, ORIGIN)
  await until(async () => await a.sessions.current(again) !== undefined)
  await a.accounts.setPassword(anna.id, 'other hash', false)
  await until(async () => await b.sessions.current(again) === undefined)
  t.pass('a change of the password')
  await b.denials.allow('address', '192.0.2.1', anyway)
  await until(async () => (await deniedBy(a)).length === 0)
  await a.audit.add({ who: 'Anna', action: 'deny', target: '192.0.2.1', address: '::1' })
  await until(async () => (await b.audit.page(undefined, 9)).entries.length > 0)
  t.match(await b.audit.page(undefined, 9), { entries: [{ who: 'Anna', action: 'deny' }] })
  await a.accounts.remove(anna.id, { isForced: true })
  await until(async () => await b.accounts.find('Anna') === undefined)
  await untilEqual(a, b)
}

t.test('fleet news: what changes at one node changes at the other', async t => {
  const engine = new FakeEngine()
  await checkNews(t, await join(t, 'a', engine.stream()), await join(t, 'b', engine.stream()))
})

t.test('fleet news: by a real engine', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const members = [await join(t, 'a', realStream(engine)), await join(t, 'b', realStream(engine))]
  for (const { lines } of members) {
    t.match(lines, [{ level: 30, msg: /^in step/ }], 'a start is no absence')
    t.equal(lines.length, 1)
  }
  await checkNews(t, members[0]!, members[1]!)
})

t.test('fleet news: another process changes the database', async t => {
  const engine = new FakeEngine()
  const [a, b] = [await join(t, 'a', engine.stream()), await join(t, 'b', engine.stream())]
  a.db.exec('INSERT INTO Permissions VALUES (7, 1, 0)')
  await until(async () => (await b.database.read(sql => sql.permissions())).length === 4)
  a.db.exec('DELETE FROM Permissions WHERE PermissionNum = 7')
  await untilEqual(a, b)
  t.equal((await b.database.read(sql => sql.permissions())).length, 3)
})

t.test('fleet news: what changes while the engine is away is told on its return', async t => {
  const engine = new FakeEngine()
  const [a, b] = [await join(t, 'a', engine.stream()), await join(t, 'b', engine.stream())]
  await deny(a, '192.0.2.1')
  await untilEqual(a, b)
  engine.isAway = true
  await until(() => b.lines.some(({ level }) => level === 40))
  await deny(a, '192.0.2.2')
  await b.denials.allow('address', '192.0.2.1', anyway)
  t.strictSame(await deniedBy(b), [])
  engine.isAway = false
  await untilEqual(a, b)
  t.strictSame(await deniedBy(b), ['192.0.2.2'])
  t.equal(b.lines.filter(({ level }) => level === 40).length, 1, 'an outage is one line')
})

t.test('fleet news: what was told without an answer is told once', async t => {
  const engine = new FakeEngine()
  const [a, b] = [await join(t, 'a', engine.stream()), await join(t, 'b', engine.stream())]
  await untilEqual(a, b)
  engine.isMute = true
  const before = engine.entries.length
  await deny(a, '192.0.2.1')
  await untilEqual(a, b)
  engine.isMute = false
  t.strictSame(await deniedBy(b), ['192.0.2.1'])
  t.equal(engine.entries.length, before + 1)
})

t.test('fleet news: an engine that comes back empty is told all', async t => {
  const engine = new FakeEngine()
  const [a, b] = [await join(t, 'a', engine.stream()), await join(t, 'b', engine.stream())]
  await deny(a, '192.0.2.1')
  await untilEqual(a, b)
  engine.isAway = true
  await until(() => [a, b].every(({ lines }) => lines.some(({ level }) => level === 40)))
  await deny(a, '192.0.2.2')
  await deny(b, '192.0.2.3')
  engine.startEmpty()
  engine.isAway = false
  await untilEqual(a, b)
  const c = await join(t, 'c', engine.stream())
  await untilEqual(a, b, c)
  t.strictSame(await deniedBy(c), ['192.0.2.1', '192.0.2.2', '192.0.2.3'], 'also to who comes later')
})

t.test('fleet news: who was away for longer than the stream reaches catches up', async t => {
  const engine = new FakeEngine(15)
  const a = await join(t, 'a', engine.stream())
  const node = testNode(t, 'b')
  const b = await join(t, 'b', engine.stream(), { node })
  await deny(a, '192.0.2.1')
  await untilEqual(a, b)
  await b.news.close()
  await a.denials.allow('address', '192.0.2.1', anyway)
  for (let last = 2; last < 12; last++) await deny(a, `192.0.2.${last}`)
  await until(() => isQuiet(a))
  for (let deed = 0; deed < 10; deed++) {
    await a.audit.add({ who: 'Anna', action: `deed ${deed}`, address: '::1' })
  }
  await until(() => isQuiet(a))
  const again = await join(t, 'b', engine.stream(), { node })
  t.equal((await deniedBy(again)).length, 10, 'when it has started')
  await untilEqual(a, again)
  t.equal((await again.audit.page(undefined, 100)).entries.length, 10, 'the audit follows')
})

t.test('fleet news: two nodes change the same thing, and both end equal', async t => {
  const engine = new FakeEngine()
  const [a, b] = [await join(t, 'a', engine.stream()), await join(t, 'b', engine.stream())]
  for (let round = 0; round < 5; round++) {
    engine.isAway = true
    await Promise.all([deny(a, '192.0.2.1', 60_000), deny(b, '192.0.2.1')])
    await a.accounts.add(`Anna ${round}`, 'hash of a', 1, false)
    await b.accounts.add(`ANNA ${round}`, 'hash of b', 0, false)
    engine.isAway = false
    await untilEqual(a, b)
  }
  t.equal((await a.accounts.list()).length, 5)
})

t.test('fleet news: what a node had before it joined is older than what the fleet knows', async t => {
  const engine = new FakeEngine()
  const a = await join(t, 'a', engine.stream())
  await a.accounts.add('admin', 'chosen', 1, false)
  await until(() => isQuiet(a))
  const node = testNode(t, 'b')
  await node.accounts.add('ADMIN', 'made up', 0, true)
  await node.denials.deny(
    [{ kind: 'address', text: '192.0.2.9', reason: '', by: 'b', forMs: undefined }], anyway)
  const b = await join(t, 'b', engine.stream(), { node })
  await untilEqual(a, b)
  t.match(await b.accounts.list(), [{ username: 'admin', passwordHash: 'chosen', permission: 1 }])
  t.strictSame(await deniedBy(a), ['192.0.2.9'])
})

t.test('fleet news: the first account that a start makes up takes the place of none', async t => {
  const engine = new FakeEngine()
  engine.isAway = true
  const b = await join(t, 'b', engine.stream(), { startWaitMs: 0 })
  const first = { username: 'admin', passwordHash: 'made up', permission: 1 }
  await b.accounts.putFirst({ ...first, madeUpUntilMs: Date.now() + 60_000 }, Date.now())
  engine.isAway = false
  const a = await join(t, 'a', engine.stream())
  await a.accounts.setPassword((await a.accounts.find('admin'))?.id ??
    (await a.accounts.add('admin', 'chosen', 1, false)).id, 'chosen', false)
  await untilEqual(a, b)
  t.match(await b.accounts.list(), [{ username: 'admin', passwordHash: 'chosen' }])
})

t.test('fleet news: what another secret has signed is refused, and said so once', async t => {
  const engine = new FakeEngine()
  const a = await join(t, 'a', engine.stream())
  const stranger = await join(t, 'x', engine.stream(), { secret: 'the secret of somebody else, not ours' })
  await deny(stranger, '192.0.2.1')
  await deny(stranger, '192.0.2.2')
  await until(() => isQuiet(stranger))
  await deny(a, '192.0.2.3')
  await until(() => isQuiet(a))
  t.strictSame(await deniedBy(a), ['192.0.2.3'])
  t.equal(a.lines.filter(({ msg }) => String(msg).includes('refused')).length, 1)
})

t.test('fleet news: what could not be brought into force is tried again', async t => {
  const engine = new FakeEngine()
  const [a, b] = [await join(t, 'a', engine.stream()), await join(t, 'b', engine.stream())]
  await untilEqual(a, b)
  b.heard.splice(0)
  b.failures = 2
  await deny(a, '192.0.2.1')
  await until(() => b.heard.includes('denial'))
  t.match(b.lines.filter(({ level }) => level === 50),
    [{ reason: 'a thread is busy', kinds: ['denial'] }, { reason: 'a thread is busy' }])
})

t.test('fleet news: an engine frozen, killed and started empty', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const members = await Promise.all(
    ['a', 'b', 'c'].map(name => join(t, name, realStream(engine))))
  const [a, b, c] = members as [Member, Member, Member]
  const isAway = ({ lines }: Member): boolean => lines.at(-1)?.['level'] === 40
  await deny(a, '192.0.2.1')
  await untilEqual(a, b, c)
  engine.freeze()
  await until(() => members.every(isAway))
  await deny(b, '192.0.2.2')
  await c.denials.allow('address', '192.0.2.1', anyway)
  engine.thaw()
  await untilEqual(a, b, c)
  t.strictSame(await deniedBy(a), ['192.0.2.2'], 'frozen')
  await engine.kill()
  await until(() => members.every(isAway))
  await deny(a, '192.0.2.4')
  await engine.restart()
  await untilEqual(a, b, c)
  t.strictSame(await deniedBy(c), ['192.0.2.2', '192.0.2.4'], 'killed, and started empty')
})
