/** What nodes send each other and leave for each other to read, in a real engine. */
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import type { NodeFacts } from '@usher/shared/api/stats.ts'
import {
  ENGINE_SKIP, startEngine, type TestEngine
} from '../../../shared/test/fleet/engine-kit.ts'
import { FleetSeal } from '../../src/fleet/fleet-seal.ts'
import { EngineMailboxes, WAITING_MAX } from '../../src/fleet/mailboxes.ts'
import { AWAY_MS, FORGOTTEN_MS, NodeCards } from '../../src/fleet/node-cards.ts'
import { connected } from './test-nodes.ts'

/** Asks again until it is so. */
async function until<T> (ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (isWanted(answer)) return answer
    await setTimeout(5)
  }
}

const PREFIX = 'usher:{usher}'
const FACTS: NodeFacts = { version: '1.2.3', total_users: 7, servers: {} }

async function opened (t: Test, engine: TestEngine): Promise<Engine> {
  const connection = openEngine({ address: engine.address, name: 'test' })
  t.teardown(() => connection.close())
  await connected(connection)
  return connection
}

async function testMailboxes (t: Test, engine: TestEngine, node: string): Promise<EngineMailboxes> {
  return new EngineMailboxes({
    engine: await opened(t, engine), reading: await opened(t, engine), prefix: PREFIX, node
  })
}

t.test('mailboxes: texts come in order to whom they are sent, and to nobody else', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const [oak, elm, fir] = await Promise.all(
    ['oak', 'elm', 'fir'].map(node => testMailboxes(t, engine, node)))
  await oak!.send('to both: Ärger', ['elm', 'fir'], 5000)
  await oak!.send('to one', ['elm'], 5000)
  t.equal(await elm!.receive(), 'to both: Ärger')
  t.equal(await elm!.receive(), 'to one')
  t.equal(await fir!.receive(), 'to both: Ärger')
  t.equal(await fir!.receive(), undefined, 'after a while')
})

t.test('mailboxes: one that nobody reads holds so many and is gone after a while', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const oak = await testMailboxes(t, engine, 'oak')
  for (let at = 0; at < WAITING_MAX + 5; at++) await oak.send(`${at}`, ['elm'], 60_000)
  t.equal(await engine.call('LLEN', `${PREFIX}:mailbox:elm`), WAITING_MAX)
  await oak.send('soon gone', ['fir'], 1)
  await until(() => engine.call('EXISTS', `${PREFIX}:mailbox:fir`), count => count === 0)
})

async function testCards (t: Test, engine: TestEngine, node: string, secret = 's'): Promise<{
  readonly cards: NodeCards
  /** Milliseconds that pass for this node alone. */
  readonly pass: (ms: number) => void
}> {
  let passedMs = 0
  const cards = new NodeCards({
    node,
    engine: await opened(t, engine),
    prefix: PREFIX,
    seal: new FleetSeal(secret, 'usher', 'card'),
    now: () => performance.now() + passedMs,
    startedMs: performance.now() - 60_000,
    startInterval: () => () => {}
  })
  return { cards, pass: ms => { passedMs += ms } }
}

t.test('cards: nodes know each other, what each says, and since when one is away', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const [{ cards: oak, pass }, { cards: elm }, { cards: stranger }] = await Promise.all([
    testCards(t, engine, 'oak'), testCards(t, engine, 'elm'), testCards(t, engine, 'fir', 'other')])
  t.equal(oak.isHeard, false, 'before the engine was asked')
  oak.start()
  elm.start()
  stranger.start()
  elm.showFacts(() => FACTS)
  const [known] = await until(async () => {
    elm.showFacts(() => FACTS)
    pass(1000)
    return await oak.others(5000)
  }, ([one]) => one?.facts !== undefined)
  t.match(known, { node: 'elm', isThere: true, facts: FACTS })
  t.equal((await oak.others(5000)).length, 1, 'neither itself nor who has another secret')
  await until(() => engine.call('HLEN', `${PREFIX}:nodes`), count => count === 3)

  const seal = new FleetSeal('s', 'usher', 'card')
  const put = async (agoMs: number): Promise<number> => {
    const atMs = oak.engineNowMs() - agoMs
    const card = { node: 'yew', atMs, startedMs: 0, facts: FACTS }
    await engine.call('HSET', `${PREFIX}:nodes`, 'yew', seal.seal(JSON.stringify([1, card])))
    pass(1000)
    return atMs
  }
  const yew = async () => (await oak.others(5000)).find(({ node }) => node === 'yew')
  const atMs = await put(AWAY_MS + 5000)
  t.match(await yew(), { isThere: false, atMs, facts: FACTS }, 'as last heard')
  const [text] = [await engine.call('HGET', `${PREFIX}:nodes`, 'yew')]
  await engine.call('HSET', `${PREFIX}:nodes`, 'ash', text as Buffer)
  pass(1000)
  t.notOk((await oak.others(5000)).some(({ node }) => node === 'ash'), 'a card is of one node')
})

t.test('cards: one that was away for a day is forgotten', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const { cards: oak } = await testCards(t, engine, 'oak')
  const seal = new FleetSeal('s', 'usher', 'card')
  const nowMs = Date.now()
  for (const [node, agoMs] of [['yew', FORGOTTEN_MS + 60_000], ['elm', FORGOTTEN_MS - 60_000]] as const) {
    const card = { node, atMs: nowMs - agoMs, startedMs: 0, facts: FACTS }
    await engine.call('HSET', `${PREFIX}:nodes`, node, seal.seal(JSON.stringify([1, card])))
  }
  t.match((await oak.others(5000)).map(({ node }) => node), ['elm'])
  await until(() => engine.call('HEXISTS', `${PREFIX}:nodes`, 'yew'), count => count === 0)
})

t.test('cards: while the engine is away nothing is known, and nobody waits longer', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const [{ cards: oak, pass }, { cards: elm }] =
    await Promise.all([testCards(t, engine, 'oak'), testCards(t, engine, 'elm')])
  elm.start()
  oak.start()
  await until(async () => {
    pass(1000)
    return await oak.others(5000)
  }, ({ length }) => length === 1)
  engine.freeze()
  pass(AWAY_MS)
  t.match(await oak.others(1), [{ node: 'elm', isThere: false }])
  t.equal(oak.isHeard, false)
  engine.thaw()
})
