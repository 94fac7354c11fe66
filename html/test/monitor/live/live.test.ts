/** The console's stream against a server that drops, refuses and comes back; time is a test's. */
import t from 'tap'
import type { Stats } from '@usher/shared/api/stats.ts'
import type { Answer } from '../../../monitor-script/kit/api.ts'
import { Live, type LiveState } from '../../../monitor-script/live/live.ts'
import { testStats } from '../fixtures/test-stats.ts'

class FakeStream {
  isClosed = false
  readonly #listeners = new Map<string, (event: { data?: string }) => void>()

  addEventListener (type: string, listener: (event: { data?: string }) => void): void {
    this.#listeners.set(type, listener)
  }

  close (): void {
    this.isClosed = true
  }

  send (): void {
    this.#listeners.get('stats')?.({ data: JSON.stringify(testStats()) })
  }

  fail (): void {
    this.#listeners.get('error')?.({})
  }
}

function testLive () {
  const states: LiveState[] = []
  const streams: FakeStream[] = []
  const heard: Stats[] = []
  const fixture = {
    states,
    streams,
    heard,
    answer: { isOk: true, body: testStats() } as Answer<Stats>,
    lookCount: 0,
    nowMs: 0,
    timer: undefined as { action: () => void, delayMs: number } | undefined,
    /** Ends the pause, and what follows at once. */
    async fire () {
      const { timer } = fixture
      fixture.timer = undefined
      timer!.action()
      await settled()
    },
    live: undefined as unknown as Live
  }
  fixture.live = new Live({
    openStream: () => {
      streams.push(new FakeStream())
      return streams.at(-1)!
    },
    look: async () => {
      fixture.lookCount++
      return fixture.answer
    },
    schedule: (action, delayMs) => {
      const timer = { action, delayMs }
      fixture.timer = timer
      return () => { if (fixture.timer === timer) fixture.timer = undefined }
    },
    random: () => 0,
    now: () => fixture.nowMs,
    onStats: stats => { heard.push(stats) },
    onState: state => { states.push(state) }
  })
  fixture.live.start()
  return fixture
}

async function settled (): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
}

const refusal = (status: number): Answer<Stats> =>
  ({ isOk: false, status, error: '', message: '', retryAfterS: undefined })

t.test('live: says live with the first event, not with the connection', async t => {
  const { states, streams, heard } = testLive()
  t.strictSame(states, [{ kind: 'connecting' }])
  streams[0]!.send()
  t.strictSame(states.at(-1), { kind: 'live' })
  t.equal(heard.length, 1)
})

t.test('live: a dropped stream is stale at once, and looked after a second later', async t => {
  const fixture = testLive()
  fixture.streams[0]!.send()
  fixture.streams[0]!.fail()
  t.strictSame(fixture.states.at(-1), { kind: 'stale', why: 'unknown', retryMs: 1000 })
  t.equal(fixture.streams[0]!.isClosed, true)
  t.equal(fixture.timer?.delayMs, 1000)
  await fixture.fire()
  t.equal(fixture.lookCount, 1)
  t.equal(fixture.streams.length, 2)
  t.equal(fixture.heard.length, 2, 'the look brings data before the stream does')
  t.strictSame(fixture.states.at(-1)?.kind, 'stale', 'but is not live')
  fixture.streams[1]!.send()
  t.strictSame(fixture.states.at(-1), { kind: 'live' })
})

t.test('live: twenty seconds of silence are a dropped stream', async t => {
  const fixture = testLive()
  fixture.streams[0]!.send()
  t.equal(fixture.timer?.delayMs, 20_000)
  await fixture.fire()
  t.equal(fixture.streams[0]!.isClosed, true)
  t.strictSame(fixture.states.at(-1)?.kind, 'stale')
})

t.test('live: silence is noticed when it is looked for, should the timer be late', async t => {
  const fixture = testLive()
  fixture.streams[0]!.send()
  fixture.nowMs = 19_999
  fixture.live.checkSilence()
  t.equal(fixture.streams[0]!.isClosed, false)
  fixture.nowMs = 20_000
  fixture.live.checkSilence()
  t.equal(fixture.streams[0]!.isClosed, true)
  t.strictSame(fixture.states.at(-1), { kind: 'stale', why: 'unknown', retryMs: 1000 })
  fixture.live.checkSilence()
  t.equal(fixture.states.length, 3)
})

t.test('live: pauses grow to ten seconds, and start anew after an event', async t => {
  const fixture = testLive()
  fixture.streams[0]!.fail()
  fixture.answer = refusal(0)
  const delays: number[] = []
  for (let attempt = 0; attempt < 7; attempt++) {
    delays.push(fixture.timer!.delayMs)
    await fixture.fire()
  }
  t.strictSame(delays, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
  t.strictSame(fixture.states.at(-1), { kind: 'stale', why: 'unreachable', retryMs: 10_000 })
  fixture.answer = refusal(503)
  await fixture.fire()
  t.strictSame(fixture.states.at(-1), { kind: 'stale', why: 'refused', retryMs: 10_000 })
  fixture.answer = { isOk: true, body: testStats() }
  await fixture.fire()
  fixture.streams.at(-1)!.send()
  fixture.streams.at(-1)!.fail()
  t.equal(fixture.timer?.delayMs, 1000)
})

t.test('live: trying now ends the pause, once, and does nothing to a stream that is up', async t => {
  const fixture = testLive()
  fixture.live.tryNow()
  t.equal(fixture.lookCount, 0)
  fixture.streams[0]!.fail()
  fixture.live.tryNow()
  fixture.live.tryNow()
  await settled()
  t.equal(fixture.lookCount, 1)
  t.equal(fixture.streams.length, 2)
})

t.test('live: a stream that was given up is not listened to, nor is one after the end', async t => {
  const fixture = testLive()
  const [first] = fixture.streams
  first!.fail()
  first!.send()
  first!.fail()
  t.equal(fixture.heard.length, 0)
  t.equal(fixture.states.length, 2)
  fixture.live.tryNow()
  fixture.live.close()
  await settled()
  t.equal(fixture.streams.length, 1)
  t.equal(fixture.timer, undefined)
})
