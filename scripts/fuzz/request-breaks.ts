/**
 * What can be wrong about a request, part by part: method, target, fields, cookies, body. How it is
 * framed is in framing-breaks.ts. Each changes the parts that it is given. Pure.
 */
import type { Random } from '../kit/random.ts'
import { SESSION_MARK, TOKEN_MARK } from './inputs.ts'
import { brokenFormBody, brokenJsonBody, jsonBody } from './json-bodies.ts'
import { address, clientId, nastyNumber, nastyText } from './nasty-values.ts'
import type { RequestParts } from './request-parts.ts'

export type PartBreak = (request: RequestParts, random: Random) => void

export const PART_BREAKS: readonly PartBreak[] = [
  breakMethod, breakPath, breakQuery, breakQuery, breakVersion, breakHost, breakField, breakField,
  breakCookie, breakCookie, breakForwarded, breakFetchFields, breakCondition, breakBody, breakBody,
  breakBody, askForMore
]

function breakMethod (request: RequestParts, random: Random): void {
  request.method = random.pick([
    'get', 'G', '', 'TRACE', 'CONNECT', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'PRI', 'PROPFIND',
    'POST', 'HEAD', 'GET ', 'G\0T', 'G\xcbT', 'X'.repeat(300), 'M-SEARCH', '__proto__', nastyText(random)
  ])
}

function breakPath (request: RequestParts, random: Random): void {
  const { path } = request
  const at = random.between(0, path.length)
  request.path = random.pick([
    nastyText(random), `/${nastyText(random)}`, `${path}${nastyText(random)}`,
    path.slice(0, at) + nastyText(random) + path.slice(at), '*', '', path.slice(1),
    `http://localhost${path}`, `http://evil.example${path}`, `https://localhost:99999${path}`,
    `http://user@localhost${path}`, `http://${path}`, `//evil.example${path}`, '\\\\evil.example',
    '/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/%2e%2e%5csecret.txt',
    '/up/secret.txt', '/%2eenv', '/.git/config', '/%', '/%e0%a4%a', '/%00', `${path}%00.html`,
    path.replace(/\/[^/]*$/, '/../$&'), path.toUpperCase(), path.replaceAll('/', '//'), `${path}/`,
    '/servers/0/drain', '/servers/99999/ready', `/servers/${nastyText(random)}/drain`
  ])
}

function breakQuery ({ query, route }: RequestParts, random: Random): void {
  const known = Object.keys(route?.query ?? { client_id: '', servers: '' })
  const name = random.pick([...known, 'client_id', '__proto__', 'a', '', 'q[]', 'q[a]'])
  const value = random.pick([nastyText(random), nastyNumber(random), clientId(random)])
  const many = random.pick([2, 101, 1001])
  const breaks: ReadonlyArray<() => void> = [
    () => { query.push([name, value]) },
    () => { query.push([name, value], [name, value]) },
    () => { query.splice(0, query.length, [name, value]) },
    () => { for (let at = 0; at < many; at++) query.push([name, '1']) },
    () => { for (let at = 0; at < many / 10; at++) query.push(['address', address(random)]) },
    () => { query.push([`${name}?${name}`, `${value}#${value}`]) }
  ]
  random.pick(breaks)()
}

function breakVersion (request: RequestParts, random: Random): void {
  request.version = random.pick([
    'HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/2', 'HTTP/1.', 'HTTP/11.1', 'http/1.1', '',
    'HTTP/1.1 ', 'HTTP/1.1\0', 'HTTPS/1.1', 'RTSP/1.0', 'ICE/1.0', nastyText(random)
  ])
}

function breakHost (request: RequestParts, random: Random): void {
  const { fields } = request
  const value = random.pick([
    '', ' ', 'a b', 'localhost:99999', 'localhost:', ':80', '[::1', '::1', '[fe80::1%25eth0]', '@localhost',
    'evil.example', 'localhost.evil.example', 'evil.example/@localhost', 'localhost\t', '127.0.0.1.',
    '%6cocalhost', 'a'.repeat(256), 'LOCALHOST', '0', '127.1', nastyText(random)
  ])
  if (random.chance(0.2)) fields.shift()
  else if (random.chance(0.3)) fields.push([random.pick(['Host', 'host', 'HOST']), value])
  else fields[0] = ['Host', value]
}

function breakField ({ fields }: RequestParts, random: Random): void {
  const name = random.pick([
    'X-Fuzz', 'Accept', 'Accept-Encoding', 'Connection', 'Content-Type', 'Origin', 'Referer',
    'Keep-Alive', 'Proxy-Connection', 'TE', 'Trailer', 'Via', 'Authorization', 'User-Agent', '__proto__',
    'constructor', '', ' X', 'X ', 'X\0', 'X:Y', '\xe9', 'x'.repeat(4000), nastyText(random)
  ])
  const value = random.pick([nastyText(random), 'a\0b', 'a\rb', '\x01', '\xff'.repeat(9), '', ' \t '])
  const count = random.pick([1, 1, 2, 101, 1200])
  for (let at = 0; at < count; at++) fields.push([name, value])
}

/** A browser never sends these; other clients may. */
function breakCookie ({ fields }: RequestParts, random: Random): void {
  const id = clientId(random)
  const cookie = random.pick([
    `client_id=${id}; client_id=${clientId(random)}`, 'client_id=', 'client_id', '=client_id',
    `client_id="${id}"`, `client_id = ${id}`, `CLIENT_ID=${id.toUpperCase()}`, `client_id=${id}x`,
    `client_id=${nastyText(random)}`, `a=b;client_id=${id};c`, `session_id=${SESSION_MARK}; session_id=x`,
    `session_id=${SESSION_MARK}x`, 'session_id=', `session_id=${'A'.repeat(43)}`, 'session_id=__proto__',
    `__Host-session_id=${SESSION_MARK}`, `session_id=${nastyText(random)}`, nastyText(random),
    `client_id=${'0'.repeat(5000)}`, `client_id=${id}; `.repeat(200), '; '.repeat(3000), 'a=b; '.repeat(2500)
  ])
  if (random.chance(0.5)) fields.splice(0, fields.length, fields[0] ?? ['Host', 'localhost'])
  fields.push(['Cookie', cookie])
}

function breakForwarded ({ fields }: RequestParts, random: Random): void {
  const breaks: ReadonlyArray<readonly [string, string]> = [
    ['X-Forwarded-For', nastyText(random)],
    ['X-Forwarded-For', `${nastyText(random)}, ${address(random)}`],
    ['X-Forwarded-For', Array.from({ length: 400 }, () => address(random)).join(',')],
    ['X-Forwarded-For', random.pick([',', ', ,', '127.0.0.1, 127.0.0.1', 'unknown', '[::1]:80', '1.2.3.4:5'])],
    ['X-Forwarded-Host', nastyText(random)],
    ['X-Forwarded-Host', random.pick(['evil.example', 'localhost, evil.example', 'evil.example:x', ','])],
    ['X-Forwarded-Proto', random.pick(['ftp', 'https, http', 'HTTPS', '', 'javascript', nastyText(random)])],
    ['X-Forwarded-Port', nastyNumber(random)],
    ['Forwarded', `for=${address(random)};host=evil.example;proto=https`]
  ]
  fields.push([...random.pick(breaks)])
}

function breakFetchFields ({ fields }: RequestParts, random: Random): void {
  const breaks: ReadonlyArray<readonly [string, string]> = [
    ['Origin', random.pick(['null', 'http://evil.example', 'http://localhost:1', 'http://', nastyText(random)])],
    ['Sec-Fetch-Site', random.pick(['cross-site', 'same-site', '', nastyText(random)])],
    ['Sec-Fetch-Mode', random.pick(['navigate', 'no-cors', nastyText(random)])],
    ['Authorization', random.pick(['Bearer', 'Bearer ', 'Bearer \xe9', `Bearer ${'x'.repeat(5000)}`, nastyText(random)])],
    ['Authorization', random.pick([
      `Bearer ${TOKEN_MARK}x`, `bearer ${TOKEN_MARK}`, `Bearer  ${TOKEN_MARK}`, `Bearer\t${TOKEN_MARK}`,
      `Bearer ${TOKEN_MARK}, Bearer ${TOKEN_MARK}`, `Basic ${TOKEN_MARK}`, TOKEN_MARK, 'Bearer usher_',
      `Bearer usher_${'A'.repeat(43)}`, `Bearer usher_${'x'.repeat(5000)}`, `Bearer usher_${nastyText(random)}`
    ])],
    ['Referer', nastyText(random)]
  ]
  fields.push([...random.pick(breaks)])
}

function breakCondition ({ fields }: RequestParts, random: Random): void {
  const breaks: ReadonlyArray<readonly [string, string]> = [
    ['Range', random.pick([
      'bytes=', 'bytes=-', 'bytes=-0', 'bytes=9-0', `bytes=${nastyNumber(random)}-`,
      `bytes=-${nastyNumber(random)}`, `bytes=0-${nastyNumber(random)}`, 'bytes=0-0,-1', 'bytes 0-1',
      `bytes=${'0-0,'.repeat(2000)}0-0`, 'lines=1-2', nastyText(random)
    ])],
    ['If-None-Match', random.pick(['"', 'W/', '""', ','.repeat(5000), '"a",'.repeat(2000), nastyText(random)])],
    ['If-Modified-Since', random.pick([
      'Sun, 31 Feb 2099 99:99:99 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', '0', '-1', nastyText(random)
    ])],
    ['If-Range', nastyText(random)],
    ['If-Match', random.pick(['*', '"a"', '', '*, "a"', '"a",'.repeat(2000), nastyText(random)])],
    ['If-Unmodified-Since', random.pick(['Thu, 01 Jan 1970 00:00:00 GMT', nastyText(random)])],
    ['Accept-Encoding', random.pick([
      'br;q=1.0001', 'br;q=', '*', ';q=1', 'gzip;q=0, *;q=0', 'gzip,'.repeat(2000), nastyText(random)
    ])]
  ]
  fields.push([...random.pick(breaks)])
}

/** Where no body belongs, one comes all the same. */
function breakBody (request: RequestParts, random: Random): void {
  const { fields, route } = request
  const body = route?.body ?? { userId: 'client', reason: 'reason' }
  const types = fields.filter(([name]) => name === 'Content-Type')
  if (random.chance(0.2)) {
    for (const type of types) type[1] = contentType(random)
  } else if (types[0]?.[1].includes('form') === true) {
    request.body = brokenFormBody(body, random)
    return
  }
  if (types.length === 0 && random.chance(0.5)) fields.push(['Content-Type', 'application/json'])
  const isBroken = random.chance(0.9)
  request.body = isBroken ? brokenJsonBody(body, random) : jsonBody(body, random)
}

function contentType (random: Random): string {
  return random.pick([
    'application/json; charset=utf-8', 'application/json;', 'APPLICATION/JSON', 'application/json, text/plain',
    'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp',
    'application/json; charset=utf-16', '', '/', 'application/__proto__', nastyText(random)
  ])
}

function askForMore ({ fields }: RequestParts, random: Random): void {
  fields.push([...random.pick<readonly [string, string]>([
    ['Expect', '100-continue'], ['Expect', '100-Continue, x'], ['Expect', nastyText(random)],
    ['Upgrade', 'websocket'], ['Upgrade', 'h2c'], ['Connection', 'Upgrade'],
    ['Connection', 'close, keep-alive'], ['Connection', 'close'], ['Connection', 'keep-alive']
  ])])
}
