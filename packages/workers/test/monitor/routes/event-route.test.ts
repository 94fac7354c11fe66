/** A stream reaches the hub with its connection, and asks again whether it may go on. */
import http from 'node:http'
import t from 'tap'
import { DatabaseFailed, TokenUnknown } from '@usher/shared/errors.ts'
import type { EventHub } from '../../../src/monitor/figures/event-hub.ts'
import { testApp } from '../fixtures/test-app.ts'

type Sink = Parameters<EventHub['add']>[0]

t.test('events: a stream is written by the hub until it ends', async t => {
  const sinks: Sink[] = []
  let removed = 0
  const hub = {
    isFull: () => false,
    add (sink: Sink) {
      sinks.push(sink)
      sink.write('event: stats\ndata: {}\n\n')
      return () => { removed++ }
    }
  }
  const { port } = await testApp(t, { hub })
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get({
      host: '127.0.0.1', port, path: '/events', agent: false, headers: { cookie: 'session_id=viewer' }
    }, resolve).on('error', reject)
  })
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], /^text\/event-stream/)
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(response.headers['x-accel-buffering'], 'no')
  t.equal(response.headers['x-content-type-options'], 'nosniff')
  t.equal(response.headers['cross-origin-resource-policy'], 'same-origin')
  t.match(response.headers['content-security-policy'], /frame-ancestors 'none'$/)
  const [first] = await new Promise<[Buffer]>(resolve => {
    response.once('data', (chunk: Buffer) => resolve([chunk]))
  })
  t.equal(first.toString(), 'event: stats\ndata: {}\n\n')
  const [sink] = sinks as [Sink]
  t.equal(await sink.isAllowed(), true)
  t.equal(sink.bufferedBytes(), 0)
  const ended = new Promise(resolve => { response.once('end', resolve) })
  sink.end()
  await ended
  t.equal(removed, 1)
})

t.test('events: a reader whose session or permission has gone may not go on', async t => {
  const current = { username: 'viewer', canView: true, mustChange: false }
  const cases: Array<[now: object | undefined, isAllowed: boolean]> = [
    [current, true],
    [undefined, false],
    [{ ...current, canView: false }, false],
    [{ ...current, mustChange: true }, false],
    [{ ...current, username: 'another' }, false]
  ]
  for (const [now, isAllowed] of cases) {
    let allowed: boolean | undefined
    const hub = {
      isFull: () => false,
      add (sink: Sink) {
        void sink.isAllowed().then(is => {
          allowed = is
          sink.end()
        })
        return () => {}
      }
    }
    const { ask } = await testApp(t, { hub, sessions: { current: async () => now } as never })
    await ask('GET', '/events', { as: 'viewer' })
    t.equal(allowed, isAllowed, JSON.stringify(now))
  }
})

t.test('events: one stream too many is told to come back', async t => {
  const { ask } = await testApp(t, { hub: { add: () => () => {}, isFull: () => true } })
  const { status, headers, json } = await ask('GET', '/events', { as: 'viewer' })
  t.equal(status, 503)
  t.equal(headers['retry-after'], '5')
  t.equal(json?.['error'], 'busy')
})

t.test('events: none without a session, nor for who may not view', async t => {
  const { ask } = await testApp(t)
  t.equal((await ask('GET', '/events')).status, 401)
  t.equal((await ask('GET', '/events', { as: 'nobody' })).status, 403)
})

t.test('events: a program whose token has ended, or whose address is denied, may not go on', async t => {
  const gone = async (): Promise<never> => { throw new TokenUnknown() }
  const outage = async (): Promise<never> => { throw new DatabaseFailed('gone') }
  type Act = (caller: unknown, needs: unknown, go: () => Promise<unknown>) => Promise<unknown>
  const goOn: Act = async (_caller, _needs, go) => await go()
  const cases: Array<[act: Act, isDenied: boolean, outcome: unknown]> = [
    [goOn, false, true],
    [gone, false, false],
    [goOn, true, false],
    [outage, false, 'USHER_DATABASE_FAILED']
  ]
  for (const [act, isDenied, outcome] of cases) {
    let answered: unknown
    let isOpen = false
    const hub = {
      isFull: () => false,
      add (sink: Sink) {
        isOpen = true
        void sink.isAllowed()
          .then(is => { answered = is }, ({ code }) => { answered = code })
          .finally(() => { sink.end() })
        return () => {}
      }
    }
    const denyList = { isDenied: () => isOpen && isDenied }
    const { ask } = await testApp(t, {
      hub, permit: { act } as never, denyList, trustProxy: ['127.0.0.1']
    })
    const headers = { authorization: 'Bearer usher_view', 'x-forwarded-for': '203.0.113.7' }
    await ask('GET', '/events', { headers })
    t.equal(answered, outcome)
  }
})
