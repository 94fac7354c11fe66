import { EventEmitter, once } from 'node:events'
import net from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { listenOn } from '@usher/shared/http/listen.ts'
import { openPort } from '@usher/shared/http/opened-port.ts'
import { CERT, KEY } from '../fixtures/tls-pems.ts'
import { testDoor } from './fixtures/test-door.ts'
import { until } from './fixtures/until.ts'

const TURNS = 20
/** The second is no plain request: it goes to the checked server. */
const REQUESTS = ['GET /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi']

/** What comes until the other side has closed. */
async function exchange (port: number, request: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  socket.write(request)
  let text = ''
  socket.on('data', bytes => { text += bytes.toString() })
  await once(socket, 'close')
  return text
}

t.test('opened port: who came before the door was there is answered by it', async t => {
  const openedPort = openPort('127.0.0.1', 0, false)!
  const { port } = openedPort
  let answers = 0
  const early = REQUESTS.map(async request => {
    const text = await exchange(port, request)
    answers++
    return text
  })
  const silent = net.connect(port, '127.0.0.1')
  await once(silent, 'connect')
  for (let turn = 0; turn < TURNS; turn++) await setImmediate()
  t.equal(answers, 0)
  const door = await testDoor(t, { openedPort })
  t.equal(door.port, port)
  for (const text of await Promise.all(early)) t.match(text, /^HTTP\/1\.1 200 .*\/early/s)
  t.match(await exchange(port, REQUESTS[0]!), /^HTTP\/1\.1 200 /, 'and who comes later')
  // They are counted as all others: the silent one is left.
  await until(() => door.connectionCount() === 1)
  const closed = once(silent, 'close')
  await Promise.all([door.close(), closed])
  await t.rejects(once(net.connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' })
})

t.test('opened port: a door of TLS takes it as well', async t => {
  const openedPort = openPort('127.0.0.1', 0, false)!
  const { port, isFast } = await testDoor(t, { openedPort, tls: { cert: CERT, key: KEY } })
  t.equal(port, openedPort.port)
  t.ok(isFast)

  t.notMatch(await exchange(port, REQUESTS[0]!), 'HTTP', 'plain HTTP is none')
})

t.test('opened port: none where another program listens, and at an address or name that is none here', async t => {
  const { port, passTo, release } = openPort('127.0.0.1', 0, false)!
  const owner = net.createServer()
  await passTo(owner)
  release()
  t.teardown(() => owner.close())
  t.match(owner.address(), { address: '127.0.0.1', port })
  t.equal(openPort('127.0.0.1', port, false), undefined)
  t.equal(openPort('192.0.2.1', 0, false), undefined)
  t.equal(openPort('localhost', 0, false), undefined)
  await t.rejects(listenOn(net.createServer(), port, ['127.0.0.1']), {
    code: 'EADDRINUSE', message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`
  })
})

t.test('opened port: closed, it is free, and who waited is disconnected', async t => {
  const { port, close } = openPort('127.0.0.1', 0, false)!
  const client = net.connect(port, '127.0.0.1')
  await once(client, 'connect')
  for (let turn = 0; turn < TURNS; turn++) await setImmediate() // It is accepted, too.
  close()
  await once(client.resume(), 'close')
  const next = openPort('127.0.0.1', port, false)
  t.ok(next, 'another one may open it')
  next?.close()
})

t.test('opened port: every address of the machine, of either family', async t => {
  for (const [host, from] of [
    ['::', '127.0.0.1'], ['::', '::1'], ['0.0.0.0', '127.0.0.1'], ['::1', '::1']
  ] as const) {
    const { port, passTo, release } = openPort(host, 0, false)!
    const owner = net.createServer(socket => { socket.end('hi') })
    const client = net.connect(port, from)
    await passTo(owner)
    release()
    const [text] = await once(client, 'data') as [Buffer]
    t.equal(text.toString(), 'hi', `${host} from ${from}`)
    owner.close()
  }
})

t.test('opened port: where Node gives a handle to its servers otherwise, they are told to listen', async t => {
  const { port, passTo, release } = openPort('127.0.0.1', 0, false)!
  const owner = net.createServer(socket => { socket.end('hi') })
  // What this Node has, without the private part.
  const other = Object.assign(new EventEmitter(), {
    listen (handle: object, backlog: number) {
      owner.listen(handle, backlog, () => { other.emit('listening') })
    }
  })
  await passTo(other as unknown as net.Server)
  t.teardown(() => owner.close())
  release()
  const [text] = await once(net.connect(port, '127.0.0.1'), 'data') as [Buffer]
  t.equal(text.toString(), 'hi')
})
