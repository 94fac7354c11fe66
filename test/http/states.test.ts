/** Answers that depend on the state of the program: whole, and the same for GET and HEAD. */
import t, { type Test } from 'tap'
import { RawClient, type RawReply } from '../../packages/shared/test/http/fixtures/raw-client.ts'
import { Operator } from '../../scripts/kit/operator.ts'
import { flawsOf } from './exchange.ts'
import { startKnownCluster } from './known-cluster.ts'
import { rawAsk, told } from './raw-ask.ts'

const PASSWORD = 'a long and secret text'
const DENIED_ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const DENIED = `Cookie: client_id=${DENIED_ID}\r\n`

/** Holds GET and HEAD to the status, and the one to the other. */
async function check (
  t: Test, port: number, path: string, status: number, fields = ''
): Promise<RawReply> {
  const got = await rawAsk(port, 'GET', path, fields)
  const head = await rawAsk(port, 'HEAD', path, fields)
  t.strictSame([got.status, head.status], [status, status], `${path}: ${status}`)
  t.strictSame(told(head), told(got), `${path}: HEAD says the same`)
  t.strictSame([...flawsOf(got), ...flawsOf(head), head.body], [''], `${path}: complete`)
  return got
}

const cluster = await startKnownCluster(t)
const operator = new Operator(cluster)
await operator.logIn('admin', PASSWORD)

t.test('states: events come in chunks, and to HTTP/1.0 until the end of the connection', async t => {
  const fields = `Host: example.org\r\nCookie: ${operator.cookie}\r\n\r\n`
  for (const [version, coding, connection] of [
    ['1.1', 'chunked', 'keep-alive'], ['1.0', undefined, 'close']
  ] as const) {
    const client = await RawClient.connect(cluster.monitoringPort)
    client.send(`GET /events HTTP/${version}\r\n${fields}`)
    const reply = await client.reply()
    t.equal(reply?.status, 200, version)
    t.equal(reply?.headers['transfer-encoding'], coding, version)
    t.equal(reply?.headers['connection'], connection, version)
    t.match(reply?.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
    t.equal(reply?.headers['content-length'], undefined, version)
    client.close()
  }
  const head = await rawAsk(cluster.monitoringPort, 'HEAD', '/events', `Cookie: ${operator.cookie}\r\n`)
  t.equal(head.status, 200, 'HEAD is answered at once')
  t.match(head.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
  t.equal(head.headers['content-length'], undefined)
})

t.test('states: who is denied gets a 403 that no cache keeps', async t => {
  t.equal((await operator.post('/deny', { userId: DENIED_ID })).status, 200)
  for (const port of [cluster.routingPort, ...cluster.ports]) {
    const { headers } = await check(t, port, '/', 403, DENIED)
    t.match(headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
    await check(t, port, '/', 403, `${DENIED}If-None-Match: *\r\nRange: bytes=0-1\r\n`)
  }
  const { headers } = await check(t, cluster.ports[0]!, '/heartbeat', 403, DENIED)
  t.match(headers, { 'content-type': 'application/json; charset=utf-8' })
})

t.test('states: without a server that takes visitors, they are told when to come again', async t => {
  for (const port of cluster.ports) {
    t.equal((await operator.post(`/servers/${port}/drain`, { force: true })).status, 200)
  }
  const { headers } = await check(t, cluster.routingPort, '/', 503)
  t.match(headers, { 'retry-after': '1', 'cache-control': 'no-store' })
  await check(t, cluster.ports[0]!, '/healthz', 503)
  await check(t, cluster.routingPort, '/healthz', 200)
  await check(t, cluster.monitoringPort, '/healthz', 200)
  await check(t, cluster.monitoringPort, '/readyz', 503)
  await check(t, cluster.monitoringPort, '/readyz', 503, 'If-None-Match: *\r\n')
})

t.test('states: an attempt too many is told when to try again', async t => {
  const stranger = new Operator(cluster)
  const statuses: number[] = []
  for (let at = 0; at < 6; at++) statuses.push((await stranger.logIn('admin', `wrong ${at}`)).status)
  t.strictSame(statuses, [401, 401, 401, 401, 401, 429])
  t.match((await stranger.logIn('admin', 'wrong')).headers, { 'retry-after': /^\d+$/ })
})

t.test('states: newcomers to a full table are told when to come again', async t => {
  const full = await startKnownCluster(t, { MAX_USERS: '16' })
  const [port] = full.ports as [number]
  for (let at = 0; at < 16; at++) {
    const guest = `Cookie: client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4b${String(at).padStart(2, '0')}\r\n`
    for (const time of [1, 2]) t.equal((await rawAsk(port, 'GET', '/', guest)).status, 200, `${at}, ${time}`)
  }
  for (const at of [full.routingPort, port]) {
    const { headers } = await check(t, at, '/', 503, DENIED)
    t.match(headers, { 'retry-after': /^\d+$/, 'cache-control': 'no-store' })
  }
  const beat = await rawAsk(port, 'POST', '/heartbeat', `${DENIED}Content-Length: 0\r\n`)
  t.strictSame([beat.status, ...flawsOf(beat)], [503], 'whoever beats comes in no more either')
  await check(t, port, '/heartbeat', 404, DENIED)
})
