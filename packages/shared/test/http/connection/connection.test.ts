import type { Socket } from 'node:net'
import t from 'tap'
import {
  hasBegunRequest, hasEnded, incompleteExchange, isQuiet, makeLast, newConnection, NO_FINAL_BYTES,
  pauseIfBehind, UNANSWERED_MAX, type Connection
} from '@usher/shared/http/connection/connection.ts'
import type { Exchange } from '@usher/shared/http/connection/exchange.ts'

function testConnection (
  changes: Partial<Connection> = {}, socketChanges: object = {}
): Connection {
  const socket = { bytesRead: 0, destroyed: false, ...socketChanges }
  return { ...newConnection(socket as unknown as Socket), ...changes }
}

const exchange = (changes: Partial<Exchange> = {}): Exchange => ({
  shouldKeepAlive: true,
  headersSent: false,
  writableEnded: false,
  req: { complete: true },
  ...changes
})

t.test('connection: quiet while nothing is due and nothing is ending', async t => {
  t.equal(isQuiet(testConnection()), true)
  t.equal(isQuiet(testConnection({ unanswered: [exchange()] })), false)
  t.equal(isQuiet(testConnection({ isLingering: true })), false)
  t.equal(isQuiet(testConnection({}, { destroyed: true })), false)
})

t.test('connection: one byte more than when it fell idle begins a request', async t => {
  t.equal(hasBegunRequest(testConnection({ idleBytesRead: 40 }, { bytesRead: 40 })), false)
  t.equal(hasBegunRequest(testConnection({ idleBytesRead: 40 }, { bytesRead: 41 })), true)
})

t.test('connection: ends for requests with its final bytes, or a reply that closes', async t => {
  t.equal(hasEnded(testConnection()), false)
  t.equal(hasEnded(testConnection({ finalBytes: NO_FINAL_BYTES })), true)
  t.equal(hasEnded(testConnection({ latest: exchange() })), false)
  t.equal(hasEnded(testConnection({ latest: exchange({ shouldKeepAlive: false }) })), true)
})

t.test('connection: the latest reply is made the last, and gives way to a later one', async t => {
  const [first, second] = [exchange(), exchange()]
  const connection = testConnection({ latest: first })
  makeLast(connection)
  t.equal(first.shouldKeepAlive, false)
  t.equal(hasEnded(connection), false, 'a request behind it may take over')
  connection.latest = second
  makeLast(connection)
  t.same([first.shouldKeepAlive, second.shouldKeepAlive], [true, false])

  const sent = exchange({ headersSent: true })
  makeLast(testConnection({ latest: sent }))
  t.equal(sent.shouldKeepAlive, true, 'what has been said stands')
})

t.test('connection: is not read from while too many replies are due', async t => {
  for (const [count, isPaused] of [[UNANSWERED_MAX, true], [UNANSWERED_MAX - 1, false]] as const) {
    let paused = false
    const unanswered = Array.from({ length: count }, () => exchange())
    pauseIfBehind(testConnection({ unanswered }, { pause () { paused = true } }))
    t.equal(paused, false, 'not at once')
    await new Promise(resolve => process.nextTick(resolve))
    t.equal(paused, isPaused, `${count} are due`)
  }
})

t.test('connection: an exchange is incomplete while its request is', async t => {
  const [begun, received] = [exchange({ req: { complete: false } }), exchange()]
  t.equal(incompleteExchange(testConnection()), undefined)
  t.equal(incompleteExchange(testConnection({ latest: begun })), begun)
  t.equal(incompleteExchange(testConnection({ latest: received })), undefined)
})
