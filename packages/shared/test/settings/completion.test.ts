import t, { type Test } from 'tap'
import { completeValues } from '@usher/shared/settings/completion.ts'
import type { ValidValues } from '@usher/shared/settings/setting-table.ts'

const surroundings = {
  hostName: '-My_Host.Example!x',
  cwd: '/srv',
  programDir: '/usher/dist',
  interfaces: {
    eth0: [{
      family: 'IPv4' as const, address: '192.0.2.7', internal: false, netmask: '', mac: '', cidr: null
    }]
  }
}

t.test('settings-complete: fills in what was left open and makes paths absolute', async t => {
  check(t, false, [
    [{}, {}],
    [{ HOST: 'a', MONITORING_HOST: '' }, { HOST: 'a', MONITORING_HOST: 'a' }],
    [{ HOST: 'a', MONITORING_HOST: 'b' }, { HOST: 'a', MONITORING_HOST: 'b' }],
    [{ MONITORING_HOST: '' }, { MONITORING_HOST: '' }],
    [{ IP: '' }, { IP: '' }],
    [{ HOST: '::', IP: '' }, { HOST: '::', IP: '192.0.2.7' }],
    [{ HOST: '127.0.0.1', IP: '' }, { HOST: '127.0.0.1', IP: '127.0.0.1' }],
    [{ HOST: 'a', IP: '' }, { HOST: 'a', IP: '' }],
    [{ HOST: '::1', IP: '192.0.2.9' }, { HOST: '::1', IP: '192.0.2.9' }],
    [{ IP: '::1' }, { IP: '::1' }],
    [{ DB_PATH: 'a/../b' }, { DB_PATH: '/srv/b' }],
    [{ DB_PATH: '/b' }, { DB_PATH: '/b' }],
    [{ LOG_FILE: 'l' }, { LOG_FILE: '/srv/l' }],
    [{ LOG_FILE: undefined }, { LOG_FILE: undefined }],
    [{ TLS_CERT: 'c', TLS_KEY: '' }, { TLS_CERT: '/srv/c', TLS_KEY: '' }],
    [{ TLS_CERT: '', TLS_KEY: 'k' }, { TLS_CERT: '', TLS_KEY: '/srv/k' }],
    [{ CLUSTER_SECRET_FILE: 's' }, { CLUSTER_SECRET_FILE: '/srv/s' }],
    [{ CLUSTER_URL: '', NODE_NAME: '' }, { CLUSTER_URL: '', NODE_NAME: '' }],
    [{ CLUSTER_URL: 'a', NODE_NAME: '' }, { CLUSTER_URL: 'a', NODE_NAME: 'my_host.example-x' }],
    [{ CLUSTER_URL: 'a', NODE_NAME: 'b' }, { CLUSTER_URL: 'a', NODE_NAME: 'b' }]
  ])
})

t.test('settings-complete: gives one folder to all servers, and several as they are', async t => {
  check(t, false, [
    [{ HTML_DIRS: ['a'], PORTS: [1, 2] }, { HTML_DIRS: ['/srv/a', '/srv/a'], PORTS: [1, 2] }],
    [{ HTML_DIRS: ['a', '/b'], PORTS: [1, 2, 3] },
      { HTML_DIRS: ['/srv/a', '/b'], PORTS: [1, 2, 3] }],
    [{ HTML_DIRS: ['a', 'b'] }, { HTML_DIRS: ['/srv/a', '/srv/b'] }]
  ])
})

t.test('settings-complete: takes the program\'s own folders in turn by default', async t => {
  const [a, b] = ['/usher/dist/a', '/usher/dist/b']
  check(t, true, [
    [{ HTML_DIRS: ['a', 'b'], PORTS: [1] }, { HTML_DIRS: [a], PORTS: [1] }],
    [{ HTML_DIRS: ['a', 'b'], PORTS: [1, 2] }, { HTML_DIRS: [a, b], PORTS: [1, 2] }],
    [{ HTML_DIRS: ['a', 'b'], PORTS: [1, 2, 3] }, { HTML_DIRS: [a, b, a], PORTS: [1, 2, 3] }],
    [{ HTML_DIRS: ['a', 'b'] }, { HTML_DIRS: [a, b] }]
  ])
})

function check (
  t: Test, isHtmlDefault: boolean, cases: ReadonlyArray<[ValidValues, ValidValues]>
): void {
  for (const [values, expected] of cases) {
    t.same(completeValues(values, isHtmlDefault, surroundings), expected, JSON.stringify(values))
  }
}
