/** The library in a real engine, by a clock of the test's own, against a model of plain Maps. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { isAnswer, type CallEngine } from '@usher/shared/fleet/engine.ts'
import { clientKey, NO_INDEX, type FleetVisitor, type News } from '@usher/shared/fleet/packed-texts.ts'
import {
  ALL_FULL, bringLibrary, keyPrefix, UsherLibrary, type JoiningServer, type Report
} from '@usher/shared/fleet/usher-library.ts'
import { clientNumber } from '../memory/test-table.ts'
import { ENGINE_SKIP, startEngine } from './engine-kit.ts'
import { FleetModel } from './fleet-model.ts'

const NEEDS_ENGINE = { skip: ENGINE_SKIP }
const START_MS = 1_700_000_000_000
const HOLD_MS = 10_000
const LIBRARY = new URL('../../src/fleet/usher_v1.lua', import.meta.url)
const A = { name: 'a', run: '1' }
const B = { name: 'b', run: '1' }
const QUIET: Report = { seq: 1, fed: 0, arrived: [], released: [], told: [], active: [] }

t.test('library: is brought once, and by a newer revision again', NEEDS_ENGINE, async t => {
  const { call } = await startEngine(t)
  await bringLibrary(call)
  t.equal(await call('FCALL', 'usher_v1_revision', 0), 3)
  const text = readFileSync(LIBRARY, 'utf8')
  await call('FUNCTION', 'LOAD', 'REPLACE', text.replace(/REVISION = \d+/, 'REVISION = 99'))
  await bringLibrary(call)
  t.equal(await call('FCALL', 'usher_v1_revision', 0), 99, 'a newer one is left alone')
  await call('FUNCTION', 'LOAD', 'REPLACE', text.replace(/REVISION = \d+/, 'REVISION = 0'))
  await bringLibrary(call)
  t.equal(await call('FCALL', 'usher_v1_revision', 0), 3)
  await call('FUNCTION', 'FLUSH')
  t.match(await new UsherLibrary(call, 'shop').view(), { servers: [] }, 'lost under a connection')
})

t.test('library: a fleet in another format is refused in words', NEEDS_ENGINE, async t => {
  const { library, call } = await testLibrary(t)
  await call('HSET', `${keyPrefix('shop')}:meta`, 'format', '1')
  const error: unknown = await library.view().catch((error: unknown) => error)
  t.ok(isAnswer(error))
  t.match(error, { message: /another version of Usher: its format is 1, that of usher_v1 is 2/ })
})

t.test('library: takes the servers of two nodes as one', NEEDS_ENGINE, async t => {
  const { library, clock, warmUp } = await testLibrary(t)
  const joined = await library.join(clock.ms, A, [plain('x'), plain('y')])
  t.match(joined, { status: 'ok', number: 1, fed: 0, indexes: [1, 2] })
  t.match(await library.join(clock.ms, B, [plain('x')]), { status: 'ok', number: 2, indexes: [3] })
  t.match(await library.place(clock.ms, 1, HOLD_MS, visitors(1)), { status: 'warm' })
  await warmUp([A, B])
  const placed = await library.place(clock.ms, 1, HOLD_MS, visitors(1, 2, 3, 4))
  t.match(placed, { status: 'ok', indexes: [1, 2, 3, 1] })
  t.match(await library.place(clock.ms, 1, HOLD_MS, visitors(3, 1, 1)), { indexes: [3, 1, 1] },
    'who holds a place keeps it')
  const { servers, nodes } = await library.view()
  t.strictSame(servers.map(({ node, name, url, held }) => [node, name, url, held]).sort(), [
    ['a', 'x', 'http://x', 2], ['a', 'y', 'http://y', 1], ['b', 'x', 'http://x', 1]
  ])
  t.strictSame(nodes.map(({ name }) => name), ['a', 'b'])
})

t.test('library: late calls do nothing', NEEDS_ENGINE, async t => {
  const { library, clock, warmUp } = await testLibrary(t)
  await library.join(clock.ms, A, [plain('x')])
  await warmUp([A])
  const check = async (sentMs: number, wanted: string): Promise<void> => {
    t.match(await library.place(sentMs, 1, HOLD_MS, visitors(1)), { status: wanted })
    const report: Report = { ...QUIET, seq: 100, active: [[1, 9]] }
    t.match(await library.report(sentMs, A, report), { status: wanted })
    t.match(await library.drain(sentMs, A, [[1, 1]]), { status: wanted })
    t.match(await library.join(sentMs, A, [plain('x')]), { status: wanted })
    const { servers: [server] } = await library.view()
    t.match(server, wanted === 'ok' ? { held: 1, active: 9 } : { held: 0, active: 0 })
  }
  await check(clock.ms - 501, 'late')
  await check(clock.ms + 501, 'late')
  t.match(await library.leave(clock.ms - 501, A), { status: 'late' })
  await check(clock.ms - 500, 'ok')
})

t.test('library: full and none are two things', NEEDS_ENGINE, async t => {
  const { library, clock, warmUp } = await testLibrary(t)
  await library.join(clock.ms, A, [{ ...plain('x'), capacity: 2 }, { ...plain('y'), share: 0 }])
  await warmUp([A])
  t.match(await library.place(clock.ms, 1, HOLD_MS, visitors(1, 2, 3, 1)), {
    indexes: [1, 1, ALL_FULL, 1]
  })
  const hinted = [{ client: clientNumber(3), hint: 1, refusedBy: NO_INDEX }]
  t.match(await library.place(clock.ms, 1, HOLD_MS, hinted), { indexes: [1] },
    'who says to be there is sent to its door')
  await library.drain(clock.ms, A, [[1, 0]])
  t.match(await library.place(clock.ms, 1, HOLD_MS, visitors(3, 1)), {
    indexes: [NO_INDEX, NO_INDEX]
  })
  await library.drain(clock.ms, A, [[1, 1]])
  t.match(await library.place(clock.ms, 1, HOLD_MS, visitors(3)), { indexes: [1] })
})

t.test('library: who was refused by a server gets another one, and holds no place there', NEEDS_ENGINE, async t => {
  const { library, clock, warmUp } = await testLibrary(t)
  await library.join(clock.ms, A, [plain('x'), plain('y')])
  await library.join(clock.ms, B, [{ ...plain('x'), capacity: 1 }])
  await warmUp([A, B])
  const check = async (
    given: FleetVisitor, index: number, held: readonly number[]
  ): Promise<void> => {
    t.match(await library.place(clock.ms, 1, HOLD_MS, [given]), { indexes: [index] })
    const { servers } = await library.view()
    t.strictSame([...servers].sort((a, b) => a.index - b.index).map(one => one.held), held)
  }
  await check(visitor(1), 1, [1, 0, 0])
  await check(visitor(1, { refusedBy: 1 }), 2, [0, 1, 0])
  await check(visitor(1, { refusedBy: 1 }), 2, [0, 1, 0])
  await check(visitor(1), 2, [0, 1, 0])
  await check(visitor(2, { refusedBy: 1, hint: 1 }), 3, [0, 1, 1])
  t.match(await library.report(clock.ms, B, { ...QUIET, seq: 100 }), { news: [{ kind: 'held', index: 3 }] })
  await check(visitor(2, { refusedBy: 3, hint: 3 }), 1, [1, 1, 0])
  t.match(await library.report(clock.ms, B, { ...QUIET, seq: 101, fed: 1 }), { news: [{ kind: 'released', index: 3 }] })
  await library.drain(clock.ms, A, [[1, 0], [2, 0]])
  await check(visitor(3, { refusedBy: 3 }), ALL_FULL, [1, 1, 0])
})

t.test('library: the dead go with their servers, and what they placed elsewhere stands', NEEDS_ENGINE, async t => {
  const { library, clock, warmUp, beat } = await testLibrary(t)
  await library.join(clock.ms, A, [plain('x')])
  await library.join(clock.ms, B, [plain('x')])
  await warmUp([A, B])
  t.match(await library.place(clock.ms, 1, HOLD_MS, visitors(1, 2)), { indexes: [1, 2] })
  for (let ms = 0; ms <= 2000; ms += 250) await beat([B], 250)
  const { nodes, servers } = await library.view()
  t.strictSame(nodes.map(({ name }) => name), ['b'])
  t.match(servers, [{ index: 2, held: 1 }])
  t.match(await library.place(clock.ms, 2, HOLD_MS, visitors(1, 2)), { indexes: [2, 2] })
  t.match(await library.report(clock.ms, A, { ...QUIET, seq: 999 }), { status: 'unknown' })
  t.match(await library.join(clock.ms, A, [plain('x')]), { status: 'ok', indexes: [3] })
})

t.test('library: a second node of the same name has to wait', NEEDS_ENGINE, async t => {
  const { library, clock } = await testLibrary(t)
  await library.join(clock.ms, A, [plain('x')])
  const other = { name: 'a', run: '2' }
  t.match(await library.join(clock.ms, other, [plain('x')]), {
    status: 'taken', untilMs: clock.ms + 2000
  })
  t.match(await library.leave(clock.ms, other), { status: 'unknown' })
  await library.leave(clock.ms, A)
  t.match(await library.join(clock.ms, other, [plain('x')]), { status: 'ok', indexes: [2] })
})

t.test('library: a silent second extends leases and warms up', NEEDS_ENGINE, async t => {
  const { library, clock, warmUp } = await testLibrary(t)
  await library.join(clock.ms, A, [plain('x')])
  await warmUp([A])
  await clock.to(clock.ms + 1000)
  t.match(await library.place(clock.ms, 1, HOLD_MS, visitors(1)), { status: 'ok' }, 'one less')
  await clock.to(clock.ms + 30_000)
  t.match(await library.view(), { isWarm: true, nodes: [{ untilMs: clock.ms + 2000 }] })
  t.match(await library.place(clock.ms, 1, HOLD_MS, visitors(2)), { status: 'warm' })
})

t.test('library: news is kept until it has come', NEEDS_ENGINE, async t => {
  const { library, clock, warmUp } = await testLibrary(t)
  await library.join(clock.ms, A, [plain('x')])
  await library.join(clock.ms, B, [plain('x')])
  await warmUp([A, B])
  await library.place(clock.ms, 1, HOLD_MS, [visitor(1)])
  await library.place(clock.ms, 1, HOLD_MS, [visitor(2, { hint: 1 })])
  const place = { client: clientNumber(3), index: 2 }
  const told = [{ ...place, chosenMs: START_MS - 77, holdMs: 4000 }]
  let seq = 100
  const ask = async (node: typeof A, more: Partial<Report> = {}): Promise<readonly unknown[]> => {
    const answer = await library.report(clock.ms, node, { ...QUIET, seq: ++seq, ...more })
    return answer.status === 'ok' ? [answer.fed, answer.news.map(shown)] : [answer.status]
  }
  await ask(A, { told })
  await ask(A, { told, seq: ++seq })
  const held = ['held 3 at 2 for 4000 from 0, chosen -77']
  t.strictSame(await ask(B), [1, held])
  t.strictSame(await ask(B), [1, held], 'the answer was lost')
  t.strictSame(await ask(B, { fed: 1 }), [1, []])
  await ask(A, { released: [place], fed: 0 })
  t.strictSame(await ask(B, { fed: 1 }), [2, ['released 3 at 2']])
  await ask(B, { fed: 2, arrived: [{ ...place, from: 1, chosenMs: START_MS + 88 }] })
  t.strictSame(await ask(A), [1, ['elsewhere 3 at 1, chosen 88']])
  await ask(A, { fed: 1, told })
  const again = { ...place, index: NO_INDEX, from: 1, chosenMs: START_MS + 88 }
  await ask(B, { fed: 3, arrived: [again] })
  t.strictSame(await ask(A, { fed: 1 }), [2, ['elsewhere 3 at 1, chosen 88']], 'told again')
  const [, atB] = (await library.view()).servers
  t.equal(atB!.held, 1, 'and the place that it holds now stands')
  t.strictSame(await ask(A, { seq: 1 }), ['old'])
})

t.test('library: does what its model does', NEEDS_ENGINE, async t => {
  const { library, clock, call } = await testLibrary(t)
  let steps = 0
  await fc.assert(fc.asyncProperty(fc.array(STEP, { minLength: 20, maxLength: 60 }), async walk => {
    await call('FLUSHALL')
    await clock.to(START_MS)
    const model = new FleetModel()
    const state = { library, model, clock, seqs: new Map<string, number>() }
    for (const step of walk) {
      await RUN[step.kind](state, step as never)
      await compare(state, call)
      steps++
    }
  }), { numRuns: 100 })
  t.ok(steps > 2000, `${steps} steps`)
})

t.test('library: a burst is spread by shares, whatever its batches', NEEDS_ENGINE, async t => {
  const { library, clock, call } = await testLibrary(t)
  const bursts = fc.record({
    shares: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 9 }),
    batches: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })
  })
  await fc.assert(fc.asyncProperty(bursts, async ({ shares, batches }) => {
    await call('FLUSHALL')
    await clock.to(START_MS)
    await library.join(clock.ms, A, shares.map((share, at) => ({ ...plain(`s${at}`), share })))
    await call('HSET', `${keyPrefix('shop')}:meta`, 'warm', 0)
    let next = 0
    for (const count of batches) {
      const batch = Array.from({ length: count }, () => next++)
      await library.place(clock.ms, 1, HOLD_MS, visitors(...batch))
    }
    const { servers } = await library.view()
    for (const one of servers) {
      for (const other of servers) {
        // Whoever came last found no other with a lower load for its share.
        const before = (one.held - 1) / one.share
        const isWrong = one.held > 0 && before > other.held / other.share
        if (isWrong) throw new Error(JSON.stringify(servers))
      }
    }
  }), { numRuns: 60 })
  t.pass('60 bursts')
})

interface Clock {
  readonly ms: number
  to (ms: number): Promise<void>
}

interface State {
  readonly library: UsherLibrary
  readonly model: FleetModel
  readonly clock: Clock
  readonly seqs: Map<string, number>
}

const lateness = fc.constantFrom(0, 0, 0, 0, 0, 400, 501, -501)
const node = fc.record({
  name: fc.constantFrom('a', 'b', 'c'), run: fc.constantFrom('1', '1', '1', '2')
})
const client = fc.integer({ min: 0, max: 9 }).map(clientNumber)
const index = fc.integer({ min: 0, max: 9 })
const refuser = fc.oneof({ weight: 2, arbitrary: fc.constant(NO_INDEX) }, index)
const place = fc.record({ client, index })
const chosenMs = fc.constant(START_MS)
const STEP = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 99, 250, 400, 900, 1001, 2500)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('join' as const),
      lateness,
      node,
      servers: fc.uniqueArray(fc.record({
        name: fc.constantFrom('w', 'x', 'y', 'z'),
        capacity: fc.constantFrom(undefined, 1, 2, 5),
        share: fc.constantFrom(0, 1, 1, 2, 3)
      }), { selector: ({ name }) => name, maxLength: 4 })
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), lateness, node }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('drain' as const), lateness, node, index, share: fc.constantFrom(0, 1, 2)
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('place' as const),
      lateness,
      holdMs: fc.constantFrom(150, 1000, 5000),
      visitors: fc.array(fc.record({ client, hint: index, refusedBy: refuser }), {
        minLength: 1, maxLength: 6
      })
    })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      lateness,
      node,
      isOld: fc.constantFrom(false, false, false, true),
      arrived: fc.array(fc.record({ client, index, from: index, chosenMs }), { maxLength: 4 }),
      released: fc.array(place, { maxLength: 3 }),
      told: fc.array(fc.record({ client, index, chosenMs, holdMs: fc.constantFrom(100, 3000) }), {
        maxLength: 4
      }),
      active: fc.array(fc.tuple(index, fc.integer({ min: 0, max: 4 })), { maxLength: 5 })
    })
  }
)
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never
type StepOf<K extends Step['kind']> = Extract<Step, { readonly kind: K }>

const RUN: { readonly [K in Step['kind']]: (state: State, step: StepOf<K>) => Promise<void> } = {
  async wait ({ clock }, { ms }) {
    await clock.to(clock.ms + ms)
  },
  async join ({ library, model, clock: { ms } }, { lateness, node, servers }) {
    const list = servers.map(server => ({ ...server, url: `http://${server.name}` }))
    const { status } = await library.join(ms - lateness, node, list)
    same(status, model.join(ms, ms - lateness, node, list))
  },
  async leave ({ library, model, clock: { ms } }, { lateness, node }) {
    const { status } = await library.leave(ms - lateness, node)
    same(status, model.leave(ms, ms - lateness, node))
  },
  async drain ({ library, model, clock: { ms } }, { lateness, node, index, share }) {
    const { status } = await library.drain(ms - lateness, node, [[index, share]])
    same(status, model.drain(ms, ms - lateness, node, [[index, share]]))
  },
  async place ({ library, model, clock: { ms } }, { lateness, holdMs, visitors }) {
    const answer = await library.place(ms - lateness, 0, holdMs, visitors)
    const wanted = model.place(ms, ms - lateness, holdMs, visitors)
    same(answer.status === 'ok' ? answer.indexes : answer.status, wanted)
  },
  async report ({ library, model, clock: { ms }, seqs }, { lateness, node, isOld, ...report }) {
    const seq = (seqs.get(node.name) ?? 0) + (isOld ? 0 : 1)
    seqs.set(node.name, seq)
    const { status } = await library.report(ms - lateness, node, { ...report, seq, fed: 0 })
    same(status, model.report(ms, ms - lateness, node, { ...report, seq, fed: 0 }))
  }
}

/** Everything that the engine and the model know. */
async function compare ({ library, model, clock: { ms } }: State, call: CallEngine): Promise<void> {
  const { servers, nodes, isWarm } = await library.view()
  model.view(ms)
  same(isWarm, model.isWarmAt(ms))
  same(nodes.map(({ name, untilMs }) => [name, untilMs]).sort(),
    [...model.nodes].map(([name, { untilMs }]) => [name, untilMs]).sort())
  same(servers.map(server => ({ ...server })).sort((a, b) => a.index - b.index),
    [...model.servers.values()].sort((a, b) => a.index - b.index))
  const held = await call('ZRANGE', `${keyPrefix('shop')}:held`, 0, -1, 'WITHSCORES')
  const pairs = (held as readonly Buffer[]).map(bytes => bytes.toString('latin1'))
  same(Array.from({ length: pairs.length / 2 }, (_, at) => pairs.slice(2 * at, 2 * at + 2)).sort(),
    [...model.held].map(([key, { index, tenth }]) => [key, String(tenth * 65536 + index)]).sort())
}

function same (is: unknown, wanted: unknown): void {
  const sorted = (value: unknown): string => JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort())
      : part)
  if (sorted(is) !== sorted(wanted)) throw new Error(`${sorted(is)} is not ${sorted(wanted)}`)
}

/** With a clock of the test's own in place of the engine's. */
async function testLibrary (t: Test) {
  const { call } = await startEngine(t)
  const text = readFileSync(LIBRARY, 'utf8')
  const byClock = text.replace("redis.call('TIME')", "redis.call('HMGET', 'clock', 's', 'us')")
  await call('FUNCTION', 'LOAD', byClock)
  const clock = {
    ms: 0,
    async to (ms: number): Promise<void> {
      clock.ms = ms
      await call('HSET', 'clock', 's', Math.floor(ms / 1000), 'us', ms % 1000 * 1000)
    }
  }
  await clock.to(START_MS)
  const library = new UsherLibrary(call, 'shop')
  let seq = 0
  const beat = async (nodes: readonly typeof A[], ms: number): Promise<void> => {
    await clock.to(clock.ms + ms)
    for (const node of nodes) await library.report(clock.ms, node, { ...QUIET, seq: ++seq })
  }
  return {
    library,
    call,
    clock,
    /** Time goes on, and these report. */
    beat,
    async warmUp (nodes: readonly typeof A[]): Promise<void> {
      for (let ms = 0; ms <= 1000; ms += 250) await beat(nodes, 250)
    }
  }
}

function plain (name: string): JoiningServer {
  return { name, url: `http://${name}`, capacity: undefined, share: 1 }
}

function visitor (number: number, more: Partial<FleetVisitor> = {}): FleetVisitor {
  return { client: clientNumber(number), hint: NO_INDEX, refusedBy: NO_INDEX, ...more }
}

function visitors (...numbers: readonly number[]) {
  return numbers.map(number => visitor(number))
}

function shown (news: News): string {
  const key = clientKey(news.client)
  const number = [1, 2, 3].find(number => clientKey(clientNumber(number)) === key)
  const more = news.kind === 'held' ? ` for ${news.holdMs} from ${news.from}` : ''
  const chosen = news.kind === 'released' ? '' : `, chosen ${news.chosenMs - START_MS}`
  return `${news.kind} ${number} at ${news.index}${more}${chosen}`
}
