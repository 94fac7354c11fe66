import { join } from 'node:path'
import t, { type Test } from 'tap'
import { quotePath } from '@usher/shared/quote.ts'
import { checkTls, disagreements, pathProblems, type GivenByName } from '@usher/shared/settings/consistency.ts'
import { SETTING_ROWS } from '@usher/shared/settings/setting-rows.ts'
import type { ValidValues } from '@usher/shared/settings/setting-table.ts'
import { CERT, KEY, OTHER_KEY } from '../fixtures/tls-pems.ts'

/** Every setting as if it had been given as the text `T` in the environment. */
const GIVEN = Object.fromEntries(SETTING_ROWS.map(row =>
  [row.name, { row, text: 'T', origin: 'environment' }])) as GivenByName

t.test('settings-check: ports must differ, except for 0', async t => {
  const allowed = 'allowed: ports that all differ, except for 0'
  const both = (a: string, b: string, port: number) =>
    `${a} (environment) and ${b} (environment) both name ${port}; ${allowed}`
  const cases: ReadonlyArray<[ValidValues, readonly string[]]> = [
    [{}, []],
    [{ PORTS: [1, 2], ROUTING_PORT: 3, MONITORING_PORT: 4 }, []],
    [{ PORTS: [0, 0], ROUTING_PORT: 0, MONITORING_PORT: 0 }, []],
    [{ PORTS: [1, 2, 1] }, [`PORTS (environment) names 1 more than once; ${allowed}`]],
    [{ PORTS: [1, 2], ROUTING_PORT: 2 }, [both('PORTS', 'ROUTING_PORT', 2)]],
    [{ PORTS: [1], MONITORING_PORT: 1 }, [both('PORTS', 'MONITORING_PORT', 1)]],
    [{ ROUTING_PORT: 5, MONITORING_PORT: 5 }, [both('ROUTING_PORT', 'MONITORING_PORT', 5)]],
    [{ PORTS: [1], ROUTING_PORT: 1, MONITORING_PORT: 1 }, [
      both('PORTS', 'ROUTING_PORT', 1), both('PORTS', 'MONITORING_PORT', 1)]]
  ]
  for (const [values, expected] of cases) check(t, values, expected)
})

t.test('settings-check: URLs, names, weights and folders are as many as the ports', async t => {
  const urls = (count: number) => `SERVER_URLS (environment) is "T": it has ${count}, ` +
    'PORTS (environment) has 2; allowed: empty, or one URL per port'
  const names = (count: number) => `SERVER_NAMES (environment) is "T": it has ${count}, ` +
    'PORTS (environment) has 2; allowed: empty, or one name per port'
  const capacities = (count: number) => `CAPACITY (environment) is "T": it has ${count}, ` +
    'PORTS (environment) has 2; allowed: empty, one number for all, or one per port'
  const weights = (count: number) => `WEIGHTS (environment) is "T": it has ${count}, ` +
    'PORTS (environment) has 2; allowed: empty, or one weight per port'
  const dirs = (count: number) => `HTML_DIRS (environment) is "T": it has ${count}, ` +
    'PORTS (environment) has 2; allowed: one folder, or one per port'
  const PORTS = [1, 2]
  const EXTERNAL_SERVERS: [] = []
  const cases: ReadonlyArray<[ValidValues, readonly string[]]> = [
    [{ PORTS, SERVER_URLS: [], HTML_DIRS: ['a'] }, []],
    [{ PORTS, SERVER_URLS: ['a', 'b'], HTML_DIRS: ['a', 'b'] }, []],
    [{ PORTS, SERVER_URLS: ['a'] }, [urls(1)]],
    [{ PORTS, SERVER_URLS: ['a', 'b', 'c'] }, [urls(3)]],
    [{ PORTS, EXTERNAL_SERVERS, SERVER_NAMES: [], WEIGHTS: [] }, []],
    [{ PORTS, EXTERNAL_SERVERS, SERVER_NAMES: ['a', 'b'], WEIGHTS: [1, 2] }, []],
    [{ PORTS, SERVER_NAMES: ['a'] }, [names(1)]],
    [{ PORTS, SERVER_NAMES: ['a', 'b', 'c'] }, [names(3)]],
    [{ PORTS, EXTERNAL_SERVERS, WEIGHTS: [1] }, [weights(1)]],
    [{ PORTS, EXTERNAL_SERVERS, WEIGHTS: [1, 1, 2] }, [weights(3)]],
    [{ PORTS, EXTERNAL_SERVERS, CAPACITY: [] }, []],
    [{ PORTS, EXTERNAL_SERVERS, CAPACITY: [10] }, []],
    [{ PORTS, EXTERNAL_SERVERS, CAPACITY: [10, 20] }, []],
    [{ PORTS, EXTERNAL_SERVERS, CAPACITY: [10, 20, 30] }, [capacities(3)]],
    [{ PORTS, HTML_DIRS: ['a', 'b', 'c'] }, [dirs(3)]],
    [{ SERVER_URLS: ['a'], HTML_DIRS: ['a', 'b'] }, []]
  ]
  for (const [values, expected] of cases) check(t, values, expected)
})

t.test('settings-check: a name is of one server, and never the port of another', async t => {
  const refused = (why: string) => `SERVER_NAMES (environment) is "T": ${why}; ` +
    'allowed: names that all differ, none of them the port of another server'
  const twice = refused('"a" stands there more than once')
  const port = (name: string) => refused(`"${name}" is or may become another server's port`)
  const PORTS = [8000, 8001]
  const cases: ReadonlyArray<[ValidValues, readonly string[]]> = [
    [{ PORTS, SERVER_NAMES: ['a', 'b'] }, []],
    [{ PORTS, SERVER_NAMES: ['8000', '8001'] }, []],
    [{ PORTS, SERVER_NAMES: ['7', 'b'] }, []],
    [{ PORTS, SERVER_NAMES: ['a', 'a'] }, [twice]],
    [{ SERVER_NAMES: ['a', 'a'] }, [twice]],
    [{ PORTS, SERVER_NAMES: ['8001', '8000'] }, [port('8001'), port('8000')]],
    [{ PORTS, SERVER_NAMES: ['a', '8000'] }, [port('8000')]],
    [{ PORTS: [0, 8001], SERVER_NAMES: ['a', '8001'] }, [port('8001')]],
    [{ PORTS: [0, 8001], SERVER_NAMES: ['0', 'b'] }, []],
    [{ PORTS: [0, 0], SERVER_NAMES: ['a', '40000b'] }, []],
    [{ PORTS: [0, 0], SERVER_NAMES: ['1', '2'] }, []],
    [{ PORTS: [0, 0], SERVER_NAMES: ['a', '40000'] }, [port('40000')]]
  ]
  for (const [values, expected] of cases) check(t, values, expected)
})

t.test('settings-check: external servers have names and weights among all servers', async t => {
  const names = (why: string) => `EXTERNAL_SERVERS (environment) is "T": ${why}; ` +
    'allowed: names that all differ, none of them the port of another server'
  const weights = (count: number, servers: number) => `WEIGHTS (environment) is "T": it has ${count}, ` +
    `PORTS (environment) and EXTERNAL_SERVERS (environment) have ${servers}; ` +
    'allowed: empty, or one weight per server, those of the ports first'
  const named = (...all: string[]) => all.map(name => ({ name, url: `http://${name}` }))
  const many = (count: number) => named(...Array.from({ length: count }, (_, at) => `s${at}`))
  const PORTS = [8000, 8001]
  const cases: ReadonlyArray<[ValidValues, readonly string[]]> = [
    [{ PORTS, EXTERNAL_SERVERS: named('a', 'b'), SERVER_NAMES: ['c', 'd'] }, []],
    [{ PORTS: [], EXTERNAL_SERVERS: named('a') }, []],
    [{ PORTS: [], EXTERNAL_SERVERS: [] }, []],
    [{ PORTS, EXTERNAL_SERVERS: many(254) }, []],
    [{ PORTS, EXTERNAL_SERVERS: many(255) }, ['EXTERNAL_SERVERS (environment) is "T": with ' +
      'PORTS (environment) there are 257 servers; allowed: 256 servers of both kinds']],
    [{ PORTS, EXTERNAL_SERVERS: named('a', 'b', 'a') },
      [names('"a" stands there more than once')]],
    [{ PORTS, EXTERNAL_SERVERS: named('c'), SERVER_NAMES: ['c', 'd'] },
      [names('"c" stands in SERVER_NAMES (environment), too')]],
    [{ PORTS, EXTERNAL_SERVERS: named('8001') },
      [names('"8001" is or may become another server\'s port')]],
    [{ PORTS: [0], EXTERNAL_SERVERS: named('40000') },
      [names('"40000" is or may become another server\'s port')]],
    [{ PORTS, EXTERNAL_SERVERS: named('a'), WEIGHTS: [1, 2, 3] }, []],
    [{ PORTS, EXTERNAL_SERVERS: named('a'), WEIGHTS: [1, 2] }, [weights(2, 3)]],
    [{ PORTS: [], EXTERNAL_SERVERS: named('a'), WEIGHTS: [1, 2] }, [weights(2, 1)]],
    [{ EXTERNAL_SERVERS: named('a', 'b', 'c'), HEALTH_FALL: [1, 2, 3], HEALTH_RISE: [1] }, []],
    [{ EXTERNAL_SERVERS: [], HEALTH_PATH: ['/'] }, []],
    [{ EXTERNAL_SERVERS: named('a', 'b', 'c'), HEALTH_FALL: [1, 2] }, ['HEALTH_FALL (environment) is ' +
      '"T": it has 2, EXTERNAL_SERVERS (environment) has 3; allowed: one for all external servers, or one for each']]
  ]
  for (const [values, expected] of cases) check(t, values, expected)
})

t.test('settings-check: the longer duration is not below the shorter', async t => {
  const order = (shorter: string, longer: string) => [`${shorter} (environment) is "T" and ` +
    `${longer} (environment) is "T"; allowed: ${longer} not below ${shorter}`]
  const cases: ReadonlyArray<[ValidValues, readonly string[]]> = [
    [{ HEARTBEAT_INTERVAL: 1000, TIMEOUT_THRESHOLD: 1000 }, []],
    [{ HEARTBEAT_INTERVAL: 1001, TIMEOUT_THRESHOLD: 1000 },
      order('HEARTBEAT_INTERVAL', 'TIMEOUT_THRESHOLD')],
    [{ SESSION_IDLE_TIMEOUT: 1000, SESSION_LIFETIME: 1000 }, []],
    [{ SESSION_IDLE_TIMEOUT: 1001, SESSION_LIFETIME: 1000 },
      order('SESSION_IDLE_TIMEOUT', 'SESSION_LIFETIME')],
    [{ HEARTBEAT_INTERVAL: 1001 }, []],
    [{ SESSION_LIFETIME: 1 }, []]
  ]
  for (const [values, expected] of cases) check(t, values, expected)
})

t.test('settings-check: a PROXY header needs somebody to be believed', async t => {
  const refused = 'PROXY_PROTOCOL (environment) is "T": TRUST_PROXY is empty; ' +
    'allowed: off, or trusted with the addresses of the proxies in TRUST_PROXY'
  const cases: ReadonlyArray<[ValidValues, readonly string[]]> = [
    [{ PROXY_PROTOCOL: 'off', TRUST_PROXY: [] }, []],
    [{ PROXY_PROTOCOL: 'trusted', TRUST_PROXY: ['::1'] }, []],
    [{ PROXY_PROTOCOL: 'trusted', TRUST_PROXY: [] }, [refused]],
    [{ PROXY_PROTOCOL: 'trusted' }, []]
  ]
  for (const [values, expected] of cases) check(t, values, expected)
})

t.test('settings-check: folders are there, and files are not folders', async t => {
  const dir = t.testdir({ folder: {}, file: '' })
  const [folder, file, missing] = ['folder', 'file', 'missing'].map(name => join(dir, name)) as
    [string, string, string]
  const dirs = (refusal: string) =>
    `HTML_DIRS (environment) is "T": ${refusal}; allowed: folders that can be read`
  const cases: ReadonlyArray<[ValidValues, readonly string[]]> = [
    [{}, []],
    [{ HTML_DIRS: [folder, folder], DB_PATH: file, LOG_FILE: missing }, []],
    [{ DB_PATH: missing, LOG_FILE: undefined }, []],
    [{ HTML_DIRS: [missing, folder, missing, file] }, [
      dirs(`${missing} does not exist`), dirs(`${file} is not a folder`)]],
    [{ DB_PATH: folder }, [
      `DB_PATH (environment) is "T": ${folder} is a folder; allowed: the path of a file`]],
    [{ LOG_FILE: folder }, [`LOG_FILE (environment) is "T": ${folder} is a folder; ` +
      'allowed: the path of a file, or - for none']],
    [{ DB_PATH: file, LOG_FILE: file }, [
      `DB_PATH (environment) and LOG_FILE (environment) both name ${quotePath(file)}; allowed: two files`]]
  ]
  for (const [values, expected] of cases) {
    t.same(pathProblems(values, GIVEN, '/usher.env'), expected, JSON.stringify(values))
  }
})

t.test('settings-check: no site has the settings, the database, the log or the key in it', async t => {
  const dir = t.testdir({
    site: { data: {}, '.data': {} }, 'site-2': {}, link: t.fixture('symlink', 'site'), usher: { site: {} }
  })
  const site = join(dir, 'site')
  const check = (values: ValidValues, what: string | undefined, settingsFile = '/usher.env'): void => {
    const found = pathProblems(values, GIVEN, settingsFile)
    const path = values.DB_PATH ?? values.LOG_FILE ?? values.TLS_KEY ?? settingsFile
    t.same(found, what === undefined
      ? []
      : [`HTML_DIRS (environment) is "T": visitors could read ${what} there, ${quotePath(path)}; ` +
        'allowed: folders with pages and nothing else'], JSON.stringify({ values, settingsFile }))
  }
  const HTML_DIRS = [join(dir, 'site-2'), site, site]
  check({ HTML_DIRS, DB_PATH: join(site, 'usher.db') }, 'the database')
  check({ HTML_DIRS, DB_PATH: join(site, 'data/usher.db') }, 'the database')
  check({ HTML_DIRS, DB_PATH: join(site, 'new/deeper/usher.db') }, 'the database')
  check({ HTML_DIRS, LOG_FILE: join(site, 'server.log') }, 'the log')
  check({ HTML_DIRS, TLS_KEY: join(site, 'key.pem') }, 'the TLS key')
  check({ HTML_DIRS }, 'the settings', join(site, 'usher.env'))
  check({ HTML_DIRS: [join(dir, 'link')], DB_PATH: join(site, 'usher.db') }, 'the database')
  check({ HTML_DIRS, DB_PATH: join(dir, 'link/usher.db') }, 'the database')
  check({ HTML_DIRS, DB_PATH: join(site, '.well-known/usher.db') }, 'the database')
  check({ HTML_DIRS, DB_PATH: join(site, '.well-known/.usher.db') }, undefined)
  check({ HTML_DIRS, DB_PATH: join(site, 'data/.well-known/usher.db') }, undefined)
  check({ HTML_DIRS, DB_PATH: join(site, '.data/usher.db') }, undefined)
  check({ HTML_DIRS, DB_PATH: join(site, '.usher.db') }, undefined)
  check({ HTML_DIRS, DB_PATH: join(dir, 'site-3/usher.db') }, undefined)
  check({ HTML_DIRS: [join(dir, 'usher/site')], DB_PATH: join(dir, 'usher/usher.db') }, undefined)
  check({ HTML_DIRS, LOG_FILE: '', TLS_KEY: '' }, undefined)
})

t.test('settings-check: certificate and key come together', async t => {
  const dir = t.testdir({ cert: CERT, key: KEY, other: OTHER_KEY })
  const [cert, key, other] = ['cert', 'key', 'other'].map(name => join(dir, name)) as
    [string, string, string]
  const lone = (there: string, missing: string) =>
    `${there} (environment) is "T": ${missing} is empty; allowed: both or neither`
  const cases: ReadonlyArray<[ValidValues, hasPair: boolean, readonly string[]]> = [
    [{}, false, []],
    [{ TLS_CERT: cert }, false, []],
    [{ TLS_CERT: '', TLS_KEY: '' }, false, []],
    [{ TLS_CERT: cert, TLS_KEY: key }, true, []],
    [{ TLS_CERT: cert, TLS_KEY: '' }, false, [lone('TLS_CERT', 'TLS_KEY')]],
    [{ TLS_CERT: '', TLS_KEY: key }, false, [lone('TLS_KEY', 'TLS_CERT')]],
    [{ TLS_CERT: key, TLS_KEY: cert }, false, [
      `TLS_CERT (environment) is "T": ${key} holds no PEM certificate; allowed: a PEM file with a certificate`,
      `TLS_KEY (environment) is "T": ${cert} holds no PEM private key without a passphrase; allowed: a PEM file with the certificate's private key`]],
    [{ TLS_CERT: cert, TLS_KEY: other }, false, [
      `TLS_KEY (environment) is "T": it is not the key of the certificate in ${cert}; allowed: a PEM file with the certificate's private key`]]
  ]
  for (const [values, hasPair, problems] of cases) {
    const tls = checkTls(values, GIVEN)
    t.same(tls.problems, problems, JSON.stringify(values))
    t.same(tls.pair, hasPair ? { cert: CERT, key: KEY } : undefined, JSON.stringify(values))
  }
})

function check (t: Test, values: ValidValues, expected: readonly string[]): void {
  t.same(disagreements(values, GIVEN), expected, JSON.stringify(values))
}
