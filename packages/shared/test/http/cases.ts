/**
 * HTTP as data: bytes in, statuses out, and whether the connection is kept. Each line is a test of
 * its own, for every door that speaks HTTP. Add yours: `bytes` goes out as it stands (use \r\n),
 * `seen` lists what a handler may get to see of it, and nothing else may be read as a request.
 */
export interface HttpCase {
  readonly name: string
  readonly bytes: string
  /** One for each reply, in order. */
  readonly statuses: readonly number[]
  /** True when the connection serves another request afterwards. */
  readonly isKept: boolean
  /** Method and target of each request that reaches the handler; by default none unless 200. */
  readonly seen?: readonly string[]
  /** Whether the request is HEAD, so that no body follows. */
  readonly isHead?: boolean
  /** Header fields of the last reply that the case is about. */
  readonly headers?: Readonly<Record<string, string>>
}

const HOST = 'Host: example.org\r\n'
/** What follows a refused request and must never be read as one. */
const SECOND = `GET /second HTTP/1.1\r\n${HOST}\r\n`

/** A head with the given fields besides Host, and no body. */
function get (fields: string, target = '/'): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${fields}\r\n`
}

function post (fields: string, body: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`
}

/** A refusal: the status, the end of the connection, and nothing read behind it. */
function refused (status: number, name: string, bytes: string, headers = {}): HttpCase {
  return { name, bytes: bytes + SECOND, statuses: [status], isKept: false, seen: [], headers }
}

function accepted (name: string, bytes: string, seen = ['GET /']): HttpCase {
  return { name, bytes, statuses: seen.map(() => 200), isKept: true, seen }
}

export const VALID: readonly HttpCase[] = [
  accepted('a plain request', get('')),
  accepted('fields of any case and spacing', 'GET / HTTP/1.1\r\nhOST:example.org \r\nX:\t1\r\n\r\n'),
  accepted('an empty field value', get('X-Empty:\r\n')),
  accepted('a port in Host', 'GET / HTTP/1.1\r\nHost: example.org:8080\r\n\r\n'),
  accepted('an IPv6 Host', 'GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n'),
  accepted('empty lines before the request line', `\r\n\r\n${get('')}`),
  accepted('a query', get('', '/a?b=c&d'), ['GET /a?b=c&d']),
  accepted('characters that browsers do not escape', get('', '/a|b?c={d}^[e]'), ['GET /a|b?c={d}^[e]']),
  accepted('two slashes as a path', get('', '//example.com/'), ['GET //example.com/']),
  accepted('an absolute target', get('', 'http://example.com/a?b'), ['GET /a?b']),
  accepted('an absolute target without a path', get('', 'HTTP://example.com?b'), ['GET /?b']),
  accepted('OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, ['OPTIONS /']),
  accepted('a body with a length', post('Content-Length: 3\r\n', 'abc'), ['POST /']),
  accepted('a body of length 0', post('Content-Length: 0\r\n', ''), ['POST /']),
  accepted('a body in chunks', post('Transfer-Encoding: Chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'), ['POST /']),
  accepted(
    'a body in chunks with a trailer',
    post('Transfer-Encoding: chunked\r\n', '3;x=y\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n'), ['POST /']
  ),
  accepted('a body of the longest length', post('Content-Length: 1024\r\n', 'x'.repeat(1024)), ['POST /']),
  accepted('a GET with a body', get('Content-Length: 3\r\n') + 'abc'),
  accepted('two requests at once', get('', '/1') + get('', '/2'), ['GET /1', 'GET /2']),
  accepted(
    'a body and a request at once',
    post('Content-Length: 3\r\n', 'abc') + get('', '/2'), ['POST /', 'GET /2']
  ),
  accepted('100 header lines', get('X: 1\r\n'.repeat(99))),
  accepted('a head of 16 KiB', headOf(16_384)),
  { ...accepted('HEAD', `HEAD / HTTP/1.1\r\n${HOST}\r\n`, ['HEAD /']), isHead: true },
  {
    name: 'a request that closes the connection',
    bytes: get('Connection: close\r\n'),
    statuses: [200],
    isKept: false,
    seen: ['GET /'],
    headers: { connection: 'close' }
  },
  {
    name: 'a request behind one that closes the connection is not read',
    bytes: get('Connection: close\r\n') + SECOND,
    statuses: [200],
    isKept: false,
    seen: ['GET /']
  },
  {
    name: 'an upgrade, ignored, and a request at once, not read',
    bytes: get('Connection: upgrade\r\nUpgrade: h2c\r\n') + SECOND,
    statuses: [200],
    isKept: false,
    seen: ['GET /'],
    headers: { connection: 'close' }
  },
  {
    name: 'HTTP/1.0 without Host',
    bytes: 'GET / HTTP/1.0\r\n\r\n',
    statuses: [200],
    isKept: false,
    seen: ['GET /']
  },
  {
    name: 'HTTP/1.0 with an expectation, ignored',
    bytes: 'GET / HTTP/1.0\r\nExpect: miracles\r\n\r\n',
    statuses: [200],
    isKept: false,
    seen: ['GET /']
  },
  {
    name: 'HTTP/1.0 that keeps the connection',
    bytes: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    statuses: [200],
    isKept: true,
    seen: ['GET /']
  },
  {
    name: 'an expectation of 100 Continue',
    bytes: post('Content-Length: 3\r\nExpect: 100-Continue\r\n', 'abc'),
    statuses: [100, 200],
    isKept: true,
    seen: ['POST /']
  }
]

export const REFUSED: readonly HttpCase[] = [
  refused(400, 'no Host', 'GET / HTTP/1.1\r\n\r\n'),
  refused(400, 'two Hosts', get(HOST)),
  refused(400, 'two different Hosts', get('Host: example.com\r\n')),
  refused(400, 'two Hosts in HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`),
  refused(400, 'an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  refused(400, 'an empty Host in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: \r\n\r\n'),
  refused(400, 'a Host with a path', 'GET / HTTP/1.1\r\nHost: example.org/a\r\n\r\n'),
  refused(400, 'a Host with userinfo', 'GET / HTTP/1.1\r\nHost: a@example.org\r\n\r\n'),
  refused(400, 'a Host with a space', 'GET / HTTP/1.1\r\nHost: example org\r\n\r\n'),
  refused(400, 'a Host that is a list', 'GET / HTTP/1.1\r\nHost: a.org, b org\r\n\r\n'),
  refused(400, 'a Host with a bad port', 'GET / HTTP/1.1\r\nHost: example.org:65536\r\n\r\n'),

  refused(505, 'HTTP/2.0', `GET / HTTP/2.0\r\n${HOST}\r\n`),
  refused(505, 'HTTP/3.0', `GET / HTTP/3.0\r\n${HOST}\r\n`),
  refused(505, 'HTTP/1.2', `GET / HTTP/1.2\r\n${HOST}\r\n`),
  refused(505, 'the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  refused(400, 'no version', `GET /\r\n${HOST}\r\n`),
  refused(400, 'no version and no fields', 'GET /\r\n\r\n'),
  refused(400, 'a protocol that is not HTTP', `GET / ICE/1.0\r\n${HOST}\r\n`),
  refused(400, 'a protocol in lower case', `GET / http/1.1\r\n${HOST}\r\n`),
  refused(400, 'garbage', 'garbage\r\n\r\n'),
  refused(400, 'a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),

  refused(501, 'a method that nobody knows', `BREW / HTTP/1.1\r\n${HOST}\r\n`),
  refused(501, 'a method in lower case', `get / HTTP/1.1\r\n${HOST}\r\n`),
  refused(400, 'a method that is no token', `G@T / HTTP/1.1\r\n${HOST}\r\n`),
  refused(405, 'TRACE', `TRACE / HTTP/1.1\r\n${HOST}\r\n`, { allow: 'GET, HEAD, POST' }),
  refused(405, 'CONNECT', `CONNECT example.org:443 HTTP/1.1\r\n${HOST}\r\n`, { allow: 'GET, HEAD, POST' }),

  refused(400, 'GET *', get('', '*')),
  refused(400, 'a target without a slash', get('', 'a')),
  refused(400, 'a target with a fragment', get('', '/a#b')),
  refused(400, 'a target with a byte past ASCII', get('', '/\xe9')),
  refused(400, 'a target with a control character', get('', '/\x07')),
  refused(400, 'a target with a space', get('', '/a b')),
  refused(400, 'a target with a quote', get('', '/"')),
  refused(400, 'a target with angle brackets', get('', '/<a>')),
  refused(400, 'an absolute target of another scheme', get('', 'ftp://example.org/')),
  refused(400, 'an absolute target with userinfo', get('', 'http://a:b@example.org/')),
  refused(400, 'an absolute target without a host', get('', 'http:///a')),
  refused(400, 'an absolute target without Host', 'GET http://example.org/ HTTP/1.1\r\n\r\n'),

  refused(400, 'an empty Transfer-Encoding', post('Transfer-Encoding:\r\n', '')),
  refused(400, 'a body whose last coding is not chunked', post('Transfer-Encoding: gzip\r\n', '')),
  refused(400, 'identity', post('Transfer-Encoding: identity\r\n', '')),
  refused(501, 'a coding we do not know', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')),
  refused(400, 'chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')),
  refused(400, 'two lines of chunked', post('Transfer-Encoding: chunked\r\n'.repeat(2), '0\r\n\r\n')),
  refused(400, 'chunked that is not quite', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')),
  refused(400, 'chunked with a parameter', post('Transfer-Encoding: chunked;a=b\r\n', '0\r\n\r\n')),
  refused(
    400, 'chunked in HTTP/1.0',
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
  ),
  refused(
    400, 'chunked and a length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n')
  ),
  refused(
    400, 'a length and chunked',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')
  ),
  refused(400, 'a chunk size that is no number', post('Transfer-Encoding: chunked\r\n', 'x\r\n\r\n')),
  refused(400, 'a chunk size with a sign', post('Transfer-Encoding: chunked\r\n', '+3\r\nabc\r\n0\r\n\r\n')),
  refused(
    400, 'a chunk longer than it says',
    post('Transfer-Encoding: chunked\r\n', '3\r\nabcd\r\n0\r\n\r\n')
  ),

  refused(400, 'two different lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd')),
  refused(400, 'two equal lengths', post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')),
  refused(400, 'a list of lengths', post('Content-Length: 3, 3\r\n', 'abc')),
  refused(400, 'a negative length', post('Content-Length: -3\r\n', 'abc')),
  refused(400, 'a length with a sign', post('Content-Length: +3\r\n', 'abc')),
  refused(400, 'a length in hex', post('Content-Length: 0x3\r\n', 'abc')),
  refused(400, 'an empty length', post('Content-Length:\r\n', '')),
  refused(400, 'a length past all numbers', post(`Content-Length: ${'9'.repeat(30)}\r\n`, 'abc')),
  refused(413, 'a length over the limit', post('Content-Length: 1025\r\n', 'x'.repeat(1025))),
  refused(413, 'chunks over the limit', post('Transfer-Encoding: chunked\r\n', `401\r\n${'x'.repeat(1025)}\r\n0\r\n\r\n`)),

  refused(417, 'an expectation we do not know', post('Content-Length: 3\r\nExpect: miracles\r\n', 'abc')),
  refused(417, 'an expectation among others', get('Expect: 100-continue, miracles\r\n')),
  refused(413, 'a body over the limit that waits for 100 Continue', post('Content-Length: 1025\r\nExpect: 100-continue\r\n', '')),

  refused(400, 'a space before the colon', get('X : 1\r\n')),
  refused(400, 'a space before the first field', 'GET / HTTP/1.1\r\n Host: example.org\r\n\r\n'),
  refused(400, 'a folded line', get('X: 1\r\n 2\r\n')),
  refused(400, 'a field without a name', get(': 1\r\n')),
  refused(400, 'a field without a colon', get('X\r\n')),
  refused(400, 'a name that is no token', get('X(Y): 1\r\n')),
  refused(400, 'a NUL in a value', get('X: a\x00b\r\n')),
  refused(400, 'a control character in a value', get('X: a\x01b\r\n')),
  refused(400, 'a bare CR in a value', get('X: a\rb\r\n')),
  refused(431, '101 header lines', get('X: 1\r\n'.repeat(100))),
  refused(431, '2,000 header lines', get('X:1\r\n'.repeat(2000))),
  refused(431, 'a head a byte over 16 KiB', headOf(16_385)),
  refused(431, 'a target over 16 KiB', get('', `/${'a'.repeat(17_000)}`)),
  refused(431, 'a field over 16 KiB', get(`Cookie: ${'a'.repeat(17_000)}\r\n`)),
  {
    name: 'garbage behind a request',
    bytes: `${get('', '/1')}garbage\r\n\r\n${SECOND}`,
    statuses: [200, 400],
    isKept: false,
    seen: ['GET /1']
  },
  {
    name: 'a refusal behind two requests',
    bytes: `${get('', '/1')}${get('', '/2')}${get(HOST)}${SECOND}`,
    statuses: [200, 200, 400],
    isKept: false,
    seen: ['GET /1', 'GET /2']
  },
  {
    name: 'HEAD, refused',
    bytes: `HEAD / HTTP/1.1\r\n\r\n${SECOND}`,
    statuses: [400],
    isKept: false,
    seen: [],
    isHead: true
  }
]

/** A request whose head, with its empty line, has exactly so many bytes. */
function headOf (bytes: number): string {
  const bare = get('X: \r\n').length
  return get(`X: ${'a'.repeat(bytes - bare)}\r\n`)
}
