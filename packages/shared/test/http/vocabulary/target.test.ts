import t from 'tap'
import { parseTarget, toUri } from '@usher/shared/http/vocabulary/target.ts'

t.test('target: tells path and query, and the authority of an absolute one', async t => {
  const cases: ReadonlyArray<[target: string, pathAndQuery: string, authority?: string]> = [
    ['/', '/'],
    ['/a/b?c=d?e', '/a/b?c=d?e'],
    ['/a%2Fb%zz', '/a%2Fb%zz'],
    ['/a|b^{c}`[d]\\', '/a|b^{c}`[d]\\'],
    ['//example.org/a', '//example.org/a'],
    ['/http://example.org/', '/http://example.org/'],
    ['http://example.org', '/', 'example.org'],
    ['http://example.org/', '/', 'example.org'],
    ['http://example.org//a?b', '//a?b', 'example.org'],
    ['http://example.org?b', '/?b', 'example.org'],
    ['HTTPS://[::1]:8080/a', '/a', '[::1]:8080']
  ]
  for (const [target, pathAndQuery, authority] of cases) {
    const isHttps = /^https:/i.test(target)
    t.strictSame(parseTarget('GET', target), { pathAndQuery, authority, isHttps }, target)
  }
})

t.test('target: an asterisk is for OPTIONS', async t => {
  const bare = { pathAndQuery: '*', authority: undefined, isHttps: false }
  t.strictSame(parseTarget('OPTIONS', '*'), bare)
  t.strictSame(parseTarget('OPTIONS', 'http://a.org'), { ...bare, authority: 'a.org' })
  t.strictSame(parseTarget('OPTIONS', 'http://a.org/')?.pathAndQuery, '/')
  t.equal(parseTarget('GET', '*'), undefined)
})

t.test('target: refuses everything else', async t => {
  const cases = [
    '', 'a', 'a/b', '?a', '**', '/a b', '/a\t', '/a\0', '/\x7f', '/\xe9', '/a#b', '#', '/"', '/<', '/>',
    'ftp://a.org/', 'http:/a.org', 'http://', 'http:///a', 'http://a b/', 'http://a@b/', 'http://a:x/',
    'http://a.org/#b', 'a.org:443', 'javascript:alert(1)'
  ]
  for (const target of cases) t.equal(parseTarget('GET', target), undefined, JSON.stringify(target))
})

t.test('target: as a URI it has the same escapes, and one for each byte that no URI may hold', async t => {
  const asIs = "/a-._~0%41%c3%A9!$&'()*+,;=:@//?/?&="
  t.equal(toUri(asIs), asIs)
  t.equal(toUri('"<>\\^`{|}[]#'), '%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D%23')
  t.equal(toUri('/caf\xc3\xa9 \0\r\n\x7f'), '/caf%C3%A9%20%00%0D%0A%7F')
  t.equal(toUri('%%4%zz%4%41%'), '%25%254%25zz%254%41%25')
})
