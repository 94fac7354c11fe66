import t from 'tap'
import { testExternal, testServers } from '../../shared/test/settings/test-servers.ts'
import { announce, type AnnouncedSettings } from '../src/announcement.ts'
import { testLog } from './fixtures/log.ts'

const INTERFACES = {
  eth0: [{
    family: 'IPv4' as const, address: '192.0.2.7', internal: false, netmask: '', mac: '', cidr: null
  }]
}
const TLS = { cert: '', key: '' }

/** Of `HOST` and `MONITORING_HOST`; what links have is theirs as well. */
const CASES: ReadonlyArray<readonly [
  given: Pick<AnnouncedSettings, 'host' | 'monitoringHost' | 'ip'> & { readonly tls?: typeof TLS },
  router: string, monitor: string, isWarned: boolean
]> = [
  [{ host: '::', monitoringHost: '::', ip: '192.0.2.7' },
    'http://192.0.2.7:8080', 'http://192.0.2.7:8081', true],
  [{ host: '127.0.0.1', monitoringHost: '127.0.0.1', ip: '127.0.0.1' },
    'http://127.0.0.1:8080', 'http://127.0.0.1:8081', false],
  [{ host: '::1', monitoringHost: '::1', ip: '::1' },
    'http://[::1]:8080', 'http://[::1]:8081', false],
  [{ host: '0.0.0.0', monitoringHost: '127.0.0.1', ip: '192.0.2.7' },
    'http://192.0.2.7:8080', 'http://127.0.0.1:8081', false],
  [{ host: '127.0.0.1', monitoringHost: '::', ip: '127.0.0.1' },
    'http://127.0.0.1:8080', 'http://127.0.0.1:8081', true],
  [{ host: '::1', monitoringHost: '0.0.0.0', ip: '::1' },
    'http://[::1]:8080', 'http://192.0.2.7:8081', true],
  [{ host: '127.0.0.1', monitoringHost: '127.0.0.1', ip: '203.0.113.5' },
    'http://127.0.0.1:8080', 'http://127.0.0.1:8081', false],
  [{ host: '::', monitoringHost: '::ffff:127.0.0.1', ip: '203.0.113.5' },
    'http://203.0.113.5:8080', 'http://127.0.0.1:8081', false],
  [{ host: '::', monitoringHost: '192.0.2.7', ip: '192.0.2.7', tls: TLS },
    'https://192.0.2.7:8080', 'https://192.0.2.7:8081', false]
]

t.test('announcement: names addresses that answer, each port by its own host', async t => {
  for (const [given, router, monitor, isWarned] of CASES) {
    const claim = JSON.stringify(given)
    const { log, lines, saying } = testLog()
    announce({
      tls: undefined,
      ...given,
      servers: [...testServers([8000, 8001]), ...testExternal(2, ['shop'])],
      routingPort: 8080,
      monitoringPort: 8081,
      decisionHost: '127.0.0.1',
      decisionPort: undefined
    }, INTERFACES, log)
    const own = [8000, 8001].map(port => router.replace('8080', String(port)))
    const servers = [...own, 'https://shop.example']
    const message = `Usher is ready: visitors at ${router}, monitor at ${monitor}`
    t.match(saying(message), [{ router, monitor, servers }], claim)
    t.equal(lines.some(({ msg }) => /without TLS/.test(String(msg))), isWarned, claim)
  }
})

t.test('announcement: warns where there are no servers, but for those that are gone', async t => {
  for (const [servers, isWarned] of [
    [testServers([8000]), false], [[], true], [[{ kind: 'removed', index: 0, name: 'shop' }], true]
  ] as const) {
    const { log, lines } = testLog()
    announce({
      tls: undefined,
      host: '127.0.0.1',
      monitoringHost: '127.0.0.1',
      ip: '127.0.0.1',
      servers,
      routingPort: 8080,
      monitoringPort: 8081,
      decisionHost: '127.0.0.1',
      decisionPort: undefined
    }, INTERFACES, log)
    const warned = lines.some(({ level, msg }) => level === 40 && /there are no servers/.test(String(msg)))
    t.equal(warned, isWarned, JSON.stringify(servers))
  }
})

t.test('announcement: names the decision port, and warns of one that others reach', async t => {
  for (const [decisionHost, decisions, isWarned] of [
    ['127.0.0.1', 'http://127.0.0.1:8082', false], ['127.0.0.9', 'http://127.0.0.9:8082', false],
    ['::1', 'http://[::1]:8082', false], ['192.0.2.7', 'http://192.0.2.7:8082', true],
    ['::', 'http://[::]:8082', true]
  ] as const) {
    const { log, lines, saying } = testLog()
    announce({
      tls: undefined,
      host: '127.0.0.1',
      monitoringHost: '127.0.0.1',
      ip: '127.0.0.1',
      servers: testServers([8000]),
      routingPort: 8080,
      monitoringPort: 8081,
      decisionHost,
      decisionPort: 8082
    }, INTERFACES, log)
    t.match(saying('Usher is ready: visitors at http://127.0.0.1:8080, monitor at http://127.0.0.1:8081'),
      [{ decisions }])
    t.equal(lines.some(({ msg }) => /speaks for any visitor/.test(String(msg))), isWarned, decisionHost)
  }
})
