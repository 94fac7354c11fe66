/** Expect: 100 Continue before a body that is waited for, and 417 for any other expectation. */
import { closing, get, HOST, post, refused, type HttpCase } from './http-case.ts'

/** 100, then the answer; the connection is kept. */
function continued (name: string, bytes: string, seen: string): HttpCase {
  return { name, rfc: '9110 10.1.1', bytes, statuses: [100, 200], isKept: true, seen: [seen] }
}

export const EXPECTATIONS: readonly HttpCase[] = [
  continued('100 Continue', post('Content-Length: 3\r\nExpect: 100-continue\r\n', 'abc'), 'POST /'),
  continued('100 Continue in capitals', post('Content-Length: 3\r\nEXPECT: 100-CONTINUE\r\n', 'abc'), 'POST /'),
  continued('100 Continue before chunks', post('Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n', '0\r\n\r\n'), 'POST /'),
  continued('100 Continue and GET', get('Content-Length: 3\r\nExpect: 100-continue\r\n') + 'abc', 'GET /'),
  continued('100 Continue twice', post('Content-Length: 3\r\nExpect: 100-continue, 100-continue\r\n', 'abc'), 'POST /'),
  continued('two lines of 100 Continue', post('Content-Length: 3\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n', 'abc'), 'POST /'),
  continued('100 Continue between commas', post('Content-Length: 3\r\nExpect: ,100-continue,\r\n', 'abc'), 'POST /'),
  // Without a body there is nothing to go on with; node:http then closes, as it may.
  closing('9110 10.1.1', '100 Continue and no body', get('Expect: 100-continue\r\n')),
  closing('9110 10.1.1', '100 Continue and a body of length 0', post('Content-Length: 0\r\nExpect: 100-continue\r\n', ''), ['POST /']),
  closing('9110 10.1.1', 'an expectation in HTTP/1.0, ignored', `GET / HTTP/1.0\r\n${HOST}Expect: miracles\r\n\r\n`),
  closing('9110 10.1.1', '100 Continue in HTTP/1.0, ignored', `POST / HTTP/1.0\r\n${HOST}Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc`, ['POST /']),
  {
    name: 'no expectation', rfc: '9110 10.1.1', bytes: get('Expect:\r\n'), statuses: [200], isKept: true, seen: ['GET /']
  },
  refused('9110 10.1.1', 417, 'an expectation we do not know', post('Content-Length: 3\r\nExpect: miracles\r\n', 'abc')),
  refused('9110 10.1.1', 417, 'an expectation we do not know, and no body', get('Expect: 200-ok\r\n')),
  refused('9110 10.1.1', 417, 'an expectation among others', get('Expect: 100-continue, miracles\r\n')),
  refused('9110 10.1.1', 417, 'an expectation on a line of its own', get('Expect: 100-continue\r\nExpect: miracles\r\n')),
  refused('9110 10.1.1', 417, '100 Continue with a parameter', get('Expect: 100-continue;a=b\r\n')),
  refused('9110 10.1.1', 417, '100 Continue with a value', get('Expect: 100-continue=yes\r\n')),
  refused('9110 10.1.1', 413, 'a body over the limit that waits for 100 Continue', post('Content-Length: 20000\r\nExpect: 100-continue\r\n', '')),
  refused('9110 10.1.1', 400, 'two lengths that wait for 100 Continue', post('Content-Length: 3\r\nContent-Length: 3\r\nExpect: 100-continue\r\n', '')),
  refused('9110 10.1.1', 501, 'a coding we do not know that waits for 100 Continue', post('Transfer-Encoding: gzip, chunked\r\nExpect: 100-continue\r\n', ''))
]
