/** What a request meets when its account, its address or everybody has much under way. */
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import t from 'tap'
import { setImmediate } from 'node:timers/promises'
import { RightWithdrawn } from '@usher/shared/errors.ts'
import { workOf, type WorkLimits } from '../../../src/monitor/access/work-limits.ts'
import { emptyStats } from '../fixtures/empty-stats.ts'
import { testApp } from '../fixtures/test-app.ts'

const ONE = {
  all: { running: 2, waiting: 2 }, perOwner: [{ running: 1, waiting: 1 }], waitMsMax: 20_000
}
const STREAMS = {
  all: { running: 2, waiting: 0 }, perOwner: [{ running: 1, waiting: 0 }], waitMsMax: 20_000
}
const LIMITS: WorkLimits = { read: ONE, action: ONE, stream: STREAMS }

/** A part whose answers a test lets go, in the order of the questions. */
function heldAnswers () {
  const held: Array<() => void> = []
  return {
    held,
    stats: () => new Promise<ReturnType<typeof emptyStats>>(resolve => {
      held.push(() => { resolve(emptyStats()) })
    }),
    async untilHeld (count: number) {
      while (held.length < count) await setImmediate()
    }
  }
}

t.test('work limits: beyond its own bound an account is told so, and another is answered', async t => {
  const { stats, held, untilHeld } = heldAnswers()
  const { ask } = await testApp(t, { stats, limits: LIMITS })
  const first = ask('GET', '/stats', { as: 'viewer' })
  await untilHeld(1)
  const rest = Array.from({ length: 3 }, () => ask('HEAD', '/stats', { as: 'viewer' }))
  const refused = await Promise.race(rest)
  t.match(refused, { status: 429, headers: { 'retry-after': '1' } })
  t.match(await Promise.any([ask('GET', '/users', { as: 'viewer' })]), {
    status: 429, json: { error: 'too_many_at_once' }
  })
  const other = ask('GET', '/users', { as: 'operator' })
  t.equal((await other).status, 200)
  t.equal((await ask('POST', '/allow', { as: 'operator', body: { userId: '::1' } })).status, 200)
  held[0]!()
  t.equal((await first).status, 200)
  await untilHeld(2)
  held[1]!()
  t.strictSame((await Promise.all(rest)).map(({ status }) => status).sort(), [200, 429, 429])
  for (let at = 0; at < 5; at++) t.equal((await ask('GET', '/users', { as: 'viewer' })).status, 200)
})

t.test('work limits: whoever goes away while waiting is not asked for, and keeps a begun walk', async t => {
  const { stats, held, untilHeld } = heldAnswers()
  const { ask, port } = await testApp(t, { stats, limits: LIMITS })
  const leave = (): http.ClientRequest => http.get({
    host: '127.0.0.1', port, path: '/stats', agent: false, headers: { cookie: 'session_id=viewer' }
  }).on('error', () => {})
  const walking = leave()
  await untilHeld(1)
  walking.destroy()
  const waiting = ask('GET', '/stats', { as: 'viewer' })
  t.equal((await ask('GET', '/users', { as: 'operator' })).status, 200)
  t.equal(held.length, 1, 'the walk of who has gone still counts')
  held[0]!()
  await untilHeld(2)
  held[1]!()
  t.equal((await waiting).status, 200)
})

t.test('work limits: requests behind one another leave their places when the connection goes', async t => {
  const { stats, held, untilHeld } = heldAnswers()
  const { ask, port } = await testApp(t, { stats, limits: LIMITS })
  const head = 'GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: session_id=viewer\r\n\r\n'
  const socket = net.connect(port, '127.0.0.1', () => { socket.write(head + head) })
  await untilHeld(1)
  // The first one's answer goes out, the second one's walk is held: a reply without a socket.
  const answered = once(socket, 'data')
  held[0]!()
  await answered
  await untilHeld(2)
  socket.destroy()
  held[1]!()
  for (let at = 0; at < 3; at++) {
    t.equal((await ask('GET', '/users', { as: 'viewer' })).status, 200)
  }
})

t.test('work limits: an answer that does not leave in time gives its place back, and its connection', async t => {
  const { stats, untilHeld } = heldAnswers()
  const limits = { ...LIMITS, read: { ...ONE, answerMsMax: 50 } }
  const { ask, port } = await testApp(t, { stats, limits })
  const head = (path: string, as: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: session_id=${as}\r\n\r\n`
  const socket = net.connect(port, '127.0.0.1', () => {
    socket.write(head('/stats', 'viewer') + head('/users', 'operator'))
  })
  const closed = once(socket.resume(), 'close')
  await untilHeld(1)
  t.equal((await ask('GET', '/users', { as: 'operator' })).status, 200)
  await closed
})

t.test('work limits: what waited is not read by whoever lost the right meanwhile', async t => {
  const { stats, held, untilHeld } = heldAnswers()
  const asked: unknown[] = []
  let isWithdrawn = false
  const { ask } = await testApp(t, {
    stats,
    limits: LIMITS,
    users: async () => { throw new Error('is not asked') },
    permit: {
      act: async (session, needs, act) => {
        asked.push([session.username, needs])
        if (isWithdrawn) throw new RightWithdrawn()
        return await act()
      }
    }
  })
  const first = ask('GET', '/stats', { as: 'viewer' })
  await untilHeld(1)
  const waiting = ask('GET', '/users', { as: 'viewer' })
  // Its place in the line is known when the next one is refused.
  t.equal((await ask('GET', '/users', { as: 'viewer' })).status, 429)
  isWithdrawn = true
  held[0]!()
  t.equal((await first).status, 200)
  t.match(await waiting, { status: 403, json: { error: 'forbidden' } })
  t.strictSame(asked, [['viewer', 'view'], ['viewer', 'view']])
})

t.test('work limits: a route that throws gives its place back', async t => {
  const { ask } = await testApp(t, {
    limits: LIMITS, stats: async () => { throw new Error('broken') }
  })
  for (let at = 0; at < 5; at++) {
    t.equal((await ask('GET', '/stats', { as: 'viewer' })).status, 500)
  }
})

t.test('work limits: one account has so many streams, and a place is free when one ends', async t => {
  const ends: Array<() => void> = []
  const { ask, port } = await testApp(t, {
    limits: LIMITS,
    hub: {
      isFull: () => false,
      add (sink) {
        sink.write('event: stats\ndata: {}\n\n')
        ends.push(sink.end)
        return () => {}
      }
    }
  })
  const open = (as: string): Promise<http.IncomingMessage> => new Promise((resolve, reject) => {
    http.get({
      host: '127.0.0.1', port, path: '/events', agent: false, headers: { cookie: `session_id=${as}` }
    }, response => { resolve(response.resume()) }).on('error', reject)
  })
  const first = await open('viewer')
  t.equal(first.statusCode, 200)
  t.match(await ask('GET', '/events', { as: 'viewer' }), {
    status: 429, headers: { 'retry-after': '5' }, json: { error: 'too_many_at_once' }
  })
  t.equal((await open('operator')).statusCode, 200)
  t.match(await ask('GET', '/events', { as: 'newcomer' }), { status: 403 })
  const ended = new Promise(resolve => first.once('end', resolve))
  ends[0]!()
  await ended
  let status = 0
  while (status !== 200) status = (await open('viewer')).statusCode!
  for (const end of ends) end()
})

t.test('work limits: pages and what needs no session are not counted', async t => {
  const cases = [
    ['GET', { needs: 'nothing' }, undefined],
    ['POST', { needs: 'nothing' }, undefined],
    ['GET', { needs: 'view', isPage: true }, undefined],
    ['GET', { needs: 'view', isStream: true }, 'stream'],
    ['GET', { needs: 'metrics' }, 'read'],
    ['HEAD', { needs: 'view' }, 'read'],
    ['POST', { needs: 'session' }, 'action']
  ] as const
  for (const [method, config, expected] of cases) {
    t.equal(workOf({ method, config }), expected, `${method} ${JSON.stringify(config)}`)
  }
})
