/** Several requests on one connection: in order, each once, and none that is part of another. */
import { accepted, chunked, get, HOST, post, SECOND, type HttpCase } from './http-case.ts'

const HEAD = `HEAD /h HTTP/1.1\r\n${HOST}\r\n`

/** Answers, then a refusal that ends the connection; nothing behind it is read. */
function endsWith (
  status: number, rfc: string, name: string, bytes: string, seen: readonly string[]
): HttpCase {
  const statuses = [...seen.map(() => 200), status]
  return { name, rfc, bytes: bytes + SECOND, statuses, isKept: false, seen }
}

export const SEQUENCES: readonly HttpCase[] = [
  accepted('9112 9.3.2', 'two requests at once', get('', '/1') + get('', '/2'), ['GET /1', 'GET /2']),
  accepted(
    '9112 9.3.2', 'twenty requests at once',
    Array.from({ length: 20 }, (_, at) => get('', `/${at}`)).join(''),
    Array.from({ length: 20 }, (_, at) => `GET /${at}`)
  ),
  accepted(
    '9112 9.3.2', 'a body and a request at once', post('Content-Length: 3\r\n', 'abc') + get('', '/2'), ['POST /', 'GET /2']
  ),
  accepted('9112 9.3.2', 'chunks and a request at once', chunked('3\r\nabc\r\n0\r\n\r\n') + get('', '/2'), ['POST /', 'GET /2']),
  accepted(
    '9112 9.3.2', 'a mix of lengths, chunks and none',
    get('', '/1') + chunked('1\r\na\r\n0\r\nX: 1\r\n\r\n') + post('Content-Length: 3\r\n', 'abc') + get('', '/4') +
      get('Content-Length: 1\r\n', '/5') + 'x' + `OPTIONS * HTTP/1.1\r\n${HOST}\r\n` + get('', '/7'),
    ['GET /1', 'POST /', 'POST /', 'GET /4', 'GET /5', 'OPTIONS /', 'GET /7']
  ),
  accepted('9112 6.3', 'a POST without a length, then a request', `POST / HTTP/1.1\r\n${HOST}\r\n${get('', '/2')}`, ['POST /', 'GET /2']),
  accepted('9112 6.3', 'an OPTIONS with a body', `OPTIONS / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc${get('', '/2')}`, ['OPTIONS /', 'GET /2']),
  accepted('9112 6.3', 'a DELETE with chunks', `DELETE / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n${get('', '/2')}`, ['DELETE /', 'GET /2']),
  { ...accepted('9112 6.3', 'two HEADs at once', HEAD + HEAD, ['HEAD /h', 'HEAD /h']), isHead: true },
  {
    ...accepted('9112 6.3', 'a HEAD with a body', `HEAD / HTTP/1.1\r\n${HOST}Content-Length: ${SECOND.length}\r\n\r\n${SECOND}`, ['HEAD /']),
    isHead: true
  },
  endsWith(400, '9112 3', 'garbage behind a request', `${get('', '/1')}garbage\r\n\r\n`, ['GET /1']),
  endsWith(400, '9112 3.2', 'a refusal behind two requests', get('', '/1') + get('', '/2') + get(HOST), ['GET /1', 'GET /2']),
  endsWith(400, '9112 2.2', 'a bare CR between two requests', `${get('', '/1')}\r${get('', '/2')}`, ['GET /1']),
  endsWith(400, '9112 2.2', 'a bare CR behind a body', `${post('Content-Length: 3\r\n', 'abc')}\r${get('', '/2')}`, ['POST /']),
  endsWith(400, '9112 2.2', 'a bare CR behind chunks', `${chunked('0\r\n\r\n')}\r${get('', '/2')}`, ['POST /']),
  endsWith(501, '9110 9.1', 'an unknown method behind a request', `${get('', '/1')}BREW / HTTP/1.1\r\n${HOST}\r\n`, ['GET /1']),
  endsWith(405, '9110 9.3.6', 'CONNECT behind a request', `${get('', '/1')}CONNECT a.example:1 HTTP/1.1\r\n${HOST}\r\n`, ['GET /1']),
  endsWith(505, '9110 15.6.6', 'the preface of HTTP/2 behind a request', `${get('', '/1')}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, ['GET /1']),

  // What a proxy in front might have taken for the body of the request before it.
  endsWith(400, '9112 6.3', 'a GET whose body nobody announced', `${get('')}x=1\r\n\r\n`, ['GET /']),
  endsWith(400, '9112 6.3', 'a POST whose body nobody announced', `POST / HTTP/1.1\r\n${HOST}\r\nx=1\r\n\r\n`, ['POST /']),
  endsWith(400, '9112 6.3', 'a GET whose chunks nobody announced', `${get('')}0\r\n\r\n`, ['GET /']),
  endsWith(400, '9112 6.3', 'an OPTIONS whose body nobody announced', `OPTIONS / HTTP/1.1\r\n${HOST}\r\n{"a":1}\r\n`, ['OPTIONS /']),
  endsWith(400, '9112 6.3', 'a length that is too short', post('Content-Length: 1\r\n', 'abc\r\n\r\n'), ['POST /']),
  endsWith(400, '9112 7.1', 'chunks behind the last chunk', chunked('0\r\n\r\n3\r\nabc\r\n0\r\n\r\n'), ['POST /'])
]
