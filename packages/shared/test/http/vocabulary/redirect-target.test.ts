import { hostname } from 'node:os'
import t from 'tap'
import { testExternal, testServers } from '../../settings/test-servers.ts'
import { redirectTarget, type RedirectTarget, type TargetSettings } from '../../../src/http/vocabulary/redirect-target.ts'

const SETTINGS: TargetSettings = {
  ip: '192.0.2.10',
  publicHosts: ['www.example.org', 'xn--caf-dma.example', '2001:db8::9']
}
const SERVERS = testServers([8000, 8001, 8002])
const MAPPED = testServers([8000, 8001, 8002], [
  { publicUrl: 'https://a.example:444' },
  { publicUrl: 'https://b.example' },
  { publicUrl: 'http://c.example/three' }
])
const AS_MACHINE = { machineName: 'Gate-7' }
const FALLBACK = '192.0.2.10'

/** What a request names, and the host that the redirect then has. */
const HOSTS: ReadonlyArray<readonly [authority: string | undefined, host: string]> = [
  // IP addresses: a visitor who reached us under one is redirected to it.
  ['203.0.113.5', '203.0.113.5'],
  ['203.0.113.5:8080', '203.0.113.5'],
  ['203.0.113.5:', '203.0.113.5'],
  ['127.0.0.1:8080', '127.0.0.1'],
  ['[2001:db8::1]', '[2001:db8::1]'],
  ['[2001:db8::1]:8080', '[2001:db8::1]'],
  ['[2001:DB8::A]:8080', '[2001:db8::a]'],
  ['[::1]:8080', '[::1]'],
  ['[::ffff:203.0.113.5]:8080', '[::ffff:203.0.113.5]'],

  // Names of ours, in any case.
  ['localhost', 'localhost'],
  ['localhost:8080', 'localhost'],
  ['LocalHost:1', 'localhost'],
  ['gate-7', 'gate-7'],
  ['GATE-7:8080', 'gate-7'],
  ['www.example.org', 'www.example.org'],
  ['WWW.Example.ORG:80', 'www.example.org'],
  ['xn--caf-dma.example', 'xn--caf-dma.example'],
  ['www.example.org.', 'www.example.org'],

  // Names of others.
  ['evil.example', FALLBACK],
  ['example.org', FALLBACK],
  ['a.www.example.org', FALLBACK],
  ['www.example.org.evil.example', FALLBACK],
  ['localhost.evil.example', FALLBACK],
  ['gate-7.evil.example', FALLBACK],
  ['127.0.0.1.evil.example', FALLBACK],

  // Nearly addresses: what a browser might still take for something else.
  ['127.0.0.1%2eevil.example', FALLBACK], // a browser decodes it into a name
  ['127.0.0.1%41', FALLBACK],
  ['2130706433', FALLBACK],
  ['0x7f.0.0.1', FALLBACK],
  ['127.1', FALLBACK],
  ['010.0.0.1', FALLBACK],
  ['256.0.0.1', FALLBACK],
  ['[fe80::1%25eth0]', FALLBACK],
  ['[fe80::1%eth0]:8080', FALLBACK],

  // Malformed: nothing of it is used.
  [undefined, FALLBACK],
  ['', FALLBACK],
  [':8080', FALLBACK],
  ['localhost@evil.example', FALLBACK],
  ['localhost:8080@evil.example', FALLBACK],
  ['user:secret@localhost', FALLBACK],
  ['localhost/evil.example', FALLBACK],
  ['localhost\\evil.example', FALLBACK],
  ['localhost?evil', FALLBACK],
  ['localhost#evil', FALLBACK],
  ['localhost:99999', FALLBACK],
  ['localhost:80:80', FALLBACK],
  ['localhost evil.example', FALLBACK],
  ['localhost\r\nSet-Cookie: a=b', FALLBACK],
  ['2001:db8::1', FALLBACK],
  ['2001:db8::9', FALLBACK],
  ['[localhost]', FALLBACK],
  ['[www.example.org]', FALLBACK],
  ['[203.0.113.5]', FALLBACK],
  ['[', FALLBACK],
  ['[]', FALLBACK]
]

t.test('redirect target: uses the name that the visitor used only when it is ours', async t => {
  for (const [authority, host] of HOSTS) {
    t.equal(check({ authority }), `http://${host}:8001/`, JSON.stringify(authority))
  }
})

t.test('redirect target: the machine\'s own name is the system\'s', async t => {
  const request = { authority: hostname(), isSecure: false, path: '/', query: '' }
  t.equal(redirectTarget(SETTINGS)(request, SERVERS[0]!), `http://${hostname().toLowerCase()}:8000/`)
})

t.test('redirect target: an IPv6 fallback gets its brackets', async t => {
  const target = check({ authority: 'evil.example' }, { ip: '2001:db8::10' })
  t.equal(target, 'http://[2001:db8::10]:8001/')
})

t.test('redirect target: names the port of the chosen server', async t => {
  const request = { authority: 'localhost:8080', isSecure: false, path: '/', query: '' }
  const targets = SERVERS.map(server => redirectTarget(SETTINGS, AS_MACHINE)(request, server))
  t.strictSame(targets,
    ['http://localhost:8000/', 'http://localhost:8001/', 'http://localhost:8002/'])
})

t.test('redirect target: an external server has its own address, whatever the visitor used', async t => {
  const [server] = testExternal(3, ['shop'], [{ publicUrl: 'https://b.example:8443/base' }])
  const request = { authority: 'evil.example', isSecure: false, path: '/a', query: '?b' }
  t.equal(redirectTarget(SETTINGS)(request, server!), 'https://b.example:8443/base/a?b')
})

t.test('redirect target: the scheme is the one that the visitor came with', async t => {
  t.equal(check({ isSecure: true }), 'https://localhost:8001/')
  t.equal(check({ isSecure: false }), 'http://localhost:8001/')
})

t.test('redirect target: what a URI may hold of path and query is kept byte by byte', async t => {
  const cases: ReadonlyArray<readonly [path: string, query: string]> = [
    ['/', ''],
    ['/', '?'],
    ['/a/b.html', '?q=1&r=2'],
    ['/%E2%82%AC', '?a=%20+b'],
    ['/%2e%2e/%2F', '?%00'],
    ['/a/../b', '?x=../y'],
    ['//evil.example/', ''],
    ['//evil.example', '?//evil'],
    ['/@evil.example', '?@'],
    ['/http://evil.example/', '?url=http://evil.example/'],
    ['/:8080', '??']
  ]
  for (const [path, query] of cases) {
    const plain = check({ path, query })
    t.equal(plain, `http://localhost:8001${path}${query}`)
    t.equal(new URL(plain).host, 'localhost:8001', 'and a browser goes where we mean')
    const mapped = check({ path, query }, {}, MAPPED[1])
    t.equal(mapped, `https://b.example${path}${query}`)
    t.equal(new URL(mapped).host, 'b.example')
  }
})

t.test('redirect target: a public URL stands as it is, whatever the request says', async t => {
  const requests = [
    { authority: 'localhost', isSecure: false, path: '/x', query: '?y' },
    { authority: 'evil.example', isSecure: true, path: '/x', query: '?y' },
    { authority: undefined, isSecure: false, path: '/x', query: '?y' }
  ]
  for (const request of requests) {
    const targets = MAPPED.map(server => redirectTarget(SETTINGS, AS_MACHINE)(request, server))
    t.strictSame(targets, [
      'https://a.example:444/x?y', 'https://b.example/x?y', 'http://c.example/three/x?y'
    ])
  }
})

/** Where the server with index 1 is, for a plain request on `localhost` with these changes. */
function check (
  request: Partial<Parameters<RedirectTarget>[0]>, settings: Partial<TargetSettings> = {},
  server = SERVERS[1]!
): string {
  const plain = { authority: 'localhost:8080', isSecure: false, path: '/', query: '' }
  return redirectTarget({ ...SETTINGS, ...settings }, AS_MACHINE)({ ...plain, ...request }, server)
}

t.test('redirect target: what no URI may hold is escaped', async t => {
  const cases: ReadonlyArray<readonly [path: string, query: string, target: string]> = [
    ['/\\evil.example', '', '/%5Cevil.example'],
    ['/a|b[c]{d}^', '?|[]{}^`', '/a%7Cb%5Bc%5D%7Bd%7D%5E?%7C%5B%5D%7B%7D%5E%60'],
    ['/100%', '?50%&%41', '/100%25?50%25&%41']
  ]
  for (const [path, query, target] of cases) {
    t.equal(check({ path, query }), `http://localhost:8001${target}`)
    t.equal(check({ path, query }, {}, MAPPED[1]), `https://b.example${target}`)
  }
})
