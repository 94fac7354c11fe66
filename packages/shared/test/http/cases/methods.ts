/** Methods: known ones reach the handler, which says 405; unknown ones are 501. */
import { accepted, closing, get, HOST, refused, withLine, type HttpCase } from './http-case.ts'

/** What the parser knows besides the common ones. Each may have a body. */
const FURTHER = ['PUT', 'PATCH', 'DELETE', 'PROPFIND', 'REPORT', 'LOCK', 'PURGE', 'M-SEARCH', 'SOURCE']
/** Never methods of HTTP, here. */
const UNKNOWN = ['BREW', 'GETS', 'get', 'Get', 'gET', 'head', 'FOO-BAR', "!#$%&'*+-.^_`|~09"]
/** Methods of RTSP, which the parser knows and HTTP does not. */
const OF_RTSP = ['DESCRIBE', 'SETUP', 'PLAY', 'GET_PARAMETER', 'FLUSH']
const ALLOW = { headers: { allow: 'GET, HEAD, POST' } }

export const METHODS: readonly HttpCase[] = [
  { ...accepted('9110 9.3.2', 'HEAD', withLine('HEAD / HTTP/1.1\r\n'), ['HEAD /']), isHead: true },
  {
    ...closing('9110 9.3.2', 'HEAD that closes the connection', `HEAD / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, ['HEAD /']),
    isHead: true
  },
  accepted('9112 6.3', 'POST without a length has no body', withLine('POST / HTTP/1.1\r\n'), ['POST /']),
  ...FURTHER.map(method =>
    accepted('9110 15.5.6', method, withLine(`${method} / HTTP/1.1\r\n`), [`${method} /`])),
  ...FURTHER.map(method =>
    accepted('9112 6', `${method} with a body`, `${method} / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`, [`${method} /`])),

  ...UNKNOWN.map(method =>
    refused('9110 9.1', 501, `the method ${method}`, withLine(`${method} / HTTP/1.1\r\n`))),
  ...OF_RTSP.map(method =>
    refused('9110 9.1', 501, `the method ${method}`, withLine(`${method} / HTTP/1.1\r\n`))),
  refused('9110 9.1', 501, 'a method of 1,000 letters', withLine(`${'A'.repeat(1_000)} / HTTP/1.1\r\n`)),
  refused('9110 9.1', 501, 'an unknown method with a body', `BREW / HTTP/1.1\r\n${HOST}Content-Length: ${get('').length}\r\n\r\n`),
  refused('9112 3', 400, 'a method of 100 KB', withLine(`${'A'.repeat(100_000)} / HTTP/1.1\r\n`)),
  refused('9110 9.1', 400, 'a method that is no token', withLine('G@T / HTTP/1.1\r\n')),
  refused('9110 9.1', 400, 'a method in quotes', withLine('"GET" / HTTP/1.1\r\n')),
  refused('9110 9.1', 400, 'a method with a NUL', withLine('G\0T / HTTP/1.1\r\n')),
  refused('9110 9.1', 400, 'a method with a byte past ASCII', withLine('G\xc4T / HTTP/1.1\r\n')),

  refused('9110 9.3.8', 405, 'TRACE', withLine('TRACE / HTTP/1.1\r\n'), ALLOW),
  refused('9110 7.6.2', 405, 'TRACE to here and no further', `TRACE / HTTP/1.1\r\n${HOST}Max-Forwards: 0\r\n\r\n`, ALLOW),
  refused('9110 9.3.8', 405, 'TRACE with a body', `TRACE / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`, ALLOW),
  refused('9110 9.3.6', 405, 'CONNECT', withLine('CONNECT example.org:443 HTTP/1.1\r\n'), ALLOW),
  refused('9110 9.3.6', 400, 'CONNECT without Host', 'CONNECT example.org:443 HTTP/1.1\r\n\r\n'),
  refused('9110 9.3.6', 400, 'CONNECT to a path', withLine('CONNECT / HTTP/1.1\r\n')),
  refused('9110 9.3.6', 400, 'CONNECT without a port', withLine('CONNECT example.org HTTP/1.1\r\n')),
  refused('9110 9.3.6', 400, 'CONNECT with an empty port', withLine('CONNECT example.org: HTTP/1.1\r\n')),
  accepted('9110 7.6.2', 'OPTIONS to here and no further', `OPTIONS / HTTP/1.1\r\n${HOST}Max-Forwards: 0\r\n\r\n`, ['OPTIONS /'])
]
