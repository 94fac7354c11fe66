/**
 * Requests as parts, so that one part of them can be broken: whole ones as a browser, a page or a
 * script would send them to each port. Pure.
 */
import type { Random } from '../kit/random.ts'
import { PORT_MARKS, SESSION_MARK, TOKEN_MARK, type Asked } from './inputs.ts'
import { formBody, jsonBody } from './json-bodies.ts'
import { MONITOR_ROUTES, type MonitorRoute, type ParameterKind } from './monitor-routes.ts'
import { address, clientId, ticket } from './nasty-values.ts'

export interface RequestParts {
  method: string
  path: string
  /** Names and values as they are sent. */
  query: Array<[name: string, value: string]>
  version: string
  fields: Array<[name: string, value: string]>
  /** Bytes as Latin-1; its length is announced, or it is sent in chunks. */
  body: string
  isChunked: boolean
  /** Set where the monitor takes one. */
  route: MonitorRoute | undefined
}

const HOSTS = ['localhost', '127.0.0.1', '[::1]', 'shop.example', 'localhost:80']
const PAGES = [
  '/', '/index.html', '/large.txt', '/style.css', '/deep/page.html', '/deep/', '/deep', '/usher.js',
  '/picture.png', '/missing', '/caf%C3%A9.html', '/with%20blank.txt', '/.env', '/link.txt', '/up/'
]
/** GET most of the time: the other ports answer few others. */
const HEAD_SHARE = 0.15
/** Of requests with a session: as many are a program's. */
const TOKEN_SHARE = 0.2
/** Of requests for pages. */
const TICKET_SHARE = 0.2
const BEAT_METHODS = ['GET', 'GET', 'POST', 'POST', 'HEAD', 'OPTIONS']

/** What browsers say of why they ask, and what nobody says. */
const PURPOSES = ['prefetch', 'prefetch;prerender', 'prefetch;anonymous-client-ip', 'preview', '', ';', 'x'.repeat(300)]
const DESTINATIONS = ['document', 'iframe', 'image', 'manifest', 'empty', 'serviceworker', 'none', '']
const MODES = ['navigate', 'no-cors', 'cors', 'same-origin', 'websocket', '']
const SITES = ['none', 'same-origin', 'same-site', 'cross-site', 'cross-site, none', '']
/** Of pages, ours and others, behind the scheme. */
const PAGE_HOSTS = [
  ...HOSTS, 'page.example', 'page.example', 'localhost:10001', 'evil.example', 'localhost.', 'LOCALHOST:1', 'a@localhost', '[::1', '', 'localhost, evil.example'
]

export function wholeRequest (to: Asked, random: Random): RequestParts {
  if (to === 'router') return routerRequest(random)
  if (to === 'decision') return decisionRequest(random)
  return to === 'server' ? serverRequest(random) : monitorRequest(to, random)
}

/** @returns the bytes of the request, as Latin-1 */
export function wireOf (request: RequestParts): string {
  const { method, path, query, version, fields, body, isChunked } = request
  const pairs = query.map(pair => pair.join('=')).join('&')
  const target = query.length === 0 ? path : `${path}?${pairs}`
  const lines = [`${method} ${target} ${version}`, ...fields.map(field => field.join(': '))]
  const head = `${lines.join('\r\n')}\r\n`
  if (isChunked) return `${head}Transfer-Encoding: chunked\r\n\r\n${chunksOf(body)}`
  const length = body === '' && method !== 'POST' ? '' : `Content-Length: ${body.length}\r\n`
  return `${head}${length}\r\n${body}`
}

/** Without an empty line within: the requests of an input are counted by them. */
function chunksOf (body: string): string {
  const chunks = body.match(/[^]{1,4000}/g) ?? []
  return [...chunks, ''].map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
}

function routerRequest (random: Random): RequestParts {
  const request = plainRequest(random)
  request.path = random.pick(
    ['/', '/a/b', '/heartbeat', '/leave', '/usher.js', '//double', '/%41', '/a;b=c', '/healthz', '/logo.png',
      '/.well-known/jwks.json'])
  if (random.chance(TICKET_SHARE)) request.query.push(['usher_ticket', ticket(random)])
  if (random.chance(0.4)) request.query.push(['client_id', clientId(random)])
  if (request.path === '/heartbeat') request.method = random.pick(BEAT_METHODS)
  if (request.path === '/leave') request.method = random.pick(['GET', 'POST', 'POST', 'OPTIONS'])
  if (['/heartbeat', '/leave'].includes(request.path)) request.query.push(...ofServer(random))
  request.fields.push(...reasons(random))
  return request
}

/** What a page of another program says in the query, and what it never does. */
function ofServer (random: Random): Array<[string, string]> {
  const all: ReadonlyArray<() => [string, string]> = [
    () => ['server', random.pick([...PORT_MARKS, ...PORT_MARKS, 'shop-a', '', '%00', 'x'.repeat(300)])],
    () => ['server', random.pick(PORT_MARKS)],
    () => ['ticket', ticket(random)],
    () => ['page', ''],
    () => ['servers', '']
  ]
  const chances = [0.8, 0.1, 0.3, 0.4, 0.2]
  return all.filter((_, at) => random.chance(chances[at]!)).map(pair => pair())
}

function serverRequest (random: Random): RequestParts {
  const request = plainRequest(random)
  const what = random.below(4)
  if (what === 0) {
    request.path = random.chance(0.9) ? '/heartbeat' : '/healthz'
    if (random.chance(0.5)) request.query.push(['client_id', clientId(random)])
    if (random.chance(0.2)) request.query.push(['servers', ''])
    request.method = random.pick(BEAT_METHODS)
  } else if (what === 1) {
    request.path = '/leave'
    request.method = 'POST'
    if (random.chance(0.7)) request.query.push(['client_id', clientId(random)])
    if (random.chance(0.5)) request.query.push(['page', ''])
    request.body = random.pick(['', 'bye', 'x'.repeat(1024)])
    request.isChunked = random.chance(0.2)
  } else {
    request.path = random.pick(PAGES)
    if (random.chance(TICKET_SHARE)) request.query.push(['usher_ticket', ticket(random)])
    request.fields.push(...conditions(random))
  }
  request.fields.push(...reasons(random))
  return request
}

/** As proxies forward heads: of what visitors ask for, also of what is no target. */
function decisionRequest (random: Random): RequestParts {
  const request = plainRequest(random)
  request.path = random.chance(0.9) ? '/decide' : random.pick(['/healthz', '/', '/decide/', '/refusal'])
  if (random.chance(0.4)) request.query.push(['full', random.pick(['401', '403', '503', '500', ''])])
  const target = random.pick([
    ...PAGES, `/heartbeat?client_id=${clientId(random)}`, '*', 'a b', '', '//evil.example/',
    'http://evil.example/a?b', `/?${'x'.repeat(300)}`
  ])
  const uri = random.pick(['X-Original-URI', 'X-Forwarded-Uri'])
  if (random.chance(0.8)) request.fields.push([uri, target])
  if (random.chance(0.5)) {
    request.fields.push(['X-Forwarded-Method', random.pick([...BEAT_METHODS, 'PUT', 'TRACE', 'x'])])
  }
  request.fields.push(...reasons(random))
  return request
}

/** What says whether a person opens a page, and whether the page that asks is ours. */
function reasons (random: Random): Array<[string, string]> {
  const page = (end: string): string => `${random.pick(['http', 'https', 'ftp', ''])}://${random.pick(PAGE_HOSTS)}${end}`
  const all: ReadonlyArray<() => [string, string]> = [
    () => ['Sec-Purpose', random.pick(PURPOSES)],
    () => ['Purpose', random.pick(PURPOSES)],
    () => ['X-Moz', random.pick(PURPOSES)],
    () => ['X-Purpose', random.pick(PURPOSES)],
    () => ['Sec-Fetch-Dest', random.pick(DESTINATIONS)],
    () => ['Sec-Fetch-Mode', random.pick(MODES)],
    () => ['Sec-Fetch-Site', random.pick(SITES)],
    () => ['Origin', random.chance(0.2) ? 'null' : page('')],
    () => ['Referer', random.chance(0.2) ? 'about:blank' : page(random.pick(['', '/', '/a?b=c', '?a', '#a']))]
  ]
  return all.filter(() => random.chance(0.15)).map(field => field())
}

function conditions (random: Random): Array<[string, string]> {
  const all: ReadonlyArray<[string, string]> = [
    ['Accept-Encoding', random.pick(['gzip, deflate, br', 'br;q=0.5, gzip', 'identity', '*;q=0'])],
    ['If-None-Match', random.pick(['*', '"abc"', 'W/"abc", "def"'])],
    ['If-Modified-Since', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['If-Range', '"abc"'],
    ['Range', random.pick(['bytes=0-9', 'bytes=-5', 'bytes=5-', 'bytes=0-0,2-3'])]
  ]
  return all.filter(() => random.chance(0.3))
}

function monitorRequest (to: Asked, random: Random): RequestParts {
  const route = pickRoute(random)
  const request: RequestParts = { ...plainRequest(random), ...route, query: [], body: '', route }
  const parameters = Object.entries(route.query ?? {}).filter(() => random.chance(0.5))
  request.query = parameters.map(([name, kind]) => [name, parameterText(kind, random)])
  if (route.method === 'GET' && random.chance(HEAD_SHARE)) request.method = 'HEAD'
  if (to !== 'monitor') {
    request.fields.push(random.chance(TOKEN_SHARE)
      ? ['Authorization', `Bearer ${TOKEN_MARK}`]
      : ['Cookie', `session_id=${SESSION_MARK}`])
  }
  if (route.body === undefined) return request
  const isForm = route.takesForm === true && random.chance(0.3)
  request.body = isForm ? formBody(route.body, random) : jsonBody(route.body, random)
  request.fields.push([
    'Content-Type', isForm ? 'application/x-www-form-urlencoded' : 'application/json'
  ])
  const host = request.fields.find(([name]) => name === 'Host')![1]
  if (isForm || random.chance(0.3)) request.fields.push(['Origin', `http://${host}`])
  if (random.chance(0.1)) request.fields.push(['Sec-Fetch-Site', random.pick(SITES)])
  request.isChunked = random.chance(0.1)
  return request
}

const weights = MONITOR_ROUTES.map(({ weight = 1 }) => weight)
const weightInAll = weights.reduce((sum, weight) => sum + weight, 0)

function pickRoute (random: Random): MonitorRoute {
  const GRAINS = 1_000_000
  let left = random.below(GRAINS) / GRAINS * weightInAll
  return MONITOR_ROUTES.find((_route, at) => (left -= weights[at]!) < 0) ?? MONITOR_ROUTES[0]!
}

function parameterText (kind: ParameterKind, random: Random): string {
  switch (kind) {
    case 'count': return random.pick(['1', '10', '100', '1000'])
    case 'text': return random.pick(['a', 'fuzz', 'denied', 'caf%C3%A9', '%F0%9F%9A%AB'])
    case 'client': return clientId(random).slice(0, random.pick([1, 4, 36]))
    case 'address': return address(random)
    case 'port': return random.pick(['10001', '10002', '10003'])
    case 'sort': return random.pick(['place', 'last_seen', 'first_seen'])
    case 'cursor': return random.pick(['1', '20', '0-0', '12345678'])
  }
}

/** GET / with what a browser sends along. */
function plainRequest (random: Random): RequestParts {
  const fields: Array<[string, string]> = [['Host', random.pick(HOSTS)]]
  if (random.chance(0.5)) fields.push(['Cookie', `client_id=${clientId(random)}`])
  if (random.chance(0.3)) fields.push(['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) fuzz'])
  if (random.chance(0.2)) fields.push(['X-Forwarded-For', address(random)])
  if (random.chance(0.1)) fields.push(['X-Forwarded-Host', 'shop.example'])
  if (random.chance(0.1)) fields.push(['X-Forwarded-Proto', random.pick(['http', 'https'])])
  return {
    method: random.chance(HEAD_SHARE) ? 'HEAD' : 'GET',
    path: '/',
    query: [],
    version: random.chance(0.05) ? 'HTTP/1.0' : 'HTTP/1.1',
    fields,
    body: '',
    isChunked: false,
    route: undefined
  }
}
