/**
 * What can be wrong about a request, part by part: method, target, fields, cookies, body. How it is
 * framed is in framing-breaks.ts. Each changes the parts that it is given. Pure.
 */
import type { Choices } from './choices.ts'
import { SESSION_MARK } from './inputs.ts'
import { brokenFormBody, brokenJsonBody, jsonBody } from './json-bodies.ts'
import { address, clientId, nastyNumber, nastyText } from './nasty-values.ts'
import type { RequestParts } from './request-parts.ts'

export type PartBreak = (request: RequestParts, choices: Choices) => void

export const PART_BREAKS: readonly PartBreak[] = [
  breakMethod, breakPath, breakQuery, breakQuery, breakVersion, breakHost, breakField, breakField,
  breakCookie, breakCookie, breakForwarded, breakFetchFields, breakCondition, breakBody, breakBody,
  breakBody, askForMore
]

function breakMethod (request: RequestParts, choices: Choices): void {
  request.method = choices.pick([
    'get', 'G', '', 'TRACE', 'CONNECT', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'PRI', 'PROPFIND',
    'POST', 'HEAD', 'GET ', 'G\0T', 'G\xcbT', 'X'.repeat(300), 'M-SEARCH', '__proto__', nastyText(choices)
  ])
}

function breakPath (request: RequestParts, choices: Choices): void {
  const { path } = request
  const at = choices.between(0, path.length)
  request.path = choices.pick([
    nastyText(choices), `/${nastyText(choices)}`, `${path}${nastyText(choices)}`,
    path.slice(0, at) + nastyText(choices) + path.slice(at), '*', '', path.slice(1),
    `http://localhost${path}`, `http://evil.example${path}`, `https://localhost:99999${path}`,
    `http://user@localhost${path}`, `http://${path}`, `//evil.example${path}`, '\\\\evil.example',
    '/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/%2e%2e%5csecret.txt',
    '/up/secret.txt', '/%2eenv', '/.git/config', '/%', '/%e0%a4%a', '/%00', `${path}%00.html`,
    path.replace(/\/[^/]*$/, '/../$&'), path.toUpperCase(), path.replaceAll('/', '//'), `${path}/`,
    '/servers/0/drain', '/servers/99999/ready', `/servers/${nastyText(choices)}/drain`
  ])
}

function breakQuery ({ query, route }: RequestParts, choices: Choices): void {
  const known = Object.keys(route?.query ?? { client_id: '', servers: '' })
  const name = choices.pick([...known, 'client_id', '__proto__', 'a', '', 'q[]', 'q[a]'])
  const value = choices.pick([nastyText(choices), nastyNumber(choices), clientId(choices)])
  const many = choices.pick([2, 101, 1001])
  const breaks: ReadonlyArray<() => void> = [
    () => { query.push([name, value]) },
    () => { query.push([name, value], [name, value]) },
    () => { query.splice(0, query.length, [name, value]) },
    () => { for (let at = 0; at < many; at++) query.push([name, '1']) },
    () => { for (let at = 0; at < many / 10; at++) query.push(['address', address(choices)]) },
    () => { query.push([`${name}?${name}`, `${value}#${value}`]) }
  ]
  choices.pick(breaks)()
}

function breakVersion (request: RequestParts, choices: Choices): void {
  request.version = choices.pick([
    'HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/2', 'HTTP/1.', 'HTTP/11.1', 'http/1.1', '',
    'HTTP/1.1 ', 'HTTP/1.1\0', 'HTTPS/1.1', 'RTSP/1.0', 'ICE/1.0', nastyText(choices)
  ])
}

function breakHost (request: RequestParts, choices: Choices): void {
  const { fields } = request
  const value = choices.pick([
    '', ' ', 'a b', 'localhost:99999', 'localhost:', ':80', '[::1', '::1', '[fe80::1%25eth0]', '@localhost',
    'evil.example', 'localhost.evil.example', 'evil.example/@localhost', 'localhost\t', '127.0.0.1.',
    '%6cocalhost', 'a'.repeat(256), 'LOCALHOST', '0', '127.1', nastyText(choices)
  ])
  if (choices.chance(0.2)) fields.shift()
  else if (choices.chance(0.3)) fields.push([choices.pick(['Host', 'host', 'HOST']), value])
  else fields[0] = ['Host', value]
}

function breakField ({ fields }: RequestParts, choices: Choices): void {
  const name = choices.pick([
    'X-Fuzz', 'Accept', 'Accept-Encoding', 'Connection', 'Content-Type', 'Origin', 'Referer',
    'Keep-Alive', 'Proxy-Connection', 'TE', 'Trailer', 'Via', 'Authorization', 'User-Agent', '__proto__',
    'constructor', '', ' X', 'X ', 'X\0', 'X:Y', '\xe9', 'x'.repeat(4000), nastyText(choices)
  ])
  const value = choices.pick([nastyText(choices), 'a\0b', 'a\rb', '\x01', '\xff'.repeat(9), '', ' \t '])
  const count = choices.pick([1, 1, 2, 101, 1200])
  for (let at = 0; at < count; at++) fields.push([name, value])
}

/** A browser never sends these; whoever writes their own client does. */
function breakCookie ({ fields }: RequestParts, choices: Choices): void {
  const id = clientId(choices)
  const cookie = choices.pick([
    `client_id=${id}; client_id=${clientId(choices)}`, 'client_id=', 'client_id', '=client_id',
    `client_id="${id}"`, `client_id = ${id}`, `CLIENT_ID=${id.toUpperCase()}`, `client_id=${id}x`,
    `client_id=${nastyText(choices)}`, `a=b;client_id=${id};c`, `session_id=${SESSION_MARK}; session_id=x`,
    `session_id=${SESSION_MARK}x`, 'session_id=', `session_id=${'A'.repeat(43)}`, 'session_id=__proto__',
    `__Host-session_id=${SESSION_MARK}`, `session_id=${nastyText(choices)}`, nastyText(choices),
    `client_id=${'0'.repeat(5000)}`, `client_id=${id}; `.repeat(200), '; '.repeat(3000), 'a=b; '.repeat(2500)
  ])
  if (choices.chance(0.5)) fields.splice(0, fields.length, fields[0] ?? ['Host', 'localhost'])
  fields.push(['Cookie', cookie])
}

function breakForwarded ({ fields }: RequestParts, choices: Choices): void {
  const breaks: ReadonlyArray<readonly [string, string]> = [
    ['X-Forwarded-For', nastyText(choices)],
    ['X-Forwarded-For', `${nastyText(choices)}, ${address(choices)}`],
    ['X-Forwarded-For', Array.from({ length: 400 }, () => address(choices)).join(',')],
    ['X-Forwarded-For', choices.pick([',', ', ,', '127.0.0.1, 127.0.0.1', 'unknown', '[::1]:80', '1.2.3.4:5'])],
    ['X-Forwarded-Host', nastyText(choices)],
    ['X-Forwarded-Host', choices.pick(['evil.example', 'localhost, evil.example', 'evil.example:x', ','])],
    ['X-Forwarded-Proto', choices.pick(['ftp', 'https, http', 'HTTPS', '', 'javascript', nastyText(choices)])],
    ['X-Forwarded-Port', nastyNumber(choices)],
    ['Forwarded', `for=${address(choices)};host=evil.example;proto=https`]
  ]
  fields.push([...choices.pick(breaks)])
}

function breakFetchFields ({ fields }: RequestParts, choices: Choices): void {
  const breaks: ReadonlyArray<readonly [string, string]> = [
    ['Origin', choices.pick(['null', 'http://evil.example', 'http://localhost:1', 'http://', nastyText(choices)])],
    ['Sec-Fetch-Site', choices.pick(['cross-site', 'same-site', '', nastyText(choices)])],
    ['Sec-Fetch-Mode', choices.pick(['navigate', 'no-cors', nastyText(choices)])],
    ['Authorization', choices.pick(['Bearer', 'Bearer ', 'Bearer \xe9', `Bearer ${'x'.repeat(5000)}`, nastyText(choices)])],
    ['Referer', nastyText(choices)]
  ]
  fields.push([...choices.pick(breaks)])
}

function breakCondition ({ fields }: RequestParts, choices: Choices): void {
  const breaks: ReadonlyArray<readonly [string, string]> = [
    ['Range', choices.pick([
      'bytes=', 'bytes=-', 'bytes=-0', 'bytes=9-0', `bytes=${nastyNumber(choices)}-`,
      `bytes=-${nastyNumber(choices)}`, `bytes=0-${nastyNumber(choices)}`, 'bytes=0-0,-1', 'bytes 0-1',
      `bytes=${'0-0,'.repeat(2000)}0-0`, 'lines=1-2', nastyText(choices)
    ])],
    ['If-None-Match', choices.pick(['"', 'W/', '""', ','.repeat(5000), '"a",'.repeat(2000), nastyText(choices)])],
    ['If-Modified-Since', choices.pick([
      'Sun, 31 Feb 2099 99:99:99 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', '0', '-1', nastyText(choices)
    ])],
    ['If-Range', nastyText(choices)],
    ['If-Match', choices.pick(['*', '"a"', '', '*, "a"', '"a",'.repeat(2000), nastyText(choices)])],
    ['If-Unmodified-Since', choices.pick(['Thu, 01 Jan 1970 00:00:00 GMT', nastyText(choices)])],
    ['Accept-Encoding', choices.pick([
      'br;q=1.0001', 'br;q=', '*', ';q=1', 'gzip;q=0, *;q=0', 'gzip,'.repeat(2000), nastyText(choices)
    ])]
  ]
  fields.push([...choices.pick(breaks)])
}

/** Where no body belongs, one comes all the same. */
function breakBody (request: RequestParts, choices: Choices): void {
  const { fields, route } = request
  const body = route?.body ?? { userId: 'client', reason: 'reason' }
  const types = fields.filter(([name]) => name === 'Content-Type')
  if (choices.chance(0.2)) {
    for (const type of types) type[1] = contentType(choices)
  } else if (types[0]?.[1].includes('form') === true) {
    request.body = brokenFormBody(body, choices)
    return
  }
  if (types.length === 0 && choices.chance(0.5)) fields.push(['Content-Type', 'application/json'])
  const isBroken = choices.chance(0.9)
  request.body = isBroken ? brokenJsonBody(body, choices) : jsonBody(body, choices)
}

function contentType (choices: Choices): string {
  return choices.pick([
    'application/json; charset=utf-8', 'application/json;', 'APPLICATION/JSON', 'application/json, text/plain',
    'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp',
    'application/json; charset=utf-16', '', '/', 'application/__proto__', nastyText(choices)
  ])
}

function askForMore ({ fields }: RequestParts, choices: Choices): void {
  fields.push([...choices.pick<readonly [string, string]>([
    ['Expect', '100-continue'], ['Expect', '100-Continue, x'], ['Expect', nastyText(choices)],
    ['Upgrade', 'websocket'], ['Upgrade', 'h2c'], ['Connection', 'Upgrade'],
    ['Connection', 'close, keep-alive'], ['Connection', 'close'], ['Connection', 'keep-alive']
  ])])
}
