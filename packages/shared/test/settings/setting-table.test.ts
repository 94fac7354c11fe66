import t, { type Test } from 'tap'
import { settingNamed, SETTING_ROWS } from '@usher/shared/settings/setting-rows.ts'
import type { SettingName } from '@usher/shared/settings/setting-table.ts'
import { flagOf } from '@usher/shared/settings/setting-spelling.ts'

/** For each setting: texts with the values that they stand for, and texts that are refused. */
const CASES: Record<SettingName, {
  readonly values: ReadonlyArray<readonly [text: string, value: unknown]>
  readonly refused: readonly string[]
}> = {
  HOST: {
    values: [['::', '::'], ['127.0.0.1', '127.0.0.1'], ['localhost', 'localhost']],
    refused: ['', '[::]', 'localhost:80', '1.2.3']
  },
  MONITORING_HOST: { values: [['', ''], ['::1', '::1']], refused: ['http://a', '[::1]'] },
  IP: { values: [['', ''], ['192.0.2.1', '192.0.2.1']], refused: ['localhost', '[::1]'] },
  PUBLIC_HOSTS: {
    values: [['', []], ['A.example, b', ['a.example', 'b']]],
    refused: ['http://a', 'a:80', 'a,', hosts(1001)]
  },
  ALLOWED_ORIGINS: {
    values: [
      ['', []],
      ['https://Shop.example/, http://b:8080', ['https://shop.example', 'http://b:8080']],
      ['https://b:443,http://[::1]:80', ['https://b', 'http://[::1]']]
    ],
    refused: [
      '*', 'null', 'shop.example', 'shop.example:8443', 'https://a/b', 'https://a?b', 'https://u@a',
      'ftp://a', 'https://*.example', 'https://', 'https://a,', hosts(1001)
    ]
  },
  COOKIE_DOMAIN: {
    values: [['', ''], ['Example.org', 'example.org'], ['.a.example', 'a.example']],
    refused: ['org', 'localhost', '192.0.2.1', '::1', 'http://a.b', 'a.b:80', 'a.b/', 'a b.c', '..']
  },
  TICKETS: { values: [['auto', 'auto'], ['always', 'always'], ['never', 'never']], refused: ['', 'on', 'Auto'] },
  TICKET_PARAMETER: {
    values: [['t', 't'], ['Usher-1_x', 'Usher-1_x'], ['a'.repeat(64), 'a'.repeat(64)]],
    refused: ['', 'a b', 'a=', 'a.b', 'a&b', 'ä', 'a%20', 'a'.repeat(65), 'client_id', 'ticket', 'server', 'servers', 'page']
  },
  ROUTER_URL: {
    values: [['', ''], ['https://a:1/x/', 'https://a:1/x']],
    refused: ['a', 'ftp://a', 'http://a?b', 'http://u@a', 'http://a,http://b']
  },
  SERVER_URLS: {
    values: [['', []], ['http://a/,https://b:1/x/', ['http://a', 'https://b:1/x']]],
    refused: ['a', 'ftp://a', 'http://a?b', 'http://a#b', 'http://u@a']
  },
  PORTS: {
    values: [['', []], ['0', [0]], ['1,2', [1, 2]], [numbers(32), Array.from({ length: 32 }, (_, i) => i)]],
    refused: ['65536', '1,,2', 'a', '-1', numbers(33)]
  },
  EXTERNAL_SERVERS: {
    values: [
      ['', []],
      ['a=https://a.example/, b2=http://[::1]:8443/base/', [
        { name: 'a', url: 'https://a.example' }, { name: 'b2', url: 'http://[::1]:8443/base' }
      ]],
      ['a=http://x/y=z', [{ name: 'a', url: 'http://x/y=z' }]]
    ],
    refused: [
      'https://a', 'a', 'a=', '=http://a', 'A=http://a', 'router=http://a', 'a=ftp://a', 'a=b',
      'a=http://a?b', 'a=http://u@a', 'a=http://a:65536', 'a=http://a,', 'a=http://a b',
      external(257)
    ]
  },
  HEALTH_PATH: {
    values: [['/', ['/']], ['/up,/live?a=b', ['/up', '/live?a=b']]],
    refused: ['', 'up', '/up,', '/a b', '/a#b', 'http://a/', '/ä', '/a\\b']
  },
  HEALTH_INTERVAL: {
    values: [['2', [2000]], ['0.1,3600', [100, 3_600_000]]], refused: ['', '0.09', '3601', '2,', 'a']
  },
  HEALTH_TIMEOUT: {
    values: [['1', [1000]], ['0.05,10', [50, 10_000]]], refused: ['', '0.04', '10.1', 'a']
  },
  HEALTH_RISE: { values: [['1', [1]], ['2,100', [2, 100]]], refused: ['', '0', '101', '1.5'] },
  HEALTH_FALL: { values: [['1', [1]], ['3,100', [3, 100]]], refused: ['', '0', '101', '1.5'] },
  HEALTH_STATUS: {
    values: [
      ['200', [{ min: 200, max: 200 }]],
      ['200-399,401', [{ min: 200, max: 399 }, { min: 401, max: 401 }]]
    ],
    refused: ['', '99', '600', '399-200', '200-', '2xx', '200-299-399', '0200']
  },
  SERVER_NAMES: {
    values: [['', []], ['red, b2', ['red', 'b2']], ['8000', ['8000']], [`0._-${'a'.repeat(59)}`,
      [`0._-${'a'.repeat(59)}`]]],
    refused: ['Red', 'a,', ',a', '-a', '.a', '_a', 'a b', 'é', 'a/b', 'a'.repeat(64), 'router',
      'a,monitor', hosts(33)]
  },
  CAPACITY: {
    values: [['', []], ['10', [10]], ['1, 4194304', [1, 4_194_304]]],
    refused: ['0', '4194305', '1.5', '-1', '10,', 'many', '10 users', numbers(258)]
  },
  WEIGHTS: {
    values: [['', []], ['1', [1]], ['1,1000', [1, 1000]]],
    refused: ['0', '1001', '1.5', '-1', '1,', 'a', numbers(258)]
  },
  POLICY: {
    values: ['fewest-users', 'round-robin'].map(name => [name, name]),
    refused: ['', 'random', 'Fewest-Users', 'fewest users', 'constructor']
  },
  ROUTING_PORT: { values: [['0', 0], ['65535', 65535]], refused: ['', '-1', '65536', '1.5'] },
  MONITORING_PORT: { values: [['0', 0], ['65535', 65535]], refused: ['', '-1', '65536', '1.5'] },
  DECISION_PORT: {
    values: [['', undefined], ['0', 0], ['65535', 65535]], refused: ['-1', '65536', '1.5', 'none']
  },
  DECISION_HOST: {
    values: [['127.0.0.1', '127.0.0.1'], ['::1', '::1']], refused: ['', 'localhost', '[::1]']
  },
  HTML_DIRS: { values: [['a', ['a']], ['a,/b', ['a', '/b']]], refused: ['', 'a,', hosts(33)] },
  MEMORY_FILE_MAX: {
    values: [
      ['65536', 65_536], ['64KiB', 65_536], ['4MiB', 4_194_304], ['256MiB', 268_435_456],
      ['262144KiB', 268_435_456], ['100000', 100_000]
    ],
    refused: [
      '', '0', '65535', '63KiB', '257MiB', '1GiB', '268435457', '4M', '4MB', '4mib', '4 MiB', '1.5MiB', '-4MiB', '1e6',
      `${'9'.repeat(40)}GiB`
    ]
  },
  DB_PATH: { values: [['a', 'a'], ['/b/c.db', '/b/c.db']], refused: ['', 'a/', 'a\0'] },
  LOG_FILE: { values: [['-', undefined], ['a.log', 'a.log']], refused: ['', 'a/', 'a\0'] },
  LOG_LEVEL: {
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map(word => [word, word]),
    refused: ['', 'INFO', 'warning', '30']
  },
  SOCKET_TIMEOUT: secondsFrom(0.1, 300),
  HEARTBEAT_INTERVAL: secondsFrom(0.1, 3600),
  HEARTBEAT_BUDGET: {
    values: [['1', 1], ['1.5', 1.5], ['1000000', 1_000_000]],
    refused: ['', '0.9', '1000000.1', '1e3']
  },
  TIMEOUT_THRESHOLD: secondsFrom(1, 2_073_600),
  UNCONFIRMED_TIMEOUT: secondsFrom(1, 2_073_600),
  RETURN_GRACE: { values: [['0', 0], ['20', 20_000], ['3600', 3_600_000]], refused: ['', '-1', '3600.001'] },
  LEAVE_GRACE: { values: [['0', 0], ['2', 2000], ['60', 60_000]], refused: ['', '-1', '60.001'] },
  NEWCOMERS_PER_MINUTE: {
    values: [['1', 1], ['1000000', 1_000_000]], refused: ['0', '1000001', '1.5', '']
  },
  TRUSTED_NETWORKS: {
    values: [['', []], ['203.0.113.0/24, 2001:db8::/48', ['203.0.113.0/24', '2001:db8::/48']]],
    refused: ['office', '10.0.0.0/33', addresses(1001)]
  },
  DELAY_BETWEEN_ROUTING: {
    values: [['0', 0], ['0.35', 350], ['60', 60_000]],
    refused: ['', '-0.1', '60.001', ' 5', 'NaN']
  },
  RESERVATION_TTL: secondsFrom(0.1, 3600),
  MAX_USERS: {
    values: [['16', 16], ['4194304', 4_194_304]],
    refused: ['', '15', '4194305', '16.5', '0x20', 'Infinity']
  },
  MAX_CONNECTIONS: {
    values: [['1', 1], ['1000000', 1_000_000]],
    refused: ['', '0', '1000001', '1.5', '1e3']
  },
  SESSION_IDLE_TIMEOUT: secondsFrom(1, 31_536_000),
  SESSION_LIFETIME: secondsFrom(1, 31_536_000),
  SHUTDOWN_TIMEOUT: secondsFrom(0.1, 600),
  TRUST_PROXY: {
    values: [['', []], ['::1, 10.0.0.0/8', ['::1', '10.0.0.0/8']]],
    refused: ['loopback', '10.0.0.0/33', '0.0.0.0/0', '10.0.0', addresses(1001)]
  },
  PROXY_PROTOCOL: {
    values: [['off', 'off'], ['trusted', 'trusted']],
    refused: ['', 'on', 'v1', 'v2', 'Trusted', 'true']
  },
  TLS_CERT: { values: [['', ''], ['a.pem', 'a.pem']], refused: ['a/'] },
  TLS_KEY: { values: [['', ''], ['a.pem', 'a.pem']], refused: ['a/'] },
  METRICS_TOKEN: {
    values: [['', ''], ['x'.repeat(16), 'x'.repeat(16)]],
    refused: ['x'.repeat(15), 'x x'.repeat(8), 'ü'.repeat(16)]
  },
  ADMIN_PASSWORD: {
    values: [['', ''], ['x'.repeat(12), 'x'.repeat(12)], ['correct horse', 'correct horse']],
    refused: ['x'.repeat(11), 'admin', 'adminAdminADMIN']
  },
  CLUSTER_URL: {
    values: ['', 'redis://a', 'rediss://u:p@a:6380', 'unix:///run/valkey.sock'].map(url => [url, url]),
    refused: ['a', 'http://a', 'redis://', 'a:6379']
  },
  CLUSTER_NAME: { values: [['usher', 'usher'], ['0.a_-', '0.a_-']], refused: ['', 'A', '{a}', '-a', 'a b', 'a'.repeat(64)] },
  NODE_NAME: { values: [['', ''], ['node-1.a', 'node-1.a']], refused: ['A', 'a/b', '.a', 'a'.repeat(64)] },
  CLUSTER_SECRET: {
    values: [['', ''], ['x'.repeat(32), 'x'.repeat(32)]],
    refused: ['x'.repeat(31), 'x x'.repeat(11), 'ü'.repeat(32)]
  },
  CLUSTER_SECRET_FILE: { values: [['', ''], ['a', 'a']], refused: ['a/'] }
}

t.test('setting-table: every setting takes what it allows, up to the edges', async t => {
  for (const row of SETTING_ROWS) {
    for (const [text, value] of CASES[row.name].values) {
      t.strictSame(row.kind.parse(text), { value }, `${row.name}=${text.slice(0, 60)}`)
    }
  }
})

t.test('setting-table: every setting refuses what is beyond', async t => {
  for (const row of SETTING_ROWS) {
    for (const text of CASES[row.name].refused) {
      t.type(row.kind.parse(text).refusal, 'string', `${row.name}=${text.slice(0, 60)}`)
    }
  }
})

t.test('setting-table: every row is complete', async t => {
  for (const row of SETTING_ROWS) checkRow(t, row.name)
  t.equal(new Set(SETTING_ROWS.map(row => row.name)).size, 58)
})

t.test('setting-table: what is secret', async t => {
  const secrets = SETTING_ROWS.filter(row => row.isSecret).map(row => row.name)
  t.same(secrets, ['METRICS_TOKEN', 'ADMIN_PASSWORD', 'CLUSTER_URL', 'CLUSTER_SECRET'])
})

t.test('setting-table: knows exact names only', async t => {
  t.equal(settingNamed('PORTS')?.name, 'PORTS')
  for (const name of ['ports', 'PORT', '', 'constructor']) t.equal(settingNamed(name), undefined, name)
  t.equal(flagOf('ROUTING_PORT'), '--routing-port')
})

/** The default is allowed and comes out as it went in, and the words are there. */
function checkRow (t: Test, name: SettingName): void {
  const row = settingNamed(name)!
  const parsed = row.kind.parse(row.default)
  t.equal(parsed.refusal, undefined, `${name}: the default is allowed`)
  if (parsed.refusal === undefined) t.equal(row.kind.format(parsed.value), row.default, name)
  t.match(row.meaning, /^[A-Z].*\.$/, `${name}: the meaning is a sentence`)
  t.match(row.kind.allowed, /\S/, `${name}: says what is allowed`)
  t.equal(row.flag, flagOf(name))
}

/** The values are in milliseconds. */
function secondsFrom (min: number, max: number): typeof CASES[SettingName] {
  return {
    values: [[`${min}`, min * 1000], [`${max}`, max * 1000], ['1.25', 1250]],
    refused: ['', `${min / 2}`, `${max}.001`, '0', '-1', '1e1', '0x10', ' 5', 'NaN', 'Infinity', '5s']
  }
}

function numbers (count: number): string {
  return Array.from({ length: count }, (_, index) => index).join(',')
}

function external (count: number): string {
  return Array.from({ length: count }, (_, at) => `s${at}=http://a`).join(',')
}

function hosts (count: number): string {
  return Array.from({ length: count }, () => 'a').join(',')
}

function addresses (count: number): string {
  return Array.from({ length: count }, () => '::1').join(',')
}
