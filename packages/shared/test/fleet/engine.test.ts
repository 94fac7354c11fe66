/** Against real engines, and against words that only look like one. */
import net from 'node:net'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isAnswer, openEngine, type Engine, type EngineParts } from '@usher/shared/fleet/engine.ts'
import { ENGINE_SKIP, startEngine } from './engine-kit.ts'
import { addressOf, ENGINE_PROGRAMS } from './engine-process.ts'

const NEEDS_ENGINE = { skip: ENGINE_SKIP }

for (const program of ENGINE_PROGRAMS) {
  t.test(`engine: ${program} takes bytes and gives them back`, async t => {
    const { address } = await startEngine(t, { program })
    const { engine, untilReady } = open(t, { address })
    await untilReady()
    const bytes = Buffer.from([0, 13, 10, 255])
    t.strictSame(await engine.call('SET', 'bytes', bytes), Buffer.from('OK'))
    t.strictSame(await engine.call('GET', 'bytes'), bytes)
    t.equal(await engine.call('GET', 'nothing'), null)
    t.equal(await engine.call('INCRBY', 'count', 7), 7)
    await engine.call('HSET', 'hash', 'a', 1)
    t.strictSame(await engine.call('HGETALL', 'hash'), [Buffer.from('a'), Buffer.from('1')])
    await engine.call('XADD', 'stream', '1-0', 'a', 1)
    t.strictSame(await engine.call('XREAD', 'STREAMS', 'stream', 0), [
      [Buffer.from('stream'), [[Buffer.from('1-0'), [Buffer.from('a'), Buffer.from('1')]]]]
    ], 'in the shapes of RESP2')
    await t.rejects(engine.call('LPUSH', 'hash', 1), /WRONGTYPE/)
    t.ok(isAnswer(await engine.call('LPUSH', 'hash', 1).catch((error: unknown) => error)))
    t.ok(engine.isReady, 'an error of a call is none of the connection')
  })
}

t.test('engine: calls settle while it is frozen, and it is there again after the thaw', NEEDS_ENGINE, async t => {
  const { address, freeze, thaw } = await startEngine(t)
  const { engine, reasons, untilReady, untilLost } = open(t, { address })
  await untilReady()
  freeze()
  const error: unknown = await engine.call('PING').catch((error: unknown) => error)
  t.match(error, { code: 'USHER_ENGINE_AWAY' })
  t.notOk(isAnswer(error))
  await untilLost()
  t.match(reasons[0], 'no answer within 1000 ms')
  await t.rejects(engine.call('PING'), { code: 'USHER_ENGINE_AWAY' }, 'at once')
  thaw()
  await untilReady()
  t.strictSame(await engine.call('PING'), Buffer.from('PONG'))
})

t.test('engine: a thread that was busy finds the answer that has come meanwhile', NEEDS_ENGINE, async t => {
  const { address } = await startEngine(t)
  const { engine, reasons, untilReady } = open(t, { address })
  await untilReady()
  const answer = engine.call('PING')
  await new Promise(setImmediate) // Sent.
  const endMs = Date.now() + 2500
  while (Date.now() < endMs);
  t.strictSame(await answer, Buffer.from('PONG'))
  t.strictSame(await engine.call('PING'), Buffer.from('PONG'))
  t.strictSame(reasons, [])
})

t.test('engine: is found again when it was killed and started anew', NEEDS_ENGINE, async t => {
  const { address, kill, restart } = await startEngine(t)
  const prepared: string[] = []
  const { engine, untilReady, untilLost } = open(t, {
    address,
    prepare: async call => { prepared.push(String(await call('DBSIZE'))) }
  })
  await untilReady()
  await engine.call('SET', 'a', 1)
  await kill()
  await untilLost()
  await restart()
  await untilReady()
  t.strictSame(prepared, ['0', '0'], 'prepared each time, before it was ready')
  t.equal(await engine.call('GET', 'a'), null)
})

t.test('engine: one that is nowhere is said to be away, once', async t => {
  const { engine, reasons, untilLost } = open(t, { address: addressOf('redis://127.251.251.251:1') })
  await untilLost()
  await setTimeout(300) // Several tries.
  t.strictSame(reasons, ['connect ECONNREFUSED 127.251.251.251:1'])
  await t.rejects(engine.call('PING'), /ECONNREFUSED/)
})

t.test('engine: one that may forget is refused in words, until it may not', NEEDS_ENGINE, async t => {
  const { address } = await startEngine(t, { args: ['--maxmemory-policy', 'allkeys-lru'] })
  const { refusals, untilReady, untilRefused } = open(t, { address })
  await untilRefused()
  t.match(refusals, [{
    code: 'USHER_ENGINE_REFUSED', message: /redis:\/\/127.*: its maxmemory-policy is allkeys-lru.* allowed is noeviction/
  }])
  const admin = new net.Socket().connect(16_379, 'host' in address ? address.host : '')
  admin.end('CONFIG SET maxmemory-policy noeviction\r\n')
  await untilReady()
  t.equal(refusals.length, 1)
})

t.test('engine: a wrong password is told', NEEDS_ENGINE, async t => {
  const { host, port } = await startEngine(t, {
    args: ['--requirepass', 'right'], credentials: ':right@'
  })
  const { reasons, untilLost } = open(t, { address: addressOf(`redis://:wrong@${host}:${port}`) })
  await untilLost()
  t.match(reasons, [/WRONGPASS/])
  const { untilReady } = open(t, { address: addressOf(`redis://default:right@${host}:${port}/1`) })
  await untilReady()
})

t.test('engine: is reached by a Unix socket', NEEDS_ENGINE, async t => {
  const { folder } = await startEngine(t, { args: ['--unixsocket', 'engine.sock'] })
  const { engine, untilReady } = open(t, { address: addressOf(`unix://${folder}/engine.sock`) })
  await untilReady()
  t.strictSame(await engine.call('PING'), Buffer.from('PONG'))
})

t.test('engine: what it needs and has not is a refusal with what the engine says', NEEDS_ENGINE, async t => {
  const { address } = await startEngine(t)
  const { refusals, untilRefused } = open(t, { address, prepare: async call => { await call('NONSENSE') } })
  await untilRefused()
  t.match(refusals, [/unknown command/])
})

t.test('engine: one without functions, and a replica, are refused in words', async t => {
  const check = async (info: string, wanted: RegExp): Promise<void> => {
    const { refusals, untilRefused } = open(t, { address: await fakeEngine(t, info) })
    await untilRefused()
    t.match(refusals[0]?.message, wanted)
  }
  await check('redis_version:6.2.14\r\n', /its version is 6\.2\.14, which has no functions: allowed/)
  await check('some:thing\r\n', /its version is unknown/)
  await check('redis_version:7.2.4\r\nrole:slave\r\n', /it is a replica/)
})

t.test('engine: a closed one calls nobody', NEEDS_ENGINE, async t => {
  const { address, kill } = await startEngine(t)
  const { engine, reasons, untilReady } = open(t, { address })
  await untilReady()
  await engine.close()
  await engine.close()
  await t.rejects(engine.call('PING'), { code: 'USHER_ENGINE_AWAY' })
  await kill()
  t.strictSame(reasons, [])
})

interface Opened {
  readonly engine: Engine
  /** Of onLost and of onRefused, as they came. */
  readonly reasons: readonly string[]
  readonly refusals: readonly Error[]
  untilReady (): Promise<void>
  untilLost (): Promise<void>
  untilRefused (): Promise<void>
}

/** Closed with the test. */
function open (t: Test, parts: Pick<EngineParts, 'address' | 'prepare'>): Opened {
  const reasons: string[] = []
  const refusals: Error[] = []
  const engine = openEngine({
    name: 'test',
    onLost: reason => { reasons.push(reason) },
    onRefused: error => { refusals.push(error) },
    ...parts
  })
  t.teardown(() => engine.close())
  const until = (isTrue: () => boolean) => async (): Promise<void> => {
    while (!isTrue()) await setTimeout(5)
  }
  return {
    engine,
    reasons,
    refusals,
    untilReady: until(() => engine.isReady),
    untilLost: until(() => reasons.length > 0 && !engine.isReady),
    untilRefused: until(() => refusals.length > 0)
  }
}

/** Answers every command with an error but INFO. */
async function fakeEngine (t: Test, info: string): Promise<ReturnType<typeof addressOf>> {
  const server = net.createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', bytes => {
      const words = bytes.toString().split('\r\n').filter(line => /^[a-z]+$/i.test(line))
      for (const word of words.filter(word => ['hello', 'client', 'info'].includes(word.toLowerCase()))) {
        const isInfo = word.toLowerCase() === 'info'
        socket.write(isInfo ? `$${info.length}\r\n${info}\r\n` : `-ERR unknown command '${word}'\r\n`)
      }
    })
    t.teardown(() => { socket.destroy() })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  return addressOf(`redis://127.0.0.1:${(server.address() as net.AddressInfo).port}`)
}
