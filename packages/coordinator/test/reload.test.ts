import { setImmediate } from 'node:timers/promises'
import { oneAtATime } from '@usher/shared/turns.ts'
import t from 'tap'
import { OrderTimedOut, SettingsInvalid, SiteUnreadable } from '@usher/shared/errors.ts'
import type { Order } from '@usher/shared/messages.ts'
import type { SettingChanges } from '@usher/shared/settings/setting-changes.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import type { LiveSettings } from '@usher/shared/settings/settings.ts'
import { NAMED_SERVERS } from '../../shared/test/settings/test-servers.ts'
import { noSites } from '../../shared/test/fixtures/no-sites.ts'
import { reloader } from '../src/reload.ts'
import { testLog } from './fixtures/log.ts'

type LogLevel = LiveSettings['logLevel']

const NONE: SettingChanges = {
  values: { router: {}, loader: {}, table: {}, servers: {}, 'every-thread': {} },
  servers: undefined,
  texts: [],
  needRestart: [],
  certificate: undefined
}
const LEVEL: SettingChanges = {
  ...NONE,
  values: { router: {}, loader: {}, table: {}, servers: {}, 'every-thread': { logLevel: 'debug' } },
  texts: ['LOG_LEVEL from info to debug']
}
const DELAY: SettingChanges = {
  ...NONE,
  values: { router: { delayBetweenRoutingMs: 100 }, loader: {}, table: {}, servers: {}, 'every-thread': {} },
  texts: ['DELAY_BETWEEN_ROUTING from 0.35 to 0.1']
}
const SITES = noSites()
const FILES = ['prepare-reload', 'commit-reload']

t.test('reload: files are read again and nothing is said of settings that are the same', async t => {
  const { reload, orders, reloads, messages } = testReload()
  await reload()
  t.same(orders, FILES)
  t.equal(reloads.count, 1)
  t.same(messages(), ['all servers serve the files as they are now'])
})

t.test('reload: what every thread applies goes to all, and into this thread\'s log', async t => {
  const { reload, orders, live, log, saying } = testReload({ changes: LEVEL })
  await reload()
  t.same(orders, [...FILES, { type: 'apply-settings', changes: { logLevel: 'debug' } }])
  t.match(live, { logLevel: 'debug', delayBetweenRoutingMs: 350 })
  t.equal(log.level, 'debug')
  t.match(saying('settings were changed'), [{ changes: LEVEL.texts }])
})

t.test('reload: what the router applies is no worker\'s business', async t => {
  const { reload, orders, live, saying } = testReload({ changes: DELAY })
  await reload()
  t.same(orders, FILES)
  t.match(live, { logLevel: 'info', delayBetweenRoutingMs: 100 })
  t.match(saying('settings were changed'), [{ changes: DELAY.texts }])
})

t.test('reload: what the loader applies is in the files that this reload loads, or not at all', async t => {
  const changes = {
    ...NONE,
    values: { router: {}, loader: { memoryFileMaxBytes: 8192 }, table: {}, servers: {}, 'every-thread': {} },
    texts: ['MEMORY_FILE_MAX from 4KiB to 8KiB']
  }
  const { reload, orders, live, loadedWith, saying } = testReload({ changes })
  await reload()
  t.strictSame(loadedWith, [{ memoryFileMaxBytes: 8192 }])
  t.equal(live.memoryFileMaxBytes, 8192)
  t.same(orders, FILES)
  t.match(saying('settings were changed'), [{ changes: changes.texts }])
  const failing = testReload({ changes, failing: 'load' })
  await failing.reload()
  t.equal(failing.live.memoryFileMaxBytes, 4096)
})

t.test('reload: what the table tells all threads is written there, when the settings say so', async t => {
  const values = { router: {}, loader: {}, table: { returnGraceMs: 5 }, servers: {}, 'every-thread': {} }
  const texts = ['RETURN_GRACE from 20 to 0.005']
  const { reload, orders, limits, saying } = testReload({ changes: { ...NONE, values, texts } })
  await reload()
  t.same(limits, [5])
  t.same(orders, FILES)
  t.match(saying('settings were changed'), [{ changes: texts }])
  const failing = testReload({ changes: { ...NONE, values, texts }, failing: 'load' })
  await failing.reload()
  t.same(failing.limits, [], 'or nothing is')
})

t.test('reload: servers are given as they are then, once what is said of them is in force', async t => {
  const values = { ...NONE.values, servers: { capacity: [10] } }
  const changes = { ...NONE, values, servers: NAMED_SERVERS, texts: ['CAPACITY from (empty) to 10'] }
  const { reload, servers } = testReload({ changes })
  await reload()
  t.strictSame(servers, [[NAMED_SERVERS, [10]]])
})

t.test('reload: the change of the log level is said at the more talkative of the two', async t => {
  const cases: ReadonlyArray<[from: LogLevel, to: LogLevel, lines: number]> = [
    ['info', 'error', 1], ['error', 'info', 1], ['debug', 'trace', 1], ['error', 'fatal', 0]
  ]
  for (const [from, to, lines] of cases) {
    const values = { router: {}, loader: {}, table: {}, servers: {}, 'every-thread': { logLevel: to } }
    const { reload, saying, log } = testReload({ level: from, changes: { ...LEVEL, values } })
    await reload()
    t.equal(saying('settings were changed').length, lines, `${from} to ${to}`)
    t.equal(log.level, to)
  }
})

t.test('reload: what needs a restart is named in one line', async t => {
  const needRestart = ['PORTS', 'METRICS_TOKEN'] as const
  const { reload, lines, live } = testReload({ changes: { ...DELAY, needRestart } })
  await reload()
  t.match(lines.filter(line => line['level'] === 40), [{ settings: needRestart }])
  t.equal(live.delayBetweenRoutingMs, 100, 'the rest is changed all the same')
})

t.test('reload: a wrong setting leaves everything as it is, and is named', async t => {
  const { reload, orders, reloads, live, lines } = testReload({
    changes: () => { throw new SettingsInvalid('PORTS is "x"\nHOST is "y"') }
  })
  await reload()
  t.same(orders, [])
  t.equal(reloads.count, 0)
  t.match(live, { logLevel: 'info', delayBetweenRoutingMs: 350 })
  t.match(lines, [{ level: 50, problems: ['PORTS is "x"', 'HOST is "y"'] }])
  t.equal(lines.length, 1)
})

t.test('reload: files that cannot be read leave the settings as they are', async t => {
  for (const [failing, told] of [['load', []], ['prepare-reload', ['prepare-reload']]] as const) {
    const { reload, orders, reloads, live, kept, messages } =
      testReload({ changes: LEVEL, failing })
    await reload()
    t.same(orders, [...told, 'abort-reload'])
    t.equal(reloads.count, 0)
    t.equal(live.logLevel, 'info')
    t.same(kept, ['abandoned'])
    t.same(messages(), ['the reload failed: not every server could read its files, so pages and settings stay as they were'])
  }
})

t.test('reload: servers that start between the steps get the new files, and a slow one is said', async t => {
  const { reload, orders, reloads, live, kept, messages } =
    testReload({ changes: LEVEL, failing: 'commit-reload' })
  await reload()
  t.same(orders.slice(0, 2), FILES)
  t.same(kept, ['kept after prepare-reload'], 'it will switch when it comes round: there is no way back')
  t.equal(reloads.count, 1)
  t.equal(live.logLevel, 'debug')
  t.same(messages(), [
    'not every server has said that it serves the files as they are now', 'settings were changed'
  ])
})

t.test('reload: a thread that does not take a setting over is said, the others have it', async t => {
  const { reload, live, messages } = testReload({ changes: LEVEL, failing: 'apply-settings' })
  await reload()
  t.equal(live.logLevel, 'debug')
  t.same(messages(), [
    'all servers serve the files as they are now',
    'settings were changed',
    'not every thread has taken over the changed settings'
  ])
})

t.test('reload: one begins when the one before has ended', async t => {
  const { reload, orders, hold } = testReload()
  const letGo = hold()
  const both = Promise.all([reload(), reload()])
  await setImmediate()
  t.same(orders, ['prepare-reload'])
  letGo()
  await both
  t.same(orders, [...FILES, ...FILES])
})

t.test('reload: the log is opened anew whatever comes of the rest, and the other way round', async t => {
  const wrong = testReload({ changes: () => { throw new SettingsInvalid('PORTS is "x"') } })
  await wrong.reload()
  t.equal(wrong.logReopens.count, 1)
  const full = testReload({ failing: 'reopen-log' })
  await full.reload()
  t.same(full.messages(), [
    'not every thread could open LOG_FILE anew: its lines go on into the old file',
    'all servers serve the files as they are now'
  ])
})

t.test('reload: a certificate is handed on, checked, once the files are read', async t => {
  const certificate = { cert: 'a', key: 'b' }
  const { reload, orders } = testReload({ changes: { ...LEVEL, certificate } })
  await reload()
  t.match(orders, [...FILES, 'switch to a', { type: 'apply-settings' }])
  const failing = testReload({ changes: { ...NONE, certificate }, failing: 'prepare-reload' })
  await failing.reload()
  t.notOk(failing.orders.includes('switch to a'))
})

t.test('reload: a certificate that a thread does not take is said, and the rest goes on', async t => {
  const certificate = { cert: 'a', key: 'b' }
  const { reload, live, messages } =
    testReload({ changes: { ...LEVEL, certificate }, failing: 'switch to a' })
  await reload()
  t.equal(live.logLevel, 'debug')
  t.ok(messages().includes('not every thread has taken over the changed certificate'))
})

/** A reload of workers that only write down what they are told. */
function testReload ({
  changes = NONE as SettingChanges | (() => SettingChanges), failing = '', level = 'info' as LogLevel
} = {}) {
  const { log, lines, saying } = testLog(level)
  const orders: Array<string | Order> = []
  const live: LiveSettings = {
    logLevel: level,
    delayBetweenRoutingMs: 350,
    memoryFileMaxBytes: 4096,
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
  }
  const loadedWith: object[] = []
  const limits: number[] = []
  const servers: Array<readonly [readonly Slot[], readonly number[]]> = []
  const reloads = { count: 0 }
  const kept: string[] = []
  const logReopens = { count: 0 }
  let held = Promise.resolve()
  const tell = async (order: Order): Promise<void> => {
    orders.push(order.type === 'apply-settings' ? order : order.type)
    await held
    if (order.type === failing) throw new OrderTimedOut('server 8000', order.type)
  }
  const reload = reloader({
    inTurn: oneAtATime(),
    readChanges: typeof changes === 'function' ? changes : () => changes,
    live,
    setLimits: () => { limits.push(live.returnGraceMs) },
    setServers: async list => { servers.push([list, live.capacity]) },
    sites: {
      async load (changes) {
        loadedWith.push(changes!)
        if (failing === 'load') throw new SiteUnreadable('/srv/www could not be read')
        return SITES
      },
      keep: loaded => { kept.push(loaded === SITES ? `kept after ${String(orders.at(-1))}` : 'others') },
      abandon: async () => { kept.push('abandoned') }
    },
    workers: { tellServers: tell, tellAll: tell },
    reopenLog: async () => {
      logReopens.count++
      if (failing === 'reopen-log') throw new Error('no space')
    },
    switchCertificate: async ({ cert }) => {
      orders.push(`switch to ${cert}`)
      if (failing === `switch to ${cert}`) throw new OrderTimedOut('server 8000', failing)
    },
    meter: { reloaded: () => { reloads.count++ } },
    log
  })
  return {
    reload,
    orders,
    live,
    loadedWith,
    limits,
    servers,
    reloads,
    kept,
    logReopens,
    log,
    lines,
    saying,
    messages: () => lines.map(line => line['msg']),
    /** Orders are carried out when the returned function is called. */
    hold (): () => void {
      let letGo = (): void => {}
      held = new Promise(resolve => { letGo = resolve })
      return letGo
    }
  }
}
