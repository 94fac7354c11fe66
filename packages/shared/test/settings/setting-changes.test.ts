import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  applyToThread, compareSettings, type ChangedValues
} from '@usher/shared/settings/setting-changes.ts'
import { CERT, KEY } from '../fixtures/tls-pems.ts'
import { SETTING_ROWS } from '@usher/shared/settings/setting-rows.ts'
import { loadSettings, type CompleteSettings } from '@usher/shared/settings/settings.ts'

const NOTHING = {
  values: { router: {}, loader: {}, table: {}, servers: {}, 'every-thread': {} },
  servers: undefined,
  texts: [],
  needRestart: [],
  certificate: undefined
}

t.test('setting-changes: what is read again as it was is no change', async t => {
  const env = { PORTS: '0,1', TRUST_PROXY: '::1', METRICS_TOKEN: 'hunter2-hunter2-' }
  t.strictSame(compareSettings(settings(t, env), settings(t, env)), NOTHING)
})

t.test('setting-changes: each applier gets what is its own, and people the texts', async t => {
  const running = settings(t, {})
  t.strictSame(compareSettings(running, settings(t, { LOG_LEVEL: 'debug' })), {
    ...NOTHING,
    values: { router: {}, loader: {}, table: {}, servers: {}, 'every-thread': { logLevel: 'debug' } },
    texts: ['LOG_LEVEL from info to debug']
  })
  t.strictSame(compareSettings(running, settings(t, { DELAY_BETWEEN_ROUTING: '0', LOG_LEVEL: 'warn' })), {
    ...NOTHING,
    values: { router: { delayBetweenRoutingMs: 0 }, loader: {}, table: {}, servers: {}, 'every-thread': { logLevel: 'warn' } },
    texts: ['LOG_LEVEL from info to warn', 'DELAY_BETWEEN_ROUTING from 0.35 to 0']
  })
})

t.test('setting-changes: what is said of servers comes with the servers as they are then', async t => {
  const running = settings(t, { CAPACITY: '10' })
  t.strictSame(compareSettings(running, settings(t, { CAPACITY: '10' })), NOTHING)
  const read = settings(t, { RETURN_GRACE: '5' })
  t.strictSame(compareSettings(running, read), {
    ...NOTHING,
    values: { router: {}, loader: {}, table: { returnGraceMs: 5000 }, servers: { capacity: [] }, 'every-thread': {} },
    servers: read.settings.servers,
    texts: ['CAPACITY from 10 to (empty)', 'RETURN_GRACE from 20 to 5']
  })
})

t.test('setting-changes: what is in the order of the servers waits for those of our own', async t => {
  const EXTERNAL_SERVERS = 'shop-a=https://a.example'
  const running = settings(t, { EXTERNAL_SERVERS, WEIGHTS: '1,1,1,1' })
  const more = { EXTERNAL_SERVERS: `${EXTERNAL_SERVERS},shop-b=https://b.example`, HEALTH_RISE: '1,2' }
  const read = settings(t, { ...more, WEIGHTS: '1,2,3,4,5' })
  const { servers, texts, needRestart } = compareSettings(running, read)
  t.strictSame(servers, read.settings.servers)
  t.strictSame([texts.length, needRestart], [3, []])
  const moved = settings(t, { ...more, PORTS: '1,2', WEIGHTS: '1,2,3,4', LOG_LEVEL: 'warn' })
  const waiting = compareSettings(running, moved)
  t.strictSame([waiting.servers, waiting.values.servers, waiting.texts],
    [undefined, {}, ['LOG_LEVEL from info to warn']])
  t.strictSame([...waiting.needRestart].sort(),
    ['EXTERNAL_SERVERS', 'HEALTH_RISE', 'HTML_DIRS', 'PORTS', 'WEIGHTS'])
})

t.test('setting-changes: what was changed before is compared as it is now', async t => {
  const running = settings(t, {})
  applyToThread(running.settings.live, { logLevel: 'debug' }, { level: 'info' })
  t.strictSame(compareSettings(running, settings(t, { LOG_LEVEL: 'debug' })), NOTHING)
  t.same(compareSettings(running, settings(t, {})).texts, ['LOG_LEVEL from debug to info'])
})

t.test('setting-changes: the others are named only, a secret no less', async t => {
  const running = settings(t, { METRICS_TOKEN: 'hunter2-hunter2-' })
  const read = settings(t, { METRICS_TOKEN: 'hunter3-hunter3-', PORTS: '1,2', LOG_LEVEL: 'error' })
  const changes = compareSettings(running, read)
  t.same(changes.needRestart, ['PORTS', 'HTML_DIRS', 'METRICS_TOKEN'], 'a folder for each port')
  t.same(changes.texts, ['LOG_LEVEL from info to error'])
  t.notMatch(JSON.stringify(changes), 'hunter')
})

t.test('setting-changes: the certificate is what its files hold now, unless they are others', async t => {
  const pems = { 'a.pem': CERT, 'b.pem': CERT, 'key.pem': KEY }
  const tls = (cert: string): CompleteSettings =>
    settings(t, { TLS_CERT: cert, TLS_KEY: 'key.pem' }, pems)
  const running = tls('a.pem')
  t.strictSame(compareSettings(running, tls('a.pem')).certificate, { cert: CERT, key: KEY })
  const other = compareSettings(running, tls('b.pem'))
  t.strictSame([other.certificate, other.needRestart], [undefined, ['TLS_CERT']])
  const without = compareSettings(running, settings(t, {}, pems))
  t.strictSame([without.certificate, without.needRestart], [undefined, ['TLS_CERT', 'TLS_KEY']])
})

/** A reload says what is in them now. */
const LISTS = ['CAPACITY', 'ALLOWED_ORIGINS']

t.test('setting-changes: every row is either an applier\'s or needs a restart', async t => {
  const running = settings(t, {})
  const { values: now } = running
  const values = Object.fromEntries(Object.entries(now).map(([name, value]) =>
    [name, value === undefined ? null : LISTS.includes(name) ? [1] : undefined]))
  const differsInAll = { settings: {}, values } as unknown as CompleteSettings
  const { values: changed, needRestart } = compareSettings(running, differsInAll)
  const applied = Object.values(changed).flatMap(Object.keys)
  t.equal(applied.length + needRestart.length, SETTING_ROWS.length)
})

t.test('setting-changes: a thread reads the new value from the object it has, the log is told', async t => {
  const { live } = settings(t, {}).settings
  const log = { level: 'info' }
  applyToThread(live, {}, log)
  t.same(log, { level: 'info' })
  const changes: ChangedValues<'every-thread'> = { logLevel: 'trace' }
  applyToThread(live, changes, log)
  t.same([log.level, live.logLevel, live.delayBetweenRoutingMs], ['trace', 'trace', 350])
})

t.test('setting-changes: only what a reload may change can be said to a thread', async t => {
  const all: ChangedValues<'every-thread' | 'router'> = { logLevel: 'info', delayBetweenRoutingMs: 1 }
  // @ts-expect-error: the router's own
  const routers: ChangedValues<'every-thread'> = { delayBetweenRoutingMs: 1 }
  // @ts-expect-error: needs a restart
  const fixed: ChangedValues<'every-thread'> = { maxUsers: 16 }
  t.same(Object.keys({ ...all, ...routers, ...fixed }), ['logLevel', 'delayBetweenRoutingMs', 'maxUsers'])
})

function settings (
  t: Test, env: Record<string, string>, files: Record<string, string> = {}
): CompleteSettings {
  const dir = t.testdir({ html: { 'site-1': {}, 'site-2': {}, 'site-3': {}, ...files } })
  const source = { argv: [], env: { IP: '::1', ...env }, cwd: join(dir, 'html'), programDir: dir }
  return loadSettings(source) as CompleteSettings
}
