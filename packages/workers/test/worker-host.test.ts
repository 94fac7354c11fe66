import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { buildSync } from 'esbuild'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { LAYOUT_VERSION } from '@usher/shared/memory/layout.ts'
import { allocateLogLosses } from '@usher/shared/memory/log-losses.ts'
import { allocateMeters, MeterReader, MONITOR_METER } from '@usher/shared/memory/meters.ts'
import { allocateTable, MAIN_THREAD_PATIENCE } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import type { BootData, News, Order, ToWorker } from '@usher/shared/messages.ts'
import { noSites } from '../../shared/test/fixtures/no-sites.ts'
import { loadSettings, type Settings } from '@usher/shared/settings/settings.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const TIMES = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }
const READY: News = { type: 'ready', port: 4711, layoutVersion: LAYOUT_VERSION }
const THREAD_TAG = 7
const PREPARE: Order = { type: 'prepare-reload', loaded: noSites() }
const COMMIT: Order = { type: 'commit-reload', loaded: noSites() }
const ABORT: Order = { type: 'abort-reload' }
const SAVE: Order = { type: 'save-users', withinMs: 1000 }
const CLOSE: Order = { type: 'close' }

const WORKER = `${t.testdir()}/small-worker.mjs`
buildSync({
  entryPoints: [new URL('fixtures/small-worker.ts', import.meta.url).pathname],
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['pino', 'pino-pretty'],
  outfile: WORKER,
  banner: { js: "import { createRequire as forPackages } from 'node:module'; const require = forPackages(import.meta.url);" }
})

interface TestWorker {
  readonly boot: BootData
  /** What it has said so far. */
  readonly news: readonly News[]
  /** Resolves when it has said so much. */
  said (count: number): Promise<readonly News[]>
  give (...orders: Order[]): void
  say (message: ToWorker): void
  /** The thread's exit code, when it has ended by itself. */
  readonly ended: Promise<number>
}

function testSettings (t: Test, env: Record<string, string> = {}): Settings {
  const cwd = t.testdir({ html: {} })
  const { settings } = loadSettings({
    argv: [],
    env: { LOG_FILE: '-', LOG_LEVEL: 'silent', HTML_DIRS: 'html', ...env },
    cwd,
    programDir: cwd
  })
  return settings!
}

function startWorker (t: Test, changes: Partial<BootData> = {}): TestWorker {
  const boot: BootData = {
    name: 'small',
    threadTag: THREAD_TAG,
    memory: allocateTable(16, 1, TIMES, () => 1),
    meters: allocateMeters(1),
    logLosses: allocateLogLosses(),
    settings: changes.settings ?? testSettings(t),
    denyEntries: [],
    ticketKeys: [],
    health: [],
    fleet: undefined,
    isTerminal: false,
    programDir: '/nowhere',
    server: 0,
    isFirstStart: true,
    ...changes
  }
  const worker = new Worker(WORKER, { workerData: boot, execArgv: [] })
  t.teardown(() => worker.terminate())
  const news: News[] = []
  worker.on('message', (item: News) => { news.push(item) })
  let orders = 0
  const say = (message: ToWorker): void => worker.postMessage(message)
  return {
    boot,
    news,
    async said (count) {
      while (news.length < count) await once(worker, 'message')
      return news
    },
    give (...list) {
      for (const order of list) say({ type: 'order', id: ++orders, order })
    },
    say,
    ended: once(worker, 'exit').then(([code]) => code as number)
  }
}

t.test('worker host: says that it is ready, and where', async t => {
  const { said } = startWorker(t)
  t.same(await said(1), [READY])
})

t.test('worker host: carries out orders one by one, in their order, and answers each', async t => {
  const { said, give } = startWorker(t)
  give(PREPARE, COMMIT, ABORT, PREPARE, { type: 'set-readiness', reason: 'a text' }) // Before it is there.
  await said(6)
  give(COMMIT, PREPARE)
  t.match(await said(8), [
    READY,
    { type: 'done', id: 1 },
    { type: 'failed', id: 2, error: { code: 'USHER_DATABASE_DAMAGED', message: 'nothing to commit', stack: /small-worker/ } },
    { type: 'failed', id: 3, error: { code: 'TypeError', message: 'nothing to abort' } },
    { type: 'done', id: 4 },
    { type: 'failed', id: 5, error: { code: 'USHER_UNKNOWN', message: 'a text', stack: '' } },
    { type: 'failed', id: 6, error: { code: 'USHER_DATABASE_DAMAGED' } },
    { type: 'done', id: 7 }
  ])
})

t.test('worker host: asks while it boots; orders wait for its end, answers do not', async t => {
  const { said, give, say } = startWorker(t, { name: 'asks' })
  give(PREPARE)
  const asked = await said(3)
  t.match(asked, [
    { type: 'asked', ask: { type: 'set-deny-list', entries: [] } },
    { type: 'asked', ask: { type: 'disconnect', client: { kind: 'id' } } },
    { type: 'asked', ask: { type: 'set-drain', server: 9 } }
  ])
  const [list, client, drain] = asked.map(news => 'id' in news ? news.id : -1)
  const error = { code: 'RangeError', message: 'there is no server 9', stack: '' }
  say({ type: 'failed', id: drain!, error })
  say({ type: 'answered', id: client!, answer: { wasHere: true, removedUsers: 1 } })
  say({ type: 'answered', id: list!, answer: { removedUsers: 5 } })
  t.same((await said(5)).slice(3), [READY, { type: 'done', id: 1 }])
})

t.test('worker host: clients who do not go hold up no other order', async t => {
  const { said, give } = startWorker(t)
  give(PREPARE, { type: 'close-clients', expelled: { client: undefined, entries: [] } }, PREPARE)
  t.same(await said(3), [READY, { type: 'done', id: 1 }, { type: 'done', id: 3 }])
})

t.test('worker host: whoever is expelled while it closes goes at once', async t => {
  const { said, give } = startWorker(t, { name: 'closes slowly' })
  give(CLOSE, PREPARE)
  t.same(await said(2), [READY, { type: 'done', id: 2 }], 'it is closing still')
})

t.test('worker host: works on the table that it was given', async t => {
  const { boot, said, give } = startWorker(t)
  give(SAVE)
  await said(2)
  const table = new UserTable(boot.memory, {
    threadTag: 1, patience: MAIN_THREAD_PATIENCE, now: () => 0
  })
  t.equal(table.activeUsers(0), 1)
})

t.test('worker host: says in its own meters what it has open', async t => {
  const { boot, said } = startWorker(t)
  await said(1)
  const meters = new MeterReader(boot.meters, monotonicNowMs).read()
  t.equal(meters.connections(0), 3)
  t.equal(meters.connections(MONITOR_METER), undefined)
})

t.test('worker host: keeps the deny list, from the start and as it is replaced', async t => {
  const { said, give } = startWorker(t, {
    denyEntries: [{ kind: 'id', text: ID, untilMs: undefined }]
  })
  const range = { kind: 'range', text: '192.0.2.0/24', untilMs: Date.now() + 3_600_000 } as const
  const replace = (entries: typeof range[]): Order => ({ type: 'replace-deny-list', entries })
  const orders = [
    SAVE, replace([]), SAVE, replace([range]), SAVE, replace([{ ...range, text: 'x' as never }]), SAVE
  ]
  for (const [done, order] of orders.entries()) {
    await said(done + 1)
    give(order)
  }
  t.match(await said(8), [
    READY,
    { type: 'failed', id: 1, error: { message: 'denied' } },
    { type: 'done', id: 2 },
    { type: 'failed', id: 3, error: { message: 'admitted' } },
    { type: 'done', id: 4 },
    { type: 'failed', id: 5, error: { message: 'denied' } },
    { type: 'failed', id: 6, error: { code: 'USHER_DENY_ENTRY_INVALID', message: '"x"' } },
    { type: 'failed', id: 7, error: { message: 'denied' } }
  ])
})

t.test('worker host: a deny list that comes later is waited for, and takes no turn', async t => {
  const { news, said, give } = startWorker(t, { name: 'needs its list', denyEntries: undefined })
  give(PREPARE)
  const list = { type: 'replace-deny-list' } as const
  give({ ...list, entries: [{ kind: 'range', text: '10/8', untilMs: undefined }] })
  t.match(await said(1), [{ type: 'failed', id: 2, error: { code: 'USHER_DENY_ENTRY_INVALID' } }])
  give({ ...list, entries: [{ kind: 'id', text: ID, untilMs: undefined }] }, SAVE)
  await said(5)
  t.match(news.slice(1), [
    { type: 'done', id: 3 },
    READY,
    { type: 'done', id: 1 },
    { type: 'failed', id: 4, error: { message: 'denied' } }
  ])
})

t.test('worker host: a deny list is in force although an earlier order takes long', async t => {
  const { said, give } = startWorker(t, { name: 'prepares until it denies' })
  await said(1)
  const entries = [{ kind: 'id', text: ID, untilMs: undefined }] as const
  give(PREPARE, { type: 'replace-deny-list', entries })
  t.same((await said(3)).slice(1), [{ type: 'done', id: 2 }, { type: 'done', id: 1 }])
})

t.test('worker host: changed settings are in force at once, in the midst of the boot too', async t => {
  const settings = { ...testSettings(t), logFile: `${t.testdir()}/server.log` }
  const { said, give, ended } = startWorker(t, {
    name: 'needs its list', denyEntries: undefined, settings
  })
  const level = (logLevel: Settings['live']['logLevel']): Order => ({ type: 'apply-settings', changes: { logLevel } })
  give(PREPARE, level('info'))
  t.same(await said(1), [{ type: 'done', id: 2 }])
  give({ type: 'replace-deny-list', entries: [] })
  await said(4)
  give(level('silent'), CLOSE)
  await ended
  const lines = readFileSync(settings.logFile, 'utf8').trimEnd().split('\n')
  t.match(lines.map(line => JSON.parse(line) as object), [{ msg: 'started' }], 'and not that it closed')
  t.equal(lines.length, 1)
})

t.test('worker host: a failed boot is news with code and message, and the thread ends', async t => {
  const old = allocateTable(16, 1, TIMES, () => 1)
  new Int32Array(old.buffer)[0] = LAYOUT_VERSION + 1
  const noFile = { ...testSettings(t), logFile: '/dev/null/server.log' }
  const cases: ReadonlyArray<[changes: Partial<BootData>, code: string, message: string]> = [
    [{ name: 'fails' }, 'USHER_DATABASE_DAMAGED', 'the database is damaged'],
    [{ name: 'throws text' }, 'USHER_UNKNOWN', 'just text'],
    [{ denyEntries: [{ kind: 'range', text: '10/8', untilMs: undefined }] }, 'USHER_DENY_ENTRY_INVALID', '"10/8"'],
    [{ memory: old }, 'Error', 'user table of another layout'],
    [{ settings: noFile }, 'EEXIST', '/dev/null']
  ]
  for (const [changes, code, message] of cases) {
    const { news, ended, give } = startWorker(t, changes)
    give(PREPARE) // The coordinator does not answer.
    t.equal(await ended, 0, code)
    t.match(news, [{ type: 'boot-failed', error: { code, message, stack: String } }], code)
    t.equal(news.length, 1, code)
  }
})

t.test('worker host: close is answered after what came before it, then the thread ends', async t => {
  const { news, give, ended } = startWorker(t)
  give(PREPARE, CLOSE)
  t.equal(await ended, 0)
  t.same(news, [READY, { type: 'done', id: 1 }, { type: 'done', id: 2 }])
})

t.test('worker host: a close that fails is answered, and the thread goes on', async t => {
  const { said, give } = startWorker(t, { name: 'does not close' })
  give(CLOSE, PREPARE)
  t.match(await said(3), [
    READY,
    { type: 'failed', id: 1, error: { message: 'a socket stays open' } },
    { type: 'done', id: 2 }
  ])
})

t.test('worker host: logs under its name, at the level and to the file of the settings', async t => {
  const settings = { ...testSettings(t, { LOG_LEVEL: 'info' }), logFile: `${t.testdir()}/logs/server.log` }
  const { give, ended } = startWorker(t, { name: 'server 8000', settings })
  give(CLOSE)
  await ended
  const lines = readFileSync(settings.logFile, 'utf8').trimEnd().split('\n')
  t.match(lines.map(line => JSON.parse(line) as object), [
    { thread: 'server 8000', msg: 'started' }, { thread: 'server 8000', msg: 'closed' }
  ])
})
