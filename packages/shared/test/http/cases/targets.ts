/** The request target in its four forms, and what is none of them. */
import { accepted, get, HOST, refused, withLine, type HttpCase } from './http-case.ts'

function options (target: string): string {
  return withLine(`OPTIONS ${target} HTTP/1.1\r\n`)
}

export const TARGETS: readonly HttpCase[] = [
  accepted('9112 3.2.1', 'a query', get('', '/a?b=c&d'), ['GET /a?b=c&d']),
  accepted('9112 3.2.1', 'an empty query', get('', '/a?'), ['GET /a?']),
  accepted('9112 3.2.1', 'a query with a question mark and a slash', get('', '/?a/?b'), ['GET /?a/?b']),
  accepted('9112 3.2.1', 'escapes, as they stand', get('', '/%41%2f%00?%0d%0a'), ['GET /%41%2f%00?%0d%0a']),
  accepted('9112 3.2.1', 'characters that browsers do not escape', get('', '/a|b?c={d}^[e]'), ['GET /a|b?c={d}^[e]']),
  accepted('9112 3.2.1', 'two slashes as a path', get('', '//example.com/'), ['GET //example.com/']),
  accepted('9112 3.2.1', 'a path that looks like a URL', get('', '/http://example.com/'), ['GET /http://example.com/']),
  accepted('9112 3', 'a target of 8,000 bytes', get('', `/${'a'.repeat(7_999)}`), [`GET /${'a'.repeat(7_999)}`]),
  accepted('9112 3.2.2', 'an absolute target', get('', 'http://example.com/a?b'), ['GET /a?b']),
  accepted('9112 3.2.2', 'an absolute target in capitals, without a path', get('', 'HTTP://example.com?b'), ['GET /?b']),
  accepted('9112 3.2.2', 'an absolute target with a port', get('', 'http://example.com:8080/'), ['GET /']),
  accepted('9112 3.2.4', 'OPTIONS *', options('*'), ['OPTIONS /']),
  accepted('9112 3.2.4', 'OPTIONS * as a proxy sends it', options('http://example.com'), ['OPTIONS /']),
  accepted('9112 3.2.4', 'OPTIONS of a path', options('/'), ['OPTIONS /']),

  refused('9112 3.2.4', 400, 'GET *', get('', '*')),
  refused('9112 3.2.4', 400, 'HEAD *', withLine('HEAD * HTTP/1.1\r\n'), { isHead: true }),
  refused('9112 3.2.4', 400, 'POST *', withLine('POST * HTTP/1.1\r\n')),
  refused('9112 3.2.4', 400, 'an asterisk and more', options('*a')),
  refused('9112 3.2.3', 400, 'an authority for GET', get('', 'example.org:80')),
  refused('9112 3.2.3', 400, 'a bare host for GET', get('', 'example.org')),
  refused('9112 3.2.1', 400, 'a target without a slash', get('', 'a')),
  refused('9112 3.2.1', 400, 'a query without a path', get('', '?a')),
  refused('9112 3.2', 400, 'a target with a fragment', get('', '/a#b')),
  refused('9112 3.2', 400, 'a target with a byte past ASCII', get('', '/\xe9')),
  refused('9112 3.2', 400, 'a target in UTF-8', get('', '/caf\xc3\xa9')),
  refused('9112 3.2', 400, 'a target with a control character', get('', '/\x07')),
  refused('9112 3.2', 400, 'a target with a DEL', get('', '/\x7f')),
  refused('9112 3.2', 400, 'a target with a space', get('', '/a b')),
  refused('9112 3.2', 400, 'a target with a quote', get('', '/"')),
  refused('9112 3.2', 400, 'a target with angle brackets', get('', '/<a>')),
  refused('9112 3.2.2', 400, 'an absolute target of another scheme', get('', 'ftp://example.org/')),
  refused('9112 3.2.2', 400, 'an absolute target with userinfo', get('', 'http://a:b@example.org/')),
  refused('9112 3.2.2', 400, 'an absolute target without a host', get('', 'http:///a')),
  refused('9112 3.2.2', 400, 'an absolute target with one slash', get('', 'http:/example.org/')),
  refused('9112 3.2.2', 400, 'an absolute target with a bad port', get('', 'http://example.org:x/')),
  refused('9112 3.2.2', 400, 'an absolute target with a port past all ports', get('', 'http://example.org:65536/')),
  refused('9112 3.2.2', 400, 'an absolute target without Host', 'GET http://example.org/ HTTP/1.1\r\n\r\n'),
  refused('9112 3.2.2', 400, 'an absolute target and two Hosts', get(HOST, 'http://example.org/')),
  refused('9110 7.4', 421, 'an absolute target that wants TLS', get('', 'https://example.org/')),
  refused('9112 3', 414, 'a target over 16 KiB', get('', `/${'a'.repeat(17_000)}`)),
  refused('9112 3', 414, 'a query over 16 KiB', get('', `/?${'a=b&'.repeat(5_000)}`)),
  refused('9112 3', 414, 'a target of 100 KB', get('', `/${'a'.repeat(100_000)}`))
]
