/** Clients who have to go, in the running cluster: from the table, from every thread, at once. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import t from 'tap'
import { parseClientId, type Client } from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import { RawClient } from '../packages/shared/test/http/fixtures/raw-client.ts'
import { buildAskingProgram, startAskingCluster, type AskingCluster } from './asking-cluster.ts'
import { ask, until, Visitor, workingFolder } from './cluster.ts'

const ANA_ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const ANA = parseClientId(ANA_ID)!
const BEN_ID = '7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62'
const BEN = parseClientId(BEN_ID)!
const PRELOAD = `--import=${new URL('fixtures/crashing-worker.mjs', import.meta.url).href}`
/** More than the kernel keeps for a reader on its two sides. */
const BIG_FILE_BYTES = 32 * 1024 * 1024

const denied = (kind: DenyEntry['kind'], text: string): DenyEntry =>
  ({ kind, text, untilMs: undefined })
const disconnect = (client: Client, entries: readonly DenyEntry[] | undefined) =>
  ({ type: 'disconnect', client, entries } as const)
const get = (id: string, path = '/', more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: client_id=${id}\r\n${more}\r\n`

/** A connection that the server keeps open after its first reply. */
async function keptOpen (port: number, request: string): Promise<RawClient> {
  const client = await RawClient.connect(port)
  client.send(request)
  if ((await client.reply())?.headers['connection'] !== 'keep-alive') throw new Error('not kept')
  return client
}

function visitor (id: string): Visitor {
  const known = new Visitor()
  known.cookie = `client_id=${id}`
  return known
}

/** Active users of each server but the one who looks, who leaves again. */
async function usersOf ({ ports }: AskingCluster): Promise<number[]> {
  const counts: number[] = []
  for (const port of ports) {
    const observer = visitor('00000000-0000-4000-8000-00000000000a')
    counts.push(await observer.beat(port) - 1)
    await observer.ask(port, '/leave', { method: 'POST' })
  }
  return counts
}

const cwd = workingFolder(t, {
  program: {}, site: { 'index.html': 'home', 'big.bin': Buffer.alloc(BIG_FILE_BYTES) }
})
const program = buildAskingProgram(join(cwd, 'program'))
/** Most tests share one; each begins with nobody there and nobody denied. */
const cluster = await startAskingCluster(t, program, { HTML_DIRS: 'site' }, { cwd })
t.beforeEach(async () => {
  await cluster.asks({ type: 'set-deny-list', entries: [] })
  for (const client of [ANA, BEN]) await cluster.asks(disconnect(client, undefined))
})

t.test('disconnect: at one server while the client talks to another one: gone from all', async t => {
  const { asks, everywhere, ports, routingPort } = cluster
  const [first, second, third] = ports
  const ana = visitor(ANA_ID)
  await ana.beat(first!)
  const hers = await Promise.all(everywhere.map(port => keptOpen(port, get(ANA_ID))))
  const bens = await Promise.all(everywhere.map(port => keptOpen(port, get(BEN_ID))))
  await visitor(BEN_ID).beat(third!)
  await ana.beat(second!)
  t.same(await usersOf(cluster), [0, 1, 1])

  let isDone = false
  const closedBefore = Promise.all(hers.map(async client => {
    await client.end()
    return !isDone
  }))
  const gone = await asks(disconnect(ANA, [denied('id', ANA_ID)]))
  isDone = true
  t.same(gone, { wasHere: true, removedUsers: 1 })
  t.same(await closedBefore, hers.map(() => true), 'closed before the promise resolves')
  t.same(hers.map(({ error }) => error), hers.map(() => undefined), 'without a reset')
  t.same(await usersOf(cluster), [0, 0, 1])

  const refused = await Promise.all(ports.map(port => ana.ask(port, '/heartbeat')))
  t.same(refused.map(({ status }) => status), [403, 403, 403], 'the next beat')
  t.equal((await ana.ask(routingPort)).status, 403)
  t.same(await usersOf(cluster), [0, 0, 1], 'and it counts nowhere again')
  for (const ben of bens) {
    ben.send(get(BEN_ID))
    t.ok([200, 302].includes((await ben.reply())!.status), 'others keep their connections')
  }
  for (const client of [...hers, ...bens]) client.close()
})

t.test('disconnect: who is not denied comes back at once', async t => {
  const { asks, ports: [port], routingPort } = cluster
  const connection = await keptOpen(port!, get(ANA_ID))
  t.same(await asks(disconnect(ANA, undefined)), { wasHere: true, removedUsers: 1 })
  t.equal(await connection.end(), '')
  t.same(await usersOf(cluster), [0, 0, 0])
  t.same(await asks(disconnect(ANA, undefined)), { wasHere: false, removedUsers: 0 }, 'she is not here')
  const ana = visitor(ANA_ID)
  t.equal((await ana.ask(routingPort)).status, 302)
  t.equal(await ana.beat(port!), 1)
  connection.close()
})

t.test('disconnect: one who is only expected is gone too, and a newcomer\'s connections', async t => {
  const { asks, routingPort } = cluster
  const connection = await RawClient.connect(routingPort)
  connection.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const { headers } = (await connection.reply())!
  const [, id] = /client_id=([^;]+)/.exec(headers['set-cookie']!)!
  t.same(await asks(disconnect(parseClientId(id!)!, [denied('id', id!)])), { wasHere: true, removedUsers: 1 })
  t.equal(await connection.end(), '')
  t.equal((await visitor(id!).ask(routingPort)).status, 403)
  connection.close()
})

t.test('disconnect: a visitor who waits at the router gets the 403 now, not after the wait', async t => {
  const { asks, routingPort } = await startAskingCluster(t, program, { DELAY_BETWEEN_ROUTING: '60' })
  const waiting = async (): Promise<RawClient> => {
    const client = await RawClient.connect(routingPort)
    client.send(get(ANA_ID))
    if ((await asks(disconnect(ANA, [denied('id', ANA_ID)]))).wasHere) return client
    // The denial was faster than the request.
    client.close()
    await asks({ type: 'set-deny-list', entries: [] })
    return await waiting()
  }
  const client = await waiting()
  t.match(await client.reply(), { status: 403, headers: { connection: 'close' } })
  t.equal(await client.end(), '')
  client.close()
})

t.test('disconnect: the reply in flight is finished first; a slow reader is cut off', async t => {
  const { asks, ports: [port] } = cluster
  await visitor(ANA_ID).beat(port!)
  const [reader, slow] = [await RawClient.connect(port!), await RawClient.connect(port!)]
  for (const client of [reader, slow]) {
    client.send(get(ANA_ID, '/big.bin'))
    await once(client.socket, 'data')
    client.socket.pause()
  }
  const startMs = performance.now()
  const gone = asks(disconnect(ANA, [denied('id', ANA_ID)]))
  reader.socket.resume()
  const reply = await reader.end()
  t.equal(reply.length - reply.indexOf('\r\n\r\n') - 4, BIG_FILE_BYTES, 'all of it')
  t.same(await gone, { wasHere: true, removedUsers: 1 })
  const tookMs = performance.now() - startMs
  t.ok(tookMs >= 1990, `the slow one had its time: ${tookMs.toFixed(0)} ms`)
  slow.socket.resume()
  t.ok((await slow.end()).length < BIG_FILE_BYTES, 'and was cut off then')
  for (const client of [reader, slow]) client.close()
})

t.test('disconnect: behind a trusted proxy the connection stays and the request is refused', async t => {
  const { asks, everywhere } = await startAskingCluster(t, program, { TRUST_PROXY: '127.0.0.1' })
  const from = 'X-Forwarded-For: 198.51.100.7\r\n'
  const proxies = await Promise.all(everywhere.map(port => keptOpen(port, get(ANA_ID, '/', from))))
  t.same(await asks(disconnect(ANA, [denied('id', ANA_ID)])), { wasHere: true, removedUsers: 1 })
  for (const proxy of proxies) {
    proxy.send(get(ANA_ID, '/', from))
    t.equal((await proxy.reply())?.status, 403)
    proxy.send(get(BEN_ID, '/', from))
    t.ok([200, 302].includes((await proxy.reply())!.status))
    proxy.close()
  }
})

t.test('deny list: a denied range removes all who were last seen there', async t => {
  const cluster = await startAskingCluster(t, program, { TRUST_PROXY: '127.0.0.1' })
  const { asks, ports: [here, there] } = cluster
  const beat = (port: number, number: number, address: string): ReturnType<typeof ask> =>
    ask(port, `/heartbeat?client_id=00000000-0000-4000-8000-0000000000${10 + number}`,
      { method: 'POST', headers: { 'x-forwarded-for': address } })
  for (let number = 1; number <= 20; number++) {
    await beat(number % 2 === 0 ? here! : there!, number, `198.51.100.${number}`)
  }
  for (let number = 21; number <= 25; number++) await beat(here!, number, `192.0.2.${number}`)
  t.same(await usersOf(cluster), [15, 10, 0])

  const range = denied('range', '198.51.100.0/28')
  t.same(await asks({ type: 'set-deny-list', entries: [range] }), { removedUsers: 15 })
  t.same(await usersOf(cluster), [8, 2, 0])
  t.equal((await beat(here!, 3, '198.51.100.3')).status, 403)
  t.equal((await beat(here!, 16, '198.51.100.16')).status, 204)
  t.equal((await beat(here!, 16, '198.51.100.15')).status, 403, 'the range counts, not the id')

  t.same(await asks({ type: 'set-deny-list', entries: [] }), { removedUsers: 0 })
  t.equal((await beat(here!, 3, '198.51.100.3')).status, 204)
})

t.test('disconnect: a server that is dead holds nothing up, its replacement refuses', async t => {
  const cwd = workingFolder(t)
  const cluster = await startAskingCluster(
    t, program, { CRASH_DIR: cwd }, { cwd, nodeOptions: PRELOAD })
  const [victim] = cluster.ports as [number]
  const ana = visitor(ANA_ID)
  await ana.beat(victim)
  const attempt = (): Promise<number> =>
    ana.ask(victim, '/heartbeat').then(({ status }) => status, () => 0)
  writeFileSync(join(cwd, `server ${victim} exit`), '')
  await until(attempt, status => status === 0)
  t.same(await cluster.asks(disconnect(ANA, [denied('id', ANA_ID)])), { wasHere: true, removedUsers: 1 })
  t.equal(await until(attempt, status => status !== 0), 403)
  await cluster.logged(/worker is up again/)
  t.equal(await cluster.stop(), 0)
})
