import t from 'tap'
import { serverKnownAs, serversOf, withPorts } from '@usher/shared/settings/servers.ts'
import { NAMED_SERVERS, testServers } from './test-servers.ts'

const PLAIN = {
  PORTS: [8000, 8001], SERVER_URLS: [], SERVER_NAMES: [], WEIGHTS: [], HTML_DIRS: ['/a', '/b']
}

t.test('servers: what is said of a server is one value, whatever is left out', async t => {
  t.strictSame(serversOf(PLAIN), [
    { index: 0, name: '8000', port: 8000, folder: '/a', publicUrl: undefined, weight: 1 },
    { index: 1, name: '8001', port: 8001, folder: '/b', publicUrl: undefined, weight: 1 }
  ])
  t.strictSame(serversOf({
    PORTS: [8000, 0],
    SERVER_URLS: ['https://a.example', 'https://b.example/x'],
    SERVER_NAMES: ['red', 'blue'],
    WEIGHTS: [1, 1000],
    HTML_DIRS: ['/a', '/b']
  }), [
    { index: 0, name: 'red', port: 8000, folder: '/a', publicUrl: 'https://a.example', weight: 1 },
    { index: 1, name: 'blue', port: 0, folder: '/b', publicUrl: 'https://b.example/x', weight: 1000 }
  ])
})

t.test('servers: who is called by the port is called by the one that the kernel chose', async t => {
  const servers = testServers([0, 0, 8002], [{}, { name: 'blue' }])
  t.strictSame(withPorts(servers, [40_001, 40_002, 8002]), testServers([40_001, 40_002, 8002], [
    {}, { name: 'blue' }
  ]))
  t.equal(servers[0]!.port, 0, 'the values are made anew')
})

t.test('servers: what was written down earlier is found by name, else by port', async t => {
  const cases: ReadonlyArray<[written: string, name: string | undefined]> = [
    ['red', 'red'], ['blue', 'blue'], ['8000', 'red'], ['8002', 'blue'],
    ['8003', undefined], ['', undefined], ['Red', undefined], ['constructor', undefined]
  ]
  for (const [written, name] of cases) {
    t.equal(serverKnownAs(NAMED_SERVERS, written)?.name, name, written)
  }
  const crossed = testServers([8000, 8001], [{ name: '7' }, { name: '8' }])
  t.equal(serverKnownAs(crossed, '8')?.port, 8001, 'a name comes before a port')
})
