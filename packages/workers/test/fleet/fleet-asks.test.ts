/** One node asks, the others answer in time or are missing, and nobody else is heard. */
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import t, { type Test } from 'tap'
import { EngineAway } from '@usher/shared/errors.ts'
import { silentLog } from '@usher/shared/log.ts'
import { MessageSeal, MESSAGE_LENGTH_MAX, type NodeMessage } from '../../src/fleet/ask-message.ts'
import { ANSWERING_MAX, FleetAsks, type Answerers } from '../../src/fleet/fleet-asks.ts'
import type { Mailboxes } from '../../src/fleet/mailboxes.ts'
import type { KnownNode } from '../../src/fleet/node-cards.ts'
import { linesLog } from '../fixtures/lines-log.ts'

const SECRET = 's'.repeat(32)
/** Of asks that are answered: no test waits for it. */
const LONG_MS = 60_000
const SHORT_MS = 20
const POLL_MS = 2

/** An engine's mailboxes, in memory. */
class TestPost {
  readonly boxes = new Map<string, string[]>()
  isAway = false

  mailboxes (node: string): Mailboxes {
    return {
      send: async (text, nodes) => {
        if (this.isAway) throw new EngineAway('frozen')
        for (const to of nodes) this.put(to, text)
      },
      receive: async () => {
        const text = this.boxes.get(node)?.shift()
        if (text === undefined) await setTimeout(POLL_MS)
        return text
      },
      close: async () => {}
    }
  }

  put (node: string, text: string): void {
    this.boxes.set(node, [...this.boxes.get(node) ?? [], text])
  }
}

interface TestAsksOptions {
  readonly others?: readonly string[]
  readonly away?: readonly string[]
  readonly secret?: string
  readonly log?: Pick<Logger, 'warn'>
  readonly answerers?: Answerers
  readonly nowMs?: number
}

function testAsks (t: Test, post: TestPost, node: string, {
  others = [], away = [], secret = SECRET, log = silentLog(), answerers = {}, nowMs = 1000
}: TestAsksOptions = {}): FleetAsks {
  let ids = 0
  const known = [...others, ...away].map((name): KnownNode => (
    { node: name, atMs: 0, startedMs: 0, facts: undefined, isThere: others.includes(name) }))
  const asks = new FleetAsks({
    node,
    seal: new MessageSeal(secret, 'usher'),
    mailboxes: post.mailboxes(node),
    cards: { others: async () => known, engineNowMs: () => nowMs },
    randomId: () => `${node}${++ids}`,
    log
  })
  asks.answerWith(answerers)
  asks.start()
  t.teardown(() => asks.close())
  return asks
}

function sealed (message: NodeMessage, secret = SECRET, cluster = 'usher'): string {
  return new MessageSeal(secret, cluster).seal(message)!
}

/** Puts an answer to the ask that waits in a mailbox. */
async function forge (post: TestPost, node: string, make: (id: string) => string): Promise<void> {
  while (post.boxes.get(node)?.[0] === undefined) await setTimeout(POLL_MS)
  const message = new MessageSeal(SECRET, 'usher').open(post.boxes.get(node)![0]!)!
  post.put('oak', make(message.id))
}

const add: Answerers = { add: async body => (body as number) + 1 }

t.test('asks: every node answers, and one that is away is missing at once', async t => {
  const post = new TestPost()
  const oak = testAsks(t, post, 'oak', { others: ['elm', 'fir'], away: ['ash'] })
  testAsks(t, post, 'elm', { answerers: add })
  testAsks(t, post, 'fir', { answerers: add })
  const { answers, missing } = await oak.ask<number>('add', 1, LONG_MS)
  t.strictSame([...answers].sort(), [['elm', 2], ['fir', 2]])
  t.strictSame(missing, ['ash'])
  t.equal(await oak.askOne('elm', 'add', 7, LONG_MS), 8)
})

t.test('asks: who is silent, fails or knows no such question is missing when the time is over', async t => {
  const post = new TestPost()
  const oak = testAsks(t, post, 'oak', { others: ['elm', 'fir', 'yew'] })
  testAsks(t, post, 'elm', { answerers: { add: async () => { throw new Error('broken') } } })
  testAsks(t, post, 'yew', { answerers: { other: async () => 1 } })
  const { answers, missing } = await oak.ask('add', 1, SHORT_MS)
  t.equal(answers.size, 0)
  t.strictSame(missing, ['elm', 'fir', 'yew'])
})

t.test('asks: with the engine away all are missing, and nobody waits', async t => {
  const post = new TestPost()
  post.isAway = true
  const oak = testAsks(t, post, 'oak', { others: ['elm'] })
  t.strictSame((await oak.ask('add', 1, LONG_MS)).missing, ['elm'])
})

t.test('asks: a late answer is dropped, and is no answer to the next question', async t => {
  const post = new TestPost()
  const oak = testAsks(t, post, 'oak', { others: ['elm'] })
  const first = oak.ask('add', 1, SHORT_MS)
  let late = ''
  await forge(post, 'elm', id => {
    late = sealed({ type: 'answer', id, from: 'elm', value: 'late', to: ['oak'] })
    return 'no message'
  })
  t.equal((await first).answers.size, 0)
  post.put('oak', late)
  post.boxes.set('elm', [])
  testAsks(t, post, 'elm', { answerers: add })
  t.strictSame([...(await oak.ask('add', 1, LONG_MS)).answers], [['elm', 2]])
})

t.test('asks: a forged answer is refused, logged once, and the true one taken', async t => {
  const post = new TestPost()
  const { log, lines } = linesLog()
  const oak = testAsks(t, post, 'oak', { others: ['elm'], log })
  const asked = oak.ask('add', 1, LONG_MS)
  const answer = (id: string, more: object = {}): NodeMessage =>
    ({ type: 'answer', id, from: 'elm', value: 'forged', to: ['oak'], ...more })
  await forge(post, 'elm', id => sealed(answer(id), 'x'.repeat(32)))
  await forge(post, 'elm', id => sealed(answer(id), SECRET, 'another fleet'))
  await forge(post, 'elm', id => sealed(answer(id)).replace('forged', 'change'))
  await forge(post, 'elm', id => sealed(answer(id, { to: ['fir'] })))
  await forge(post, 'elm', id => sealed(answer(id, { from: 'fir' })))
  await forge(post, 'elm', id => sealed(answer(id, { id: 'another' })))
  await forge(post, 'elm', id => sealed(answer(id, { value: 'true' })))
  t.strictSame([...(await asked).answers], [['elm', 'true']])
  t.match(lines, [{ level: 40, msg: /refused/ }])
  t.equal(lines.length, 1)
})

t.test('asks: what is too long is neither sent nor looked at', async t => {
  const post = new TestPost()
  const { log, lines } = linesLog()
  const long = 'x'.repeat(MESSAGE_LENGTH_MAX)
  const oak = testAsks(t, post, 'oak', { others: ['elm'] })
  const ask = { type: 'ask', from: 'oak', kind: 'long', body: null, untilMs: 2000, to: ['elm'] } as const
  testAsks(t, post, 'elm', { log, answerers: { long: async () => long, short: async () => 1 } })
  t.strictSame((await oak.ask('short', long, LONG_MS)).missing, ['elm'], 'a question')
  post.put('elm', sealed({ ...ask, id: 'a' }))
  post.put('elm', sealed({ ...ask, id: 'b', kind: 'short' }) + long)
  t.equal(await oak.askOne('elm', 'short', null, LONG_MS), 1, 'the next one is answered')
  t.match(lines, [{ reason: 'the answer is too long', kind: 'long', from: 'oak' }, { msg: /refused/ }])
})

t.test('asks: what is late, comes twice or is for others is not done', async t => {
  const post = new TestPost()
  const done: unknown[] = []
  const oak = testAsks(t, post, 'oak', { others: ['elm'] })
  testAsks(t, post, 'elm', { answerers: { note: async body => { done.push(body) } } })
  const ask = { type: 'ask', id: 'a', from: 'oak', kind: 'note', untilMs: 1000, to: ['elm'] } as const
  post.put('elm', sealed({ ...ask, body: 'in time' }))
  post.put('elm', sealed({ ...ask, body: 'twice' }))
  post.put('elm', sealed({ ...ask, id: 'b', body: 'late', untilMs: 999 }))
  post.put('elm', sealed({ ...ask, id: 'c', body: 'for another', to: ['fir'] }))
  await oak.ask('note', 'last', LONG_MS)
  t.strictSame(done, ['in time', 'last'])
})

t.test('asks: a node answers so many at once, and no more', async t => {
  const post = new TestPost()
  const count = { running: 0, most: 0 }
  let release = (): void => {}
  const released = new Promise<void>(resolve => { release = resolve })
  const oak = testAsks(t, post, 'oak', { others: ['elm'] })
  testAsks(t, post, 'elm', {
    answerers: {
      slow: async () => {
        count.most = Math.max(count.most, ++count.running)
        await released
        count.running--
        return 1
      }
    }
  })
  const asked = Array.from({ length: ANSWERING_MAX + 3 }, () => oak.askOne('elm', 'slow', null, 2000))
  const isBusy = (): boolean =>
    count.running === ANSWERING_MAX && (post.boxes.get('elm')?.length ?? 0) === 0
  while (!isBusy()) await setTimeout(POLL_MS)
  release()
  const answers = await Promise.all(asked)
  t.equal(answers.filter(answer => answer === 1).length, ANSWERING_MAX)
  t.equal(count.most, ANSWERING_MAX)
})

t.test('asks: who closes waits for nobody', async t => {
  const post = new TestPost()
  const oak = testAsks(t, post, 'oak', { others: ['elm'] })
  const asked = oak.ask('add', 1, LONG_MS)
  await forge(post, 'elm', () => 'no message')
  await oak.close()
  t.strictSame((await asked).missing, ['elm'])
  t.strictSame((await oak.ask('add', 1, LONG_MS)).missing, ['elm'], 'nor afterwards')
})
