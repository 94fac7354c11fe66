/** What a client says of its connection: keep it, close it, make another protocol of it. */
import { accepted, closing, get, HOST, post, type HttpCase } from './http-case.ts'

function old (fields: string): string {
  return `GET / HTTP/1.0\r\n${HOST}${fields}\r\n`
}

const CLOSE: readonly HttpCase[] = [
  'close', 'CLOSE', 'Close', 'close ', '\tclose\t', 'x, close', 'close, x', 'keep-alive, close', 'close, keep-alive',
  ',,close,,', 'close\t,\tkeep-alive', 'te, close, upgrade'
].map(value =>
  closing('9112 9.6', `Connection: ${JSON.stringify(value)}`, get(`Connection: ${value}\r\n`)))

const KEEP: readonly HttpCase[] = [
  'keep-alive', 'Keep-Alive', 'x', 'closed', 'x-close', 'close-x', 'closeclose', '"close"', 'c l o s e', '', ' , ', 'upgrade', 'Host',
  'te, trailers'
].map(value =>
  accepted('9112 9.3', `Connection: ${JSON.stringify(value)}, kept`, get(`Connection: ${value}\r\n`)))

const UPGRADES: ReadonlyArray<[name: string, fields: string]> = [
  ['to HTTP/2', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'],
  ['to WebSocket', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n'],
  ['to a WebSocket of no version', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 99\r\n'],
  ['to TLS', 'Connection: upgrade\r\nUpgrade: TLS/1.2\r\n'],
  ['to nobody knows what', 'Connection: upgrade\r\nUpgrade: teleport/1.0, h2c\r\n'],
  ['to nothing', 'Connection: upgrade\r\nUpgrade:\r\n'],
  ['that Connection does not name', 'Upgrade: websocket\r\n']
]

export const CONNECTIONS: readonly HttpCase[] = [
  ...CLOSE,
  ...KEEP,
  closing('9112 9.6', 'two lines, the last one close', get('Connection: keep-alive\r\nConnection: close\r\n')),
  closing('9112 9.6', 'two lines, the first one close', get('Connection: close\r\nConnection: keep-alive\r\n')),
  closing('9112 9.6', 'a POST that closes', post('Connection: close\r\nContent-Length: 3\r\n', 'abc'), ['POST /']),
  closing('9112 9.6', 'chunks that close', post('Connection: close\r\nTransfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'), ['POST /']),
  closing('9112 9.3', 'a POST of HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}Content-Length: 3\r\n\r\nabc`, ['POST /']),
  closing('9112 9.3', 'a POST of HTTP/1.0 without a length', `POST / HTTP/1.0\r\n${HOST}\r\n`, ['POST /']),
  accepted('9112 9.3', 'HTTP/1.0 that keeps the connection', old('Connection: keep-alive\r\n')),
  accepted('9112 9.3', 'HTTP/1.0 that keeps the connection, in capitals', old('Connection: Keep-Alive\r\n')),
  accepted('9112 9.3', 'HTTP/1.0 that keeps the connection, in a list', old('Connection: x, keep-alive\r\n')),
  closing('9112 9.3', 'HTTP/1.0 that keeps and closes', old('Connection: keep-alive, close\r\n')),
  closing('9112 9.3', 'HTTP/1.0 that keeps and closes, on two lines', old('Connection: close\r\nConnection: keep-alive\r\n')),
  closing('9112 9.3', 'HTTP/1.0 that keeps something else', old('Connection: x-keep-alive\r\n')),
  accepted('9112 9.3', 'a Keep-Alive of the client', get('Connection: keep-alive\r\nKeep-Alive: timeout=1, max=1\r\n')),
  accepted('9110 10.1.4', 'TE', get('TE: trailers, deflate;q=0.5\r\nConnection: TE\r\n')),
  accepted('9110 6.6.2', 'a Trailer that does not come', get('Trailer: X\r\n')),
  accepted('9110 7.6.1', 'a Connection that names the length', post('Connection: Content-Length\r\nContent-Length: 3\r\n', 'abc'), ['POST /']),
  // None is wanted, so that the answer is in HTTP/1.1; what the parser loses is not read.
  ...UPGRADES.map(([name, fields]) => closing('9110 7.8', `an upgrade ${name}`, get(fields))),
  closing('9110 7.8', 'an upgrade with a body', post('Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n', 'abc'), ['POST /']),
  closing('9110 7.8', 'an upgrade of OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`, ['OPTIONS /'])
]
