import t from 'tap'
import {
  externalServers, limitsOf, namesOf, ownServers, serverKnownAs, serversOf, withPorts
} from '@usher/shared/settings/servers.ts'
import { CHECK, NAMED_SERVERS, testExternal, testServers } from './test-servers.ts'

const PLAIN = {
  PORTS: [8000, 8001],
  SERVER_URLS: [],
  SERVER_NAMES: [],
  WEIGHTS: [],
  CAPACITY: [],
  HTML_DIRS: ['/a', '/b'],
  EXTERNAL_SERVERS: [],
  HEALTH_PATH: ['/'],
  HEALTH_INTERVAL: [2000],
  HEALTH_TIMEOUT: [1000],
  HEALTH_RISE: [2],
  HEALTH_FALL: [3],
  HEALTH_STATUS: [{ min: 200, max: 399 }]
}

t.test('servers: what is said of a server is one value, whatever is left out', async t => {
  t.strictSame(serversOf(PLAIN), [
    { kind: 'own', index: 0, name: '8000', port: 8000, folder: '/a', publicUrl: undefined, weight: undefined, capacity: undefined },
    { kind: 'own', index: 1, name: '8001', port: 8001, folder: '/b', publicUrl: undefined, weight: undefined, capacity: undefined }
  ])
  t.strictSame(serversOf({
    ...PLAIN,
    PORTS: [8000, 0],
    SERVER_URLS: ['https://a.example', 'https://b.example/x'],
    SERVER_NAMES: ['red', 'blue'],
    WEIGHTS: [1, 1000],
    CAPACITY: [7],
    HTML_DIRS: ['/a', '/b']
  }), [
    { kind: 'own', index: 0, name: 'red', port: 8000, folder: '/a', publicUrl: 'https://a.example', weight: 1, capacity: 7 },
    {
      kind: 'own',
      index: 1,
      name: 'blue',
      port: 0,
      folder: '/b',
      publicUrl: 'https://b.example/x',
      weight: 1000,
      capacity: 7
    }
  ])
})

t.test('servers: external ones follow our own, their weights too', async t => {
  const EXTERNAL_SERVERS = [
    { name: 'shop-a', url: 'https://shop-a.example' }, { name: 'shop-b', url: 'https://b.example/x' }
  ]
  const both = serversOf({
    ...PLAIN, EXTERNAL_SERVERS, WEIGHTS: [1, 2, 3, 4], CAPACITY: [5, 6, 7, 8]
  })
  t.strictSame(both.map(({ index, name, weight, capacity }) => [index, name, weight, capacity]),
    [[0, '8000', 1, 5], [1, '8001', 2, 6], [2, 'shop-a', 3, 7], [3, 'shop-b', 4, 8]])
  t.strictSame(ownServers(both), both.slice(0, 2))
  t.strictSame(externalServers(both), both.slice(2))
  const alone = serversOf({ ...PLAIN, PORTS: [], HTML_DIRS: [], EXTERNAL_SERVERS })
  t.strictSame(alone, testExternal(0, ['shop-a', 'shop-b'], [
    { weight: undefined }, { publicUrl: 'https://b.example/x', weight: undefined }
  ]))
  t.strictSame(withPorts(both, [1, 2]).slice(2), both.slice(2), 'they have no port of ours')
  t.equal(serverKnownAs(both, 'shop-b')?.index, 3)
})

t.test('servers: health is checked in one way for all, or in one for each', async t => {
  const EXTERNAL_SERVERS = ['a', 'b'].map(name => ({ name, url: `https://${name}.example` }))
  const [a, b] = externalServers(serversOf({
    ...PLAIN, EXTERNAL_SERVERS, HEALTH_PATH: ['/up', '/live?x'], HEALTH_FALL: [1, 9], HEALTH_RISE: [7]
  }))
  t.strictSame(a?.check, { ...CHECK, path: '/up', rise: 7, fall: 1 })
  t.strictSame(b?.check, { ...CHECK, path: '/live?x', rise: 7, fall: 9 })
})

t.test('servers: a weight that is not given is the capacity, where every server has one', async t => {
  const limits = (
    weights: ReadonlyArray<number | undefined>, capacities: ReadonlyArray<number | undefined>
  ): ReadonlyArray<readonly [capacity: number | undefined, weight: number]> =>
    limitsOf(weights.map((weight, at) => ({ weight, capacity: capacities[at] })))
      .map(({ capacity, weight }) => [capacity, weight])
  const none = [undefined, undefined, undefined]
  t.same(limits(none, []), [[undefined, 1], [undefined, 1], [undefined, 1]])
  t.same(limits([1, 1, 2], []), [[undefined, 1], [undefined, 1], [undefined, 2]])
  t.same(limits(none, [10, 10, 10]), [[10, 1], [10, 1], [10, 1]])
  t.same(limits(none, [10, 20, 30]), [[10, 1], [20, 2], [30, 3]], 'in their ratio')
  t.same(limits(none, [7, 11, 13]), [[7, 7], [11, 11], [13, 13]])
  t.same(limits([1, 1, 2], [10, 10, 10]), [[10, 1], [10, 1], [10, 2]], 'a given one counts')
  t.same(limits([undefined], [5]), [[5, 1]])
  t.same(limits(none, [10, 20]), [[10, 1], [20, 1], [undefined, 1]], 'not every server has one')
  t.same(limitsOf([
    { weight: undefined, capacity: 10 }, { kind: 'removed', index: 1, name: 'gone' },
    { weight: undefined, capacity: 30 }
  ]).map(({ capacity, weight }) => [capacity, weight]), [[10, 1], [undefined, 1], [30, 3]],
  'one that is gone does not count')
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
  t.equal(serverKnownAs(crossed, '8')?.index, 1, 'a name comes before a port')
})

t.test('servers: an error message names all, or says that there are none', async t => {
  const [shop] = testExternal(2, ['shop'])
  t.equal(namesOf([...testServers([8000]), { ...shop!, index: 1, kind: 'removed' }, shop!]), '8000, shop')
  t.equal(namesOf([{ ...shop!, index: 0, kind: 'removed' }]), 'none')
  t.equal(namesOf([]), 'none')
})
