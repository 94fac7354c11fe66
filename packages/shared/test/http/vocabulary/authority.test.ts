import t from 'tap'
import { parseAuthority } from '@usher/shared/http/vocabulary/authority.ts'

t.test('authority: takes what is well-formed', async t => {
  const cases: ReadonlyArray<[text: string, host: string, port: number | undefined]> = [
    ['example.org', 'example.org', undefined],
    ['EXAMPLE.org:80', 'example.org', 80],
    ['Example.Org.', 'example.org', undefined],
    ['example.org.:80', 'example.org', 80],
    ['.', '.', undefined],
    ['localhost:0', 'localhost', 0],
    ['localhost:65535', 'localhost', 65535],
    ['localhost:00080', 'localhost', 80],
    ['localhost:', 'localhost', undefined],
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['[::1]', '[::1]', undefined],
    ['[FE80::1]:8080', '[fe80::1]', 8080],
    ['[::ffff:1.2.3.4]', '[::ffff:1.2.3.4]', undefined],
    ["a_b-c.~!$&'()*+;=", "a_b-c.~!$&'()*+;=", undefined],
    ['a%2fb', 'a%2fb', undefined],
    ['a'.repeat(255), 'a'.repeat(255), undefined]
  ]
  for (const [text, host, port] of cases) t.strictSame(parseAuthority(text), { host, port }, text)
})

t.test('authority: refuses everything else', async t => {
  const cases = [
    '', ':', ':80', 'a:b', 'a:-1', 'a:+1', 'a:65536', 'a:999999', 'a:8 0', 'a:80:80', 'a ', ' a', 'a b',
    'user@a', 'a:b@c', 'a,b', 'a.org,', 'a.org:80,b.org', 'a/b', 'a?b', 'a#b', 'a\\b', 'a"b', 'a<b', 'a|b', 'a%zz', 'a%2', '\xe9', 'a\tb', 'a\0',
    '::1', '[::1', '[]', '[', ']', '[::1]80', '[::1]:x', '[::1%eth0]', '[::g]', '[1.2.3.4]', '[v1.a]',
    'a'.repeat(256)
  ]
  for (const text of cases) t.equal(parseAuthority(text), undefined, JSON.stringify(text))
})
