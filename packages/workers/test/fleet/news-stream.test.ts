/** What nodes tell each other in the engine: by a real one, and by the one of tests. */
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { EngineAway } from '@usher/shared/errors.ts'
import { openEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import {
  ENGINE_SKIP, startEngine, type TestEngine
} from '../../../shared/test/fleet/engine-kit.ts'
import {
  EngineStream, type NewsStream, type StreamEntry, type ToldEntry
} from '../../src/fleet/news-stream.ts'
import { FakeEngine } from './fake-engine.ts'
import { connected } from './test-nodes.ts'

const AHEAD_MS = -250

async function realStream (t: Test): Promise<{ stream: NewsStream, engine: TestEngine }> {
  const engine = await startEngine(t)
  const open = (): Engine => openEngine({ address: engine.address, name: 'news' })
  const [calls, reading] = [open(), open()]
  const stream = new EngineStream({
    engine: calls,
    reading,
    prefix: 'usher:test',
    wallNow: () => Date.now() - AHEAD_MS,
    randomId: () => 'first'
  })
  t.teardown(() => stream.close())
  await connected(calls, reading)
  return { stream, engine }
}

const version = (at: number, node = 'a') => ({ at, node })
const entry = (field: string | undefined, at: number, node = 'a'): ToldEntry =>
  ({ field, version: version(at, node), text: `${field ?? 'line'} of ${node}, ${at}: Ärger` })

async function keptOf (stream: NewsStream): Promise<unknown[]> {
  const all = []
  for await (const part of stream.kept()) all.push(...part)
  return all.sort((one, other) => one.field < other.field ? -1 : 1)
}

async function readAll (stream: NewsStream, from = '0-0'): Promise<readonly StreamEntry[]> {
  const entries: StreamEntry[] = []
  for (;;) {
    const next = await stream.read(entries.at(-1)?.id ?? from)
    if (next.length === 0) return entries
    entries.push(...next)
  }
}

async function check (t: Test, stream: NewsStream): Promise<void> {
  const start = await stream.end('0-0')
  t.match(start, { lastId: '0-0', lastNumber: 0, hasEntry: false })
  const told = [
    entry('denial x', 5), entry('denial y', 5, 'b'), entry(undefined, 6), entry('denial x', 7)
  ]
  await stream.tell(told)
  await stream.tell([
    entry('denial x', 6, 'z'), entry('denial x', 7), entry('denial y', 5, 'a'), told[2]!
  ])
  const entries = await readAll(stream)
  t.strictSame(entries.map(({ number, text }) => [number, text]),
    [...told, told[2]!].map(({ text }, at) => [at + 1, text]), 'what is older or known is not told')
  t.strictSame(await keptOf(stream), [told[3], told[1]], 'what is told and gone is not kept')
  const [first, ...others] = entries
  t.strictSame(await readAll(stream, first!.id), others)
  const end = await stream.end(first!.id)
  t.same(end, {
    life: start.life, lastId: others.at(-1)!.id, lastNumber: 5, hasEntry: true
  })
  await stream.forget([
    { field: 'denial x', version: version(6) }, { field: 'denial y', version: version(5, 'b') }
  ])
  t.strictSame(await keptOf(stream), [told[3]], 'one that is newer by now stays')
  await stream.tell([entry('denial y', 4, 'b'), entry('denial x', 7, 'ab'), entry('denial x', 70)])
  t.strictSame((await readAll(stream, end.lastId)).map(({ text }) => text),
    ['denial y of b, 4: Ärger', 'denial x of ab, 7: Ärger', 'denial x of a, 70: Ärger'])
}

t.test('news stream: in memory, for tests', async t => {
  await check(t, new FakeEngine().stream())
})

t.test('news stream: in an engine', { skip: ENGINE_SKIP }, async t => {
  const { stream } = await realStream(t)
  await check(t, stream)
  t.ok(Math.abs(await stream.aheadMs() - AHEAD_MS) < 200, 'its clock is known')
})

t.test('news stream: is known to be trimmed, and to have begun anew', { skip: ENGINE_SKIP }, async t => {
  const { stream, engine } = await realStream(t)
  await stream.tell([entry('denial x', 1)])
  const [first] = await readAll(stream)
  for (let at = 0; at < 60; at++) {
    await stream.tell(Array.from({ length: 200 }, () => entry(undefined, at)))
  }
  const { hasEntry, lastNumber } = await stream.end(first!.id)
  t.strictSame([hasEntry, lastNumber], [false, 12_001])
  const next = await stream.read(first!.id)
  t.ok(next[0]!.number > 2, 'which the next entry tells, too')
  t.equal(Number(await engine.call('XLEN', 'usher:test:news')) < 10_500, true)
  t.equal((await keptOf(stream)).length, 1)
})

t.test('news stream: rejects while the engine is away, and goes on by itself', { skip: ENGINE_SKIP }, async t => {
  const { stream, engine } = await realStream(t)
  await stream.tell([entry('denial x', 1)])
  engine.freeze()
  await t.rejects(stream.tell([entry('denial x', 2)]))
  await t.rejects(stream.read('0-0'))
  engine.thaw()
  const entries = await untilAnswered(() => stream.read('0-0'))
  t.equal(entries[0]!.number, 1)
})

/** No other error than that the engine is away is waited out. */
async function untilAnswered<T> (work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof EngineAway)) throw error
      await setTimeout(5)
    }
  }
}
