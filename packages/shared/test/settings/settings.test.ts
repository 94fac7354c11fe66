import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  loadSettings, processSource, type SettingsSource
} from '@usher/shared/settings/settings.ts'
import {
  externalServers, ownServers, type OwnServer
} from '@usher/shared/settings/servers.ts'
import { renderCheck } from '@usher/shared/settings/settings-text.ts'
import { settingNamed, SETTING_ROWS } from '@usher/shared/settings/setting-rows.ts'
import type { SettingKey, SettingName } from '@usher/shared/settings/setting-table.ts'
import { CERT, KEY } from '../fixtures/tls-pems.ts'

interface Sample<N extends SettingName> {
  readonly text: string
  readonly key: SettingKey<N>
  /** DIR stands for the working directory. */
  readonly value: unknown
  /** The field of each server that has it; the settings themselves have it when left out. */
  readonly ofServer?: keyof OwnServer
  /** What has to be given with it. */
  readonly besides?: Partial<Record<SettingName, string>>
}

const SECRET = 'hunter2-hunter2-hunter2-hunter2-'
const EXTERNAL = { EXTERNAL_SERVERS: 'a=http://a' }

/** Something other than the default for each setting, and its key: at run time as in the type. */
const SAMPLES: { readonly [N in SettingName]: Sample<N> } = {
  HOST: {
    text: '127.0.0.1', key: 'host', value: '127.0.0.1', besides: { MONITORING_HOST: '::1' }
  },
  MONITORING_HOST: { text: '::1', key: 'monitoringHost', value: '::1' },
  IP: { text: '192.0.2.9', key: 'ip', value: '192.0.2.9' },
  PUBLIC_HOSTS: { text: 'A.example,b', key: 'publicHosts', value: ['a.example', 'b'] },
  ALLOWED_ORIGINS: { text: 'https://A.example/', key: 'allowedOrigins', value: ['https://a.example'] },
  TICKETS: { text: 'never', key: 'tickets', value: 'never' },
  TICKET_PARAMETER: { text: 't-1', key: 'ticketParameter', value: 't-1' },
  COOKIE_DOMAIN: { text: 'A.example', key: 'cookieDomain', value: 'a.example' },
  ROUTER_URL: { text: 'https://a/', key: 'routerUrl', value: 'https://a' },
  SERVER_URLS: {
    text: 'http://a/,http://b,http://c',
    key: 'serverUrls',
    value: ['http://a', 'http://b', 'http://c'],
    ofServer: 'publicUrl'
  },
  PORTS: { text: '0,1,2', key: 'ports', value: [0, 1, 2], ofServer: 'port' },
  SERVER_NAMES: {
    text: 'red,green,blue', key: 'serverNames', value: ['red', 'green', 'blue'], ofServer: 'name'
  },
  WEIGHTS: { text: '1,1,2', key: 'weights', value: [1, 1, 2], ofServer: 'weight' },
  EXTERNAL_SERVERS: {
    text: 'a=http://a/',
    key: 'externalServers',
    value: [{ name: 'a', url: 'http://a' }]
  },
  HEALTH_PATH: { text: '/up', key: 'healthPath', value: ['/up'], besides: EXTERNAL },
  HEALTH_INTERVAL: { text: '5', key: 'healthInterval', value: [5000], besides: EXTERNAL },
  HEALTH_TIMEOUT: { text: '3', key: 'healthTimeout', value: [3000], besides: EXTERNAL },
  HEALTH_RISE: { text: '5', key: 'healthRise', value: [5], besides: EXTERNAL },
  HEALTH_FALL: { text: '6', key: 'healthFall', value: [6], besides: EXTERNAL },
  HEALTH_STATUS: {
    text: '204', key: 'healthStatus', value: [{ min: 204, max: 204 }], besides: EXTERNAL
  },
  CAPACITY: { text: '10,20,30', key: 'capacity', value: [10, 20, 30] },
  POLICY: { text: 'round-robin', key: 'policy', value: 'round-robin' },
  ROUTING_PORT: { text: '9090', key: 'routingPort', value: 9090 },
  MONITORING_PORT: { text: '9091', key: 'monitoringPort', value: 9091 },
  DECISION_PORT: { text: '9092', key: 'decisionPort', value: 9092 },
  DECISION_HOST: { text: '::1', key: 'decisionHost', value: '::1' },
  HTML_DIRS: {
    text: 'mine',
    key: 'htmlDirs',
    value: ['DIR/mine', 'DIR/mine', 'DIR/mine'],
    ofServer: 'folder'
  },
  MEMORY_FILE_MAX: { text: '512KiB', key: 'memoryFileMaxBytes', value: 524_288 },
  DB_PATH: { text: 'x.db', key: 'dbPath', value: 'DIR/x.db' },
  LOG_FILE: { text: '-', key: 'logFile', value: undefined },
  LOG_LEVEL: { text: 'silent', key: 'logLevel', value: 'silent' },
  SOCKET_TIMEOUT: { text: '6.5', key: 'socketTimeoutMs', value: 6500 },
  HEARTBEAT_INTERVAL: { text: '3', key: 'heartbeatIntervalMs', value: 3000 },
  HEARTBEAT_BUDGET: { text: '20', key: 'heartbeatBudget', value: 20 },
  TIMEOUT_THRESHOLD: { text: '60', key: 'timeoutThresholdMs', value: 60_000 },
  UNCONFIRMED_TIMEOUT: { text: '30', key: 'unconfirmedTimeoutMs', value: 30_000 },
  LEAVE_GRACE: { text: '0', key: 'leaveGraceMs', value: 0 },
  RETURN_GRACE: { text: '5', key: 'returnGraceMs', value: 5000 },
  NEWCOMERS_PER_MINUTE: { text: '10', key: 'newcomersPerMinute', value: 10 },
  TRUSTED_NETWORKS: { text: '192.0.2.0/24', key: 'trustedNetworks', value: ['192.0.2.0/24'] },
  DELAY_BETWEEN_ROUTING: { text: '0', key: 'delayBetweenRoutingMs', value: 0 },
  RESERVATION_TTL: { text: '1', key: 'reservationTtlMs', value: 1000 },
  MAX_USERS: { text: '16', key: 'maxUsers', value: 16 },
  MAX_CONNECTIONS: { text: '100', key: 'maxConnections', value: 100 },
  SESSION_IDLE_TIMEOUT: { text: '100', key: 'sessionIdleTimeoutMs', value: 100_000 },
  SESSION_LIFETIME: { text: '5000', key: 'sessionLifetimeMs', value: 5_000_000 },
  SHUTDOWN_TIMEOUT: { text: '2', key: 'shutdownTimeoutMs', value: 2000 },
  TRUST_PROXY: { text: '::1,10.0.0.0/8', key: 'trustProxy', value: ['::1', '10.0.0.0/8'] },
  PROXY_PROTOCOL: {
    text: 'trusted', key: 'proxyProtocol', value: 'trusted', besides: { TRUST_PROXY: '::1' }
  },
  TLS_CERT: {
    text: 'cert.pem', key: 'tlsCert', value: 'DIR/cert.pem', besides: { TLS_KEY: 'key.pem' }
  },
  TLS_KEY: {
    text: 'key.pem', key: 'tlsKey', value: 'DIR/key.pem', besides: { TLS_CERT: 'cert.pem' }
  },
  METRICS_TOKEN: { text: 'hunter2-hunter2-', key: 'metricsToken', value: 'hunter2-hunter2-' },
  ADMIN_PASSWORD: { text: 'hunter2 hunter2', key: 'adminPassword', value: 'hunter2 hunter2' },
  CLUSTER_URL: {
    text: 'redis://10.0.0.9:6379',
    key: 'clusterUrl',
    value: 'redis://10.0.0.9:6379',
    besides: { CLUSTER_SECRET: SECRET }
  },
  CLUSTER_NAME: { text: 'shop', key: 'clusterName', value: 'shop' },
  NODE_NAME: { text: 'node-1.a', key: 'nodeName', value: 'node-1.a' },
  CLUSTER_SECRET: { text: SECRET, key: 'clusterSecret', value: SECRET },
  CLUSTER_SECRET_FILE: { text: 'secret', key: 'clusterSecretFile', value: 'DIR/secret' }
}

t.test('settings: the defaults are those of the contract', async t => {
  const source = testSource(t)
  const { settings } = loadSettings(source)
  t.match(settings?.ip, /^[\d.]+$|:/)
  t.strictSame({ ...settings, ip: '' }, {
    host: '::',
    monitoringHost: '::',
    ip: '',
    publicHosts: [],
    cookieDomain: '',
    ticketParameter: 'usher_ticket',
    routerUrl: '',
    servers: [8000, 8001, 8002].map((port, index) => ({
      kind: 'own',
      index,
      name: String(port),
      port,
      folder: join(source.programDir, `html/site-${index + 1}`),
      publicUrl: undefined,
      weight: undefined,
      capacity: undefined
    })),
    policy: 'fewest-users',
    routingPort: 8080,
    monitoringPort: 8081,
    decisionPort: undefined,
    decisionHost: '127.0.0.1',
    dbPath: join(source.cwd, 'db/usher.db'),
    logFile: join(source.cwd, 'server.log'),
    live: {
      memoryFileMaxBytes: 4_194_304,
      logLevel: 'info',
      delayBetweenRoutingMs: 350,
      externalServers: [],
      weights: [],
      capacity: [],
      allowedOrigins: [],
      healthPath: ['/'],
      healthInterval: [2000],
      healthTimeout: [1000],
      healthRise: [2],
      healthFall: [3],
      healthStatus: [{ min: 200, max: 399 }],
      returnGraceMs: 20_000,
      tickets: 'auto'
    },
    socketTimeoutMs: 5000,
    heartbeatIntervalMs: 2500,
    heartbeatBudget: 2000,
    timeoutThresholdMs: 1_800_000,
    unconfirmedTimeoutMs: 120_000,
    leaveGraceMs: 2000,
    newcomersPerMinute: 120,
    trustedNetworks: [],
    reservationTtlMs: 10_000,
    maxUsers: 131_072,
    maxConnections: 20_000,
    sessionIdleTimeoutMs: 1_800_000,
    sessionLifetimeMs: 43_200_000,
    shutdownTimeoutMs: 10_000,
    trustProxy: [],
    proxyProtocol: 'off',
    tlsCert: '',
    tlsKey: '',
    tls: undefined,
    metricsToken: '',
    adminPassword: '',
    clusterUrl: '',
    clusterName: 'usher',
    nodeName: '',
    clusterSecret: '',
    clusterSecretFile: ''
  })
})

t.test('settings: every setting can be given as a flag, unless it is secret', async t => {
  for (const { name, flag, isSecret } of SETTING_ROWS) {
    const { text, besides = {} } = SAMPLES[name]
    const argv = [flag, text]
    const source = testSource(t, { argv, env: besides })
    if (isSecret) t.match(problemsOf(source), [`${name} (flag ${flag}) is secret`], name)
    else checkSample(t, source, name, `flag ${flag}`)
  }
})

t.test('settings: every setting can be given in the environment', async t => {
  for (const { name } of SETTING_ROWS) {
    const { text, besides = {} } = SAMPLES[name]
    checkSample(t, testSource(t, { env: { ...besides, [name]: text } }), name, 'environment')
  }
})

t.test('settings: every setting can be given in the file', async t => {
  for (const { name } of SETTING_ROWS) {
    const { text, besides = {} } = SAMPLES[name]
    const source = testSource(t, { env: besides, file: `# mine\n${name}=${text}\n` })
    checkSample(t, source, name, 'usher.env line 2')
  }
})

t.test('settings: flag wins over environment over file over default', async t => {
  const argv = ['--max-users', '101']
  const env = { MAX_USERS: '102' }
  const file = 'MAX_USERS=103'
  const cases: ReadonlyArray<[Parts, number, string]> = [
    [{ argv, env, file }, 101, 'flag --max-users'],
    [{ env, file }, 102, 'environment'],
    [{ file }, 103, 'usher.env line 1'],
    [{}, 131_072, 'default'],
    [{ argv, file }, 101, 'flag --max-users'],
    [{ env: { MAX_USERS: '' }, file }, 103, 'usher.env line 1'],
    [{ env: { MAX_USERS: '' }, file: 'MAX_USERS=' }, 131_072, 'default'],
    [{ env, file: 'MAX_USERS=wrong' }, 102, 'environment']
  ]
  for (const [parts, maxUsers, origin] of cases) {
    const loaded = loadSettings(testSource(t, parts))
    t.equal(loaded.settings?.maxUsers, maxUsers, JSON.stringify(parts))
    if (loaded.settings !== undefined) t.match(loaded.effective, effective('MAX_USERS', origin))
  }
})

t.test('settings: ports may be empty, with external servers and without', async t => {
  const external = { EXTERNAL_SERVERS: 'a=http://a,b=http://b' }
  const cases: ReadonlyArray<[Parts, string[]]> = [
    [{ env: { ...external, PORTS: '' } }, ['a', 'b']],
    [{ env: external, file: 'PORTS=\n' }, ['a', 'b']],
    [{ file: 'PORTS=\nEXTERNAL_SERVERS=a=http://a\n' }, ['a']],
    [{ argv: ['--external-servers', 'a=http://a', '--ports='] }, ['a']],
    [{ env: { ...external, PORTS: '' }, file: 'PORTS=1\n' }, ['a', 'b']],
    [{ env: { ...external, PORTS: '' }, argv: ['--ports', '1'] }, ['1', 'a', 'b']],
    [{ env: external }, ['8000', '8001', '8002', 'a', 'b']],
    [{ env: { EXTERNAL_SERVERS: '', PORTS: '' } }, []],
    [{ env: { PORTS: '' } }, []],
    [{ file: 'PORTS=\n' }, []],
    [{ argv: ['--ports='] }, []],
    [{ env: { EXTERNAL_SERVERS: '' } }, ['8000', '8001', '8002']]
  ]
  for (const [parts, names] of cases) {
    const { settings } = loadSettings(testSource(t, parts))
    t.same(settings?.servers.map(({ name }) => name), names, JSON.stringify(parts))
  }
})

t.test('settings: the file may be another one, and then must exist', async t => {
  const source = testSource(t, { argv: ['--settings', 'sub/my.env'], file: 'IP=::9' })
  t.same(problemsOf(source), ['settings file "sub/my.env" does not exist'])
  mkdirSync(join(source.cwd, 'sub'))
  writeFileSync(join(source.cwd, 'sub/my.env'), 'MAX_USERS=99\n')
  const loaded = loadSettings(source)
  t.equal(loaded.settings?.maxUsers, 99)
  t.not(loaded.settings?.ip, '::9', 'usher.env is not read as well')
  if (loaded.settings !== undefined) {
    t.match(loaded.effective, effective('MAX_USERS', 'sub/my.env line 1'))
  }
})

t.test('settings: help and version work when everything is wrong', async t => {
  const parts = { env: { PORTS: 'x' }, file: 'NONSENSE' }
  const cases: ReadonlyArray<[flag: string, command: string]> = [
    ['--help', 'help'], ['-h', 'help'], ['--version', 'version'], ['-v', 'version']
  ]
  for (const [flag, command] of cases) {
    const source = testSource(t, { ...parts, argv: ['--nonsense', '--host', flag] })
    t.same(loadSettings(source), { command }, flag)
  }
})

t.test('settings: run and check bring the settings', async t => {
  t.equal(loadSettings(testSource(t)).command, 'run')
  const { command, settings } = loadSettings(testSource(t, { argv: ['--check'] }))
  t.equal(command, 'check')
  t.equal(settings?.routingPort, 8080)
})

t.test('settings: one error names every problem, a line each', async t => {
  const source = testSource(t, {
    argv: ['--rooting-port=1', '--max-users', '15', '--tls-cert', 'cert.pem'],
    env: { SOCKET_TIMEOUT: '1e3', METRICS_TOKEN: 'hunter2', UNKNOWN: 'is fine' },
    file: 'ROUTNIG_PORT=1\nPORTS=8080,8081,8002\nHTML_DIRS=/nowhere\nTIMEOUT_THRESHOLD=2'
  })
  t.same(problemsOf(source), [
    'unknown flag --rooting-port, did you mean --routing-port?',
    'usher.env line 1: unknown setting ROUTNIG_PORT, did you mean ROUTING_PORT?',
    'SOCKET_TIMEOUT (environment) is "1e3"; allowed: 0.1 to 300 seconds',
    'MAX_USERS (flag --max-users) is "15"; allowed: a whole number, 16 to 4194304 users',
    'METRICS_TOKEN (environment) has a wrong value (not shown); allowed: at least 16 visible ASCII characters without blanks, or empty',
    'PORTS (usher.env line 2) and ROUTING_PORT (default) both name 8080; allowed: ports that all differ, except for 0',
    'PORTS (usher.env line 2) and MONITORING_PORT (default) both name 8081; allowed: ports that all differ, except for 0',
    'HEARTBEAT_INTERVAL (default) is "2.5" and TIMEOUT_THRESHOLD (usher.env line 4) is "2"; allowed: TIMEOUT_THRESHOLD not below HEARTBEAT_INTERVAL',
    'HTML_DIRS (usher.env line 3) is "/nowhere": /nowhere does not exist; allowed: folders that can be read',
    'TLS_CERT (flag --tls-cert) is "cert.pem": TLS_KEY is empty; allowed: both or neither'
  ])
})

t.test('settings: the folder that the program runs in is no site', async t => {
  const { cwd, ...parts } = testSource(t, { env: { HTML_DIRS: '.' } })
  // However deep it lies: a path that is cut names another file.
  const source = { ...parts, cwd: join(cwd, 'as-deep-as-a-checkout-may-lie'.repeat(7)) }
  mkdirSync(source.cwd)
  const of = (what: string, name: string) => `HTML_DIRS (environment) is ".": visitors could read ${what} there, ` +
    `"${join(source.cwd, name)}"; allowed: folders with pages and nothing else`
  t.same(problemsOf(source), [
    of('the settings', 'usher.env'), of('the database', 'db/usher.db'), of('the log', 'server.log')
  ])
  const other = { ...source, argv: ['--settings', 'other.env', '--log-file', '-', '--db-path', '.db'] }
  writeFileSync(join(source.cwd, 'other.env'), '')
  t.same(problemsOf(other), [of('the settings', 'other.env')])
})

t.test('settings: a refused value is named with its setting, origin and what is allowed', async t => {
  for (const { name, flag, kind, isSecret } of SETTING_ROWS) {
    // No kind takes this character, but paths do, unless it is a control character.
    const [problem = ''] = problemsOf(testSource(t, { env: { [name]: 'hunter2\u0001,' } }))
    const start = isSecret ? `${name} (environment) has a` : `${name} (environment) is "hunter2\\u0001,"`
    t.ok(problem.startsWith(start) && problem.endsWith(`allowed: ${kind.allowed}`), problem)
    t.equal(problem.includes('hunter2'), !isSecret, `${name}, ${flag}`)
  }
})

t.test('settings: the program\'s own html goes round, whatever the number of servers', async t => {
  const cases: ReadonlyArray<[ports: string, sites: readonly number[]]> = [
    ['0', [1]], ['0,0', [1, 2]], ['0,0,0,0', [1, 2, 3, 1]]
  ]
  for (const [ports, sites] of cases) {
    const source = testSource(t, { argv: ['--ports', ports] })
    const expected = sites.map(n => join(source.programDir, `html/site-${n}`))
    t.same(loadSettings(source).settings?.servers.map(server => server.kind === 'own' && server.folder), expected, ports)
  }
})

t.test('settings: certificate and key are read and stand together', async t => {
  const source = testSource(t, { argv: ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem'] })
  t.same(loadSettings(source).settings?.tls, { cert: CERT, key: KEY })
})

t.test('settings: what is printed for --check never shows a secret', async t => {
  const cases: ReadonlyArray<[string, string]> = [[SECRET, '(set)'], ['', '(empty)']]
  for (const [secret, shown] of cases) {
    const CLUSTER_URL = secret === '' ? '' : `redis://:${secret}@10.0.0.9`
    const env = {
      ADMIN_PASSWORD: secret, METRICS_TOKEN: secret, CLUSTER_SECRET: secret, CLUSTER_URL
    }
    const loaded = loadSettings(testSource(t, { argv: ['--check'], env }))
    if (loaded.settings === undefined) throw new Error('no settings')
    const text = renderCheck(loaded.effective)
    t.notMatch(text, 'hunter2')
    for (const name of Object.keys(env)) t.match(text, `  ${name}=${shown}\n`)
    for (const { name } of SETTING_ROWS) t.match(text, `  ${name}=`)
  }
})

t.test('settings: the process is the source of the running program', async t => {
  const source = processSource('/program')
  t.same(source.argv, process.argv.slice(2))
  t.equal(source.env, process.env)
  t.equal(source.cwd, process.cwd())
  t.equal(source.programDir, '/program')
})

interface Parts {
  readonly argv?: readonly string[]
  readonly env?: Record<string, string>
  readonly file?: string
}

/** A working directory and a program folder of its own, in which the defaults are right. */
function testSource (t: Test, { argv = [], env = {}, file }: Parts = {}): SettingsSource {
  const dir = t.testdir({
    program: { html: { 'site-1': {}, 'site-2': {}, 'site-3': {} } },
    cwd: {
      mine: {},
      'cert.pem': CERT,
      'key.pem': KEY,
      secret: `${SECRET}\n`,
      ...(file !== undefined && { 'usher.env': file })
    }
  })
  return { argv, env, cwd: join(dir, 'cwd'), programDir: join(dir, 'program') }
}

function checkSample (t: Test, source: SettingsSource, name: SettingName, origin: string): void {
  const loaded = loadSettings(source)
  if (loaded.settings === undefined) throw new Error('no settings')
  const { key, value, ofServer } = SAMPLES[name]
  const expected = JSON.stringify(value)?.replaceAll('DIR/', `${source.cwd}/`)
  const { servers } = loaded.settings
  const checks = externalServers(servers).map(({ check }) => check)
  const byKey: Record<string, unknown> = {
    ...loaded.settings,
    ...loaded.settings.live,
    ...(ofServer && { [key]: ownServers(servers).map(server => server[ofServer]) }),
    externalServers: externalServers(servers).map(({ name, publicUrl: url }) => ({ name, url })),
    healthPath: checks.map(({ path }) => path),
    healthInterval: checks.map(({ intervalMs }) => intervalMs),
    healthTimeout: checks.map(({ timeoutMs }) => timeoutMs),
    healthRise: checks.map(({ rise }) => rise),
    healthFall: checks.map(({ fall }) => fall),
    healthStatus: checks.map(({ statuses }) => statuses)
  }
  t.equal(settingNamed(name)?.key, key)
  t.ok(key in byKey, key)
  t.equal(JSON.stringify(byKey[key]), expected, `${name} from ${origin}`)
  t.match(loaded.effective, effective(name, origin), `${name} from ${origin}`)
}

/** A pattern: at the setting's place in the table stands this origin. */
function effective (name: SettingName, origin: string): object {
  const index = SETTING_ROWS.findIndex(row => row.name === name)
  return { [index]: { name, origin } }
}

function problemsOf (source: SettingsSource): readonly string[] {
  try {
    loadSettings(source)
    return []
  } catch (error) {
    const { code, message } = error as { code: string, message: string }
    if (code !== 'USHER_SETTINGS_INVALID') throw error
    return message.split('\n')
  }
}
