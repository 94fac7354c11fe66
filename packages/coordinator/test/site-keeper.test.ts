import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { reportOf, SiteRulesInvalid, SiteUnreadable } from '@usher/shared/errors.ts'
import { holderOfServer, holdSites, isHeld, SiteWriter } from '@usher/shared/memory/site-memory.ts'
import type { LoadedSites, LoadNews, LoadTask } from '@usher/shared/messages.ts'
import type * as keeper from '../src/site-keeper.ts'
import type { TaskSpec } from '../src/supervisor.ts'
import { testLog } from './fixtures/log.ts'

const MIB = 2 ** 20
const FOLDERS = ['/srv/a', '/srv/b', '/srv/a']

interface Loader {
  readonly task: LoadTask
  say: (news: LoadNews) => void
  die: (cause: Error) => void
  isEnded: boolean
}

const NOTHING = (): void => {}

/** A keeper whose loaders do what the test says. */
async function testKeeper () {
  const loaders: Loader[] = []
  const { SiteKeeper, checkSites, loadTimeoutMs } = await t.mockImport<typeof keeper>('../src/site-keeper.ts', {
    '../src/supervisor.ts': {
      startTask ({ data, onNews, onEnd }: TaskSpec<LoadNews>) {
        const loader: Loader = {
          task: data as LoadTask,
          say (news) {
            onNews(news)
            if (news.type !== 'found') loader.die(new Error('has done its work'))
          },
          // As a thread that has ended, it refers to nothing any more.
          die (cause) {
            onEnd(cause)
            loader.say = loader.die = NOTHING
          },
          isEnded: false
        }
        loaders.push(loader)
        const end = (): void => {
          loader.isEnded = true
          onEnd(new Error('was ended'))
        }
        return { end, tell: NOTHING }
      }
    }
  })
  const { log, lines } = testLog()
  const servers = FOLDERS.map((folder, index) => ({ kind: 'own', folder, index }))
  const live = { memoryFileMaxBytes: 4 * MIB }
  const sites = new SiteKeeper({
    servers: servers as never, live, tableBytes: 10 * MIB, programDir: '/opt/usher', log
  })
  const check = (): Promise<void> => checkSites({ servers: servers as never, live, programDir: '/opt/usher' })
  return { sites, live, loaders, lines, check, loadTimeoutMs }
}

function loadedSites (skipped: readonly string[] = [], isComplete = true): LoadedSites {
  const writer = new SiteWriter({ limitBytes: Infinity, leftBytes: Infinity })
  const index = writer.store(Buffer.alloc(2 * MIB))
  const rules = { headers: [], redirects: [] }
  const site = { dir: '/srv/a', index, rules, bytes: 0, skippedCount: skipped.length, skipped }
  return { memory: writer.finish(holderOfServer(FOLDERS.length)), sites: [site], isComplete }
}

t.test('site keeper: one thread reads each folder once, whoever asks', async t => {
  const { sites, loaders } = await testKeeper()
  const asked = [sites.current(), sites.current()]
  const loaded = loadedSites()
  loaders[0]!.say({ type: 'loaded', loaded })
  t.strictSame(await Promise.all(asked), [loaded, loaded])
  t.equal(await sites.current(), loaded)
  t.equal(loaders.length, 1)
  t.match(loaders[0]!.task, { dirs: ['/srv/a', '/srv/b'], serverCount: 3, memoryFileMaxBytes: 4 * MIB })
  t.ok(loaders[0]!.task.room.leftBytes > 0)
})

t.test('site keeper: what the first load has left is loaded afterwards, once, and warned of once', async t => {
  const { sites, loaders, lines } = await testKeeper()
  const first = sites.current()
  t.ok(loaders[0]!.task.isFirst)
  loaders[0]!.say({ type: 'loaded', loaded: loadedSites(['a (is no regular file)'], false) })
  t.notOk((await first).isComplete)
  const completing = sites.complete()
  await setTimeout(0)
  t.notOk(loaders[1]!.task.isFirst)
  const loaded = loadedSites(['a (is no regular file)'])
  loaders[1]!.say({ type: 'loaded', loaded })
  t.equal(await completing, loaded)
  t.equal(lines.length, 1)
  sites.keep(loaded)
  t.equal(await sites.complete(), undefined)
  t.equal(loaders.length, 2)
})

t.test('site keeper: the loader\'s error, and its death, are those of the load', async t => {
  const failing = await testKeeper()
  const failed = failing.sites.current()
  failing.loaders[0]!.say({ type: 'load-failed', error: reportOf(new SiteUnreadable('/srv/a could not be read')) })
  await t.rejects(failed, { code: 'USHER_SITE_UNREADABLE', message: '/srv/a could not be read' })
  await t.rejects(failing.sites.current(), { code: 'USHER_SITE_UNREADABLE' })

  const dying = await testKeeper()
  const died = dying.sites.current()
  dying.loaders[0]!.die(new Error('out of memory'))
  await t.rejects(died, { message: 'out of memory' })

  const stopping = await testKeeper()
  const stopped = stopping.sites.current()
  stopping.sites.close()
  await t.rejects(stopped, { message: 'was ended' })
})

t.test('site keeper: a load may take as long as its size needs', async t => {
  const { setTimeout: systemTimeout } = globalThis
  const { sites, loaders, loadTimeoutMs } = await testKeeper()
  const timers: Array<{ ms: number, ring: () => void }> = []
  t.intercept(globalThis, 'setTimeout', {
    value: (ring: () => void, ms: number) => {
      timers.push({ ms, ring })
      return systemTimeout(() => {}, 0)
    }
  })
  const loading = sites.load()
  loaders[0]!.say({ type: 'found', bytes: 72 * MIB })
  t.strictSame(timers.map(({ ms }) => ms), [60_000, 780_000])
  t.strictSame([0, MIB, 256 * MIB].map(loadTimeoutMs), [60_000, 70_000, 2_620_000])
  timers[1]!.ring()
  await t.rejects(loading, { code: 'USHER_ORDER_TIMED_OUT' })
  t.ok(loaders[0]!.isEnded)
})

t.test('site keeper: one warning names what was left out', async t => {
  const { sites, loaders, lines } = await testKeeper()
  const loading = sites.load()
  loaders[0]!.say({ type: 'loaded', loaded: loadedSites(['pipe (is no regular file)']) })
  await loading
  t.strictSame(lines, [{
    level: 40,
    folder: '/srv/a',
    count: 1,
    some: ['pipe (is no regular file)'],
    msg: 'some entries of the folder cannot be served and are left out'
  }])
})

/** Only what counts it: the memory itself must be free to go. */
type Holders = LoadedSites['memory']['holders']

t.test('site keeper: what a reload replaces counts until all threads have let go of it', async t => {
  t.intercept(process.memoryUsage, 'rss', { value: () => 0 })
  const { sites, loaders } = await testKeeper()
  const room = () => loaders.at(-1)!.task.room.leftBytes
  /** @param holder one of the servers, with a slow client */
  const load = async (how: 'current' | 'keep' | 'abandon', holder?: number): Promise<Holders> => {
    const loading = how === 'current' ? sites.current() : sites.load()
    const loaded = loadedSites()
    if (holder !== undefined) holdSites(loaded.memory, holderOfServer(holder))
    loaders.at(-1)!.say({ type: 'loaded', loaded })
    await loading
    if (how === 'keep') sites.keep(loaded)
    if (how === 'abandon') await sites.abandon()
    return loaded.memory.holders
  }
  const first = await load('current')
  const left = room()
  const second = await load('keep', 1)
  t.equal(room(), left - 2 * MIB, 'the current one stays while the next one is read')
  await released(first)
  const third = await load('abandon')
  t.equal(room(), left - 2 * MIB, 'the first one is free')
  await released(third)
  await load('keep')
  await load('abandon')
  t.equal(room(), left - 4 * MIB, 'a server still sends the second one')
  t.ok(isHeld(second))
  sites.endHold(1)
  await released(second)
})

t.test('site keeper: a check has each folder\'s rules read, and loads nothing', async t => {
  const { check, loaders } = await testKeeper()
  const good = check()
  t.strictSame(loaders[0]!.task, {
    type: 'check', dirs: ['/srv/a', '/srv/b'], memoryFileMaxBytes: 4 * MIB, bundle: 'site-loader.js'
  })
  loaders[0]!.say({ type: 'checked' })
  t.equal(await good, undefined)
  const bad = check()
  const error = reportOf(new SiteRulesInvalid('/srv/a/_headers line 1 is wrong'))
  loaders[1]!.say({ type: 'load-failed', error })
  await t.rejects(bad, { code: 'USHER_SITE_RULES_INVALID', message: '/srv/a/_headers line 1 is wrong' })
  const dead = check()
  loaders[2]!.die(new Error('out of memory'))
  await t.rejects(dead, { message: 'out of memory' })
})

t.test('site keeper: slow clients cannot keep one state after the other', async t => {
  const { sites, loaders } = await testKeeper()
  for (let loads = 0; loads < 4; loads++) {
    const loading = sites.load()
    const loaded = loadedSites()
    holdSites(loaded.memory, holderOfServer(0))
    loaders.at(-1)!.say({ type: 'loaded', loaded })
    sites.keep(await loading)
  }
  await t.rejects(sites.load(), {
    code: 'USHER_SITE_TOO_LARGE', message: /^files from before the last 3 reloads, 8 MiB .* are still being sent to slow clients: try again later/
  })
  t.equal(loaders.length, 4)
})

/** Turn by turn, as the collector needs it; the test's own time limit ends a wait in vain. */
async function released (holders: Holders): Promise<void> {
  while (isHeld(holders)) await setTimeout(20)
}
