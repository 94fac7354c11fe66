import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as threads from 'node:worker_threads'
import t, { type Test } from 'tap'
import { LAYOUT_VERSION } from '@usher/shared/memory/layout.ts'
import { MAIN_THREAD_TAG } from '@usher/shared/memory/table-view.ts'
import type { Ask, AskAnswer, BootData, ThreadData } from '@usher/shared/messages.ts'
import { noSites } from '../../shared/test/fixtures/no-sites.ts'
import type * as supervisor from '../src/supervisor.ts'
import { testLog } from './fixtures/log.ts'
import { until } from './fixtures/until.ts'

const TIMEOUT_MS = 30_000
const RELOAD = { type: 'prepare-reload', loaded: noSites() } as const
const SAVE = { type: 'save-users', withinMs: 1000 } as const
const ABORT = { type: 'abort-reload' } as const
const COMMIT = { type: 'commit-reload', loaded: noSites() } as const

const LIVES_MAX = 16
/** A word of the record behind those of the lives. */
const HELD = LIVES_MAX + 1

/** A thread without the test runner's loaders, which take half a second each time. */
class BareWorker extends threads.Worker {
  constructor (file: URL, options: threads.WorkerOptions) {
    super(file, { ...options, execArgv: [] })
  }
}

const { superviseWorker } = await t.mockImport<typeof supervisor>(
  '../src/supervisor.ts', { 'node:worker_threads': { ...threads, Worker: BareWorker } }
)

const folder = t.testdir()
let scriptCount = 0

/** What every worker of these tests begins with. */
const PRELUDE = `
import { parentPort, workerData as boot } from 'node:worker_threads'
const say = news => parentPort.postMessage(news)
const ready = () => say({ type: 'ready', port: 8000, layoutVersion: ${LAYOUT_VERSION} })
const onOrder = carryOut => parentPort.on('message', message => carryOut(message))
const record = new Int32Array(boot.memory.buffer)
const HELD = ${HELD}
const life = Atomics.add(record, 0, 1) + 1 // Counts the threads from 1 on.
record[life] = boot.threadTag
`

/** Serves and does what it is told; some orders have other uses here. */
const DUTIFUL = `
onOrder(({ id, order }) => {
  if (order.type === 'save-users') process.exit(7)
  if (order.type === 'abort-reload') throw new TypeError('out of my hands')
  if (order.type === 'commit-reload') {
    return say({ type: 'failed', id, error: { code: 'USHER_X', message: 'cannot', stack: 'there' } })
  }
  if (order.type === 'set-readiness') return
  say({ type: 'done', id })
  if (order.type === 'close') parentPort.close()
})
ready()
`

t.test('supervisor: start resolves when the worker serves, with its boot data', async t => {
  const { worker, events } = testWorker(t, `
    if (boot.name !== 'server 8000' || boot.server !== 0) throw new Error('boot data')
    if (!boot.isFirstStart || boot.programDir !== '/program-1') throw new Error('boot data')
    ${DUTIFUL}
  `)
  await worker.start()
  t.equal(worker.name, 'server 8000')
  t.equal(worker.restarts, 0)
  t.strictSame(events, ['boot', 'up'])
})

t.test('supervisor: a first start that fails rejects with the worker\'s own error', async t => {
  const cases: ReadonlyArray<readonly [script: string, expected: object]> = [
    [
      'say({ type: \'boot-failed\', error: { code: \'USHER_DATABASE_DAMAGED\', message: \'torn\', stack: \'there\' } })',
      { code: 'USHER_DATABASE_DAMAGED', message: 'torn', stack: 'there' }
    ],
    [
      `say({ type: 'boot-failed', error: { code: 'EACCES', message: 'no', stack: '' } })
       setInterval(() => {}, 1000) // Something is left that would keep the thread alive.`,
      { code: 'EACCES', message: 'no' }
    ],
    ['throw new TypeError("not a function")', { name: 'TypeError', message: 'not a function' }],
    ['process.exit(3)', {
      code: 'USHER_WORKER_ENDED', message: 'server 8000 ended by itself with code 3'
    }],
    ['', { code: 'USHER_WORKER_ENDED', message: 'server 8000 ended by itself with code 0' }],
    ['await Promise.reject(new RangeError("later"))', { name: 'RangeError', message: 'later' }]
  ]
  for (const [script, expected] of cases) {
    const { worker, events, tags, lines } = testWorker(t, script)
    t.match(await worker.start().catch((error: unknown) => error), expected, script)
    await worker.close(TIMEOUT_MS)
    t.strictSame(events, ['boot', `down ${tags()[0]}`], 'recovered all the same, not replaced')
    t.strictSame(lines, [], 'whoever called start() is told, and logs it')
  }
})

t.test('supervisor: a worker of another layout is refused and ended', async t => {
  const { worker, events, tags } = testWorker(t, `
    say({ type: 'ready', port: 8000, layoutVersion: ${LAYOUT_VERSION + 1} })
    setInterval(() => {}, 1000)
  `)
  await t.rejects(worker.start(), {
    code: 'USHER_LAYOUT_MISMATCH',
    message: 'server 8000 was built with another layout of the user table'
  })
  t.strictSame(events, ['boot', `down ${tags()[0]}`])
})

t.test('supervisor: a file that is not there rejects, and a boot that throws does too', async t => {
  const missing = testWorker(t, DUTIFUL, { file: new URL('file:///nowhere/worker.mjs') })
  await t.rejects(missing.worker.start(), { message: /^Cannot find module/ })
  const thrower = testWorker(t, DUTIFUL, { onBoot: () => { throw new Error('no boot data') } })
  await t.rejects(thrower.worker.start(), { message: 'no boot data' })
})

t.test('supervisor: a worker that dies is replaced at once', async t => {
  for (const killer of [SAVE, ABORT]) {
    const { worker, events, tags, saying } = testWorker(t, DUTIFUL)
    await worker.start()
    await t.rejects(worker.ask(killer, TIMEOUT_MS), { code: 'USHER_WORKER_GONE' })
    await until(() => saying('a worker is up again').length === 1)
    t.match(saying('a worker died and is replaced'), [{ pauseMs: 0 }])
    t.equal(worker.restarts, 1)
    t.strictSame(events, ['boot', 'up', `down ${tags()[0]}`, 'boot', 'up'],
      'the dead one is dealt with once, and before the next one starts')
    await t.resolves(worker.ask(RELOAD, TIMEOUT_MS), 'the replacement works')
  }
})

t.test('supervisor: a death is logged once, with its cause and the pause', async t => {
  const { worker, saying, lines } = testWorker(t, DUTIFUL)
  await worker.start()
  await t.rejects(worker.ask(ABORT, TIMEOUT_MS))
  await until(() => saying('a worker is up again').length === 1)
  t.match(lines, [
    {
      level: 50,
      msg: 'a worker died and is replaced',
      worker: 'server 8000',
      pauseMs: 0,
      err: { type: 'TypeError', message: 'out of my hands', stack: /worker-\d+\.mjs/ }
    },
    { level: 30, msg: 'a worker is up again', worker: 'server 8000' }
  ])
  t.equal(lines.length, 2)
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS))
  t.match(saying('a worker died and is replaced')[1], {
    err: { message: 'server 8000 ended by itself with code 7' }
  })
})

t.test('supervisor: a worker that dies in the turn in which it is ready is replaced too', async t => {
  const { worker, saying, tags } = testWorker(t, `
    if (life === 1) {
      Atomics.wait(record, 0, life, 50) // The main thread is to be busy by now.
      ready()
      process.exit(1)
    }
    ${DUTIFUL}
  `)
  const started = worker.start()
  await until(() => tags().length === 1)
  const busyMs = performance.now()
  while (performance.now() < busyMs + 300); // News and exit are then heard in one turn.
  await started
  await until(() => saying('a worker is up again').length === 1)
  await t.resolves(worker.ask(RELOAD, TIMEOUT_MS))
})

t.test('supervisor: a worker that keeps dying is replaced after growing pauses', async t => {
  const { worker, saying, tags, births } = testWorker(t, `
    if (life === 2 || life === 3) throw new Error('again')
    ${DUTIFUL}
    if (life === 1) process.exit(1)
  `)
  await worker.start()
  await until(() => saying('a worker is up again').length === 1)
  const deaths = saying('a worker died and is replaced')
  t.strictSame(deaths.map(({ pauseMs }) => pauseMs), [0, 100, 500])
  t.match(deaths[2], { err: { message: 'again' } })
  t.equal(worker.restarts, 3)
  t.equal(new Set(tags()).size, 4, 'a tag is never used again')
  const pauses = births.slice(1).map((bornMs, at) => bornMs - births[at]!)
  t.ok(pauses[1]! >= 99 && pauses[2]! >= 499, pauses.join(' '))
})

t.test('supervisor: no two threads of the program have the same tag', async t => {
  const workers = [testWorker(t, DUTIFUL), testWorker(t, DUTIFUL), testWorker(t, DUTIFUL)]
  await Promise.all(workers.map(({ worker }) => worker.start()))
  await t.rejects(workers[0]!.worker.ask(SAVE, TIMEOUT_MS))
  await until(() => workers[0]!.saying('a worker is up again').length === 1)
  const tags = workers.flatMap(({ tags }) => tags())
  t.equal(tags.length, 4)
  t.equal(new Set(tags).size, 4)
  t.ok(tags.every(tag => tag > MAIN_THREAD_TAG), 'nor that of the main thread')
})

t.test('supervisor: when no thread can be started it tries again', async t => {
  const { worker, saying } = testWorker(t, DUTIFUL, {
    onBoot: boots => { if (boots === 2) throw new Error('no threads left') }
  })
  await worker.start()
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS))
  await until(() => saying('a worker is up again').length === 1)
  t.match(saying('a worker died and is replaced'), [
    { pauseMs: 0 }, { pauseMs: 100, err: { message: 'no threads left' } }
  ])
})

t.test('supervisor: a replacement gets what has changed since', async t => {
  const { worker, events, saying } = testWorker(t, `
    if (boot.programDir !== '/program-' + life) throw new Error('stale boot data')
    if (boot.isFirstStart !== (life === 1)) throw new Error('not the first start')
    ${DUTIFUL}
  `)
  await worker.start()
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS))
  await until(() => saying('a worker is up again').length === 1)
  t.equal(events.filter(event => event === 'boot').length, 2, 'at its first attempt')
})

t.test('supervisor: an order ends as the worker says, or with its deadline', async t => {
  const { worker } = testWorker(t, DUTIFUL)
  await t.rejects(worker.ask(RELOAD, TIMEOUT_MS), {
    code: 'USHER_WORKER_GONE', message: 'server 8000 ended before it answered prepare-reload'
  }, 'before its start there is nobody to ask')
  await worker.start()
  await t.resolves(worker.ask(RELOAD, TIMEOUT_MS))
  await t.rejects(worker.ask(COMMIT, TIMEOUT_MS), {
    code: 'USHER_X', message: 'cannot', stack: 'there'
  })
  await t.rejects(worker.ask({ type: 'set-readiness', reason: undefined }, 10), {
    code: 'USHER_ORDER_TIMED_OUT', message: 'server 8000 did not answer set-readiness in time'
  })
  await t.resolves(worker.ask(RELOAD, TIMEOUT_MS), 'and none of it harms the next one')
})

t.test('supervisor: an order during the boot waits for it', async t => {
  const { worker } = testWorker(t, `
    await new Promise(resolve => setTimeout(resolve, 50))
    ${DUTIFUL}
  `)
  const started = worker.start()
  await t.resolves(worker.ask(RELOAD, TIMEOUT_MS))
  await started
})

t.test('supervisor: a worker asks, also while it boots, and hears the answer or the error', async t => {
  const asked: Ask[] = []
  const { worker } = testWorker(t, `
    const heard = new Map()
    const ask = (id, ask) => new Promise(resolve => {
      heard.set(id, resolve)
      say({ type: 'asked', id, ask })
    })
    parentPort.on('message', message => {
      if (message.type === 'order') return say({ type: 'done', id: message.id })
      heard.get(message.id)(message)
    })
    const [first, second] = await Promise.all([
      ask(7, { type: 'set-deny-list', entries: [] }),
      ask(8, { type: 'set-drain', server: 1, drain: undefined })
    ])
    if (first.type !== 'answered' || first.answer.removedUsers !== 5) throw new Error('answer')
    if (second.type !== 'failed' || second.error.code !== 'USHER_X') throw new Error('error')
    ready()
  `, {
    onAsk: async ask => {
      asked.push(ask)
      if (ask.type === 'set-deny-list') return { removedUsers: 5 }
      throw Object.assign(new Error('cannot'), { code: 'USHER_X' })
    }
  })
  await worker.start()
  t.match(asked, [{ type: 'set-deny-list' }, { type: 'set-drain', server: 1 }])
  await worker.close(50)
})

t.test('supervisor: one that dies before its answer comes harms nobody', async t => {
  let answer = (_answer: AskAnswer): void => {}
  const { worker, saying } = testWorker(t, `
    if (life === 1) say({ type: 'asked', id: 1, ask: { type: 'set-deny-list', entries: [] } })
    parentPort.on('message', ({ type }) => { if (type !== 'order') process.exit(9) })
    ${DUTIFUL}
  `, { onAsk: () => new Promise(resolve => { answer = resolve }) })
  await worker.start()
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS))
  await until(() => saying('a worker is up again').length === 1)
  answer({ removedUsers: 0 })
  await t.resolves(worker.ask(RELOAD, TIMEOUT_MS), 'the replacement hears no answer')
})

t.test('supervisor: while a worker is dead orders are refused at once', async t => {
  const { worker, saying, events } = testWorker(t, DUTIFUL)
  await worker.start()
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS))
  await until(() => saying('a worker is up again').length === 1)
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS))
  t.match(saying('a worker died and is replaced')[1], { pauseMs: 100 })
  await t.rejects(worker.ask(RELOAD, TIMEOUT_MS), { code: 'USHER_WORKER_GONE' })
  t.match(events.at(-1), /^down/, 'in the pause')
})

t.test('supervisor: close lets the worker finish, and replaces it no more', async t => {
  const { worker, events, tags, lines } = testWorker(t, DUTIFUL)
  await worker.start()
  await worker.close(TIMEOUT_MS)
  t.strictSame(events, ['boot', 'up', `down ${tags()[0]}`])
  t.strictSame(lines, [], 'a stop is no death')
  await worker.close(TIMEOUT_MS)
  await t.rejects(worker.ask(RELOAD, TIMEOUT_MS), { code: 'USHER_WORKER_GONE' })
})

t.test('supervisor: close twice at once is one close', async t => {
  const { worker, events, tags } = testWorker(t, DUTIFUL)
  await worker.start()
  await Promise.all([worker.close(TIMEOUT_MS), worker.close(TIMEOUT_MS)])
  t.strictSame(events, ['boot', 'up', `down ${tags()[0]}`])
})

t.test('supervisor: close ends a worker that does not finish in time', async t => {
  const cases = {
    'does not answer': `onOrder(() => {})
      ready()`,
    'answers and stays': `onOrder(({ id }) => say({ type: 'done', id }))
      ready()`,
    'runs in a circle': `onOrder(() => { for (;;); })
      ready()`
  }
  for (const [name, script] of Object.entries(cases)) {
    const { worker, events, tags, saying } = testWorker(t, script)
    await worker.start()
    const startMs = performance.now()
    await worker.close(50)
    t.ok(performance.now() - startMs >= 48, `${name}: it has the whole time`)
    t.strictSame(events, ['boot', 'up', `down ${tags()[0]}`], name)
    t.equal(saying('a worker did not stop in time and was terminated').length, 1, name)
  }
})

t.test('supervisor: close ends a worker at once that cannot close, and says why', async t => {
  const { worker, lines } = testWorker(t, `
    onOrder(({ id }) => {
      say({ type: 'failed', id, error: { code: 'EBUSY', message: 'not now', stack: '' } })
    })
    ready()
  `)
  await worker.start()
  await worker.close(TIMEOUT_MS)
  t.match(lines, [{
    level: 40,
    msg: 'a worker did not stop in time and was terminated',
    worker: 'server 8000',
    err: { code: 'EBUSY', message: 'not now' }
  }])
})

t.test('supervisor: a worker that dies while it closes is not replaced', async t => {
  const { worker, events, tags, lines } = testWorker(t, `
    onOrder(() => process.exit(1))
    ready()
  `)
  await worker.start()
  await worker.close(TIMEOUT_MS)
  t.strictSame(events, ['boot', 'up', `down ${tags()[0]}`])
  t.strictSame(lines, [])
})

t.test('supervisor: close in a pause starts nobody any more', async t => {
  const { worker, saying, births } = testWorker(t, `
    if (life === 2) throw new Error('again')
    ${DUTIFUL}
  `)
  await worker.start()
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS))
  await until(() => saying('a worker died and is replaced').length === 2)
  t.match(saying('a worker died and is replaced')[1], { pauseMs: 100 })
  await worker.close(TIMEOUT_MS)
  const closedMs = performance.now()
  await until(() => performance.now() > closedMs + 150)
  t.equal(births.length, 2)
})

t.test('supervisor: close ends a worker at once that has never served', async t => {
  const { worker, events, tags, lines } = testWorker(t, 'setInterval(() => {}, 1000)')
  const started = worker.start()
  await until(() => tags().length === 1)
  t.equal(worker.hasServed, false)
  await Promise.all([worker.close(TIMEOUT_MS), t.rejects(started, { code: 'USHER_WORKER_ENDED' })])
  t.strictSame(events, ['boot', `down ${tags()[0]}`])
  t.strictSame(lines, [], 'it was not slow: nobody waited for it')
})

t.test('supervisor: close during the boot of a replacement lets it come to its end', async t => {
  const { worker, events, tags, release } = testWorker(t, `
    if (life === 2) Atomics.wait(record, HELD, 0)
    ${DUTIFUL}
  `)
  await worker.start()
  t.equal(worker.hasServed, true)
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS))
  await until(() => tags().length === 2)
  const closed = worker.close(TIMEOUT_MS)
  release()
  await closed
  t.strictSame(events, ['boot', 'up', `down ${tags()[0]}`, 'boot', 'up', `down ${tags()[1]}`])
})

t.test('supervisor: replaces a thread side by side, or one after the other; that is no death', async t => {
  for (const isSideBySide of [true, false]) {
    const { worker, events, tags, lines } = testWorker(t, DUTIFUL)
    await worker.start()
    await worker.replace(isSideBySide, TIMEOUT_MS)
    const [old, next] = tags()
    t.strictSame(events, isSideBySide
      ? ['boot', 'up', 'boot', 'up', `down ${old}, replaced`]
      : ['boot', 'up', `down ${old}`, 'boot', 'up'])
    t.match(lines, [{ level: 30, worker: 'server 8000', msg: 'a worker is restarted' }])
    t.equal(lines.length, 1)
    t.equal(worker.restarts, 0)
    await t.rejects(worker.ask(SAVE, TIMEOUT_MS), { code: 'USHER_WORKER_GONE' })
    await until(() => events.includes(`down ${next}`))
    await until(() => tags().length === 3)
    t.equal(worker.restarts, 1, 'and is watched as the first one was')
    await worker.close(TIMEOUT_MS)
  }
})

t.test('supervisor: a thread that is replaced has its time, then it is terminated', async t => {
  const { worker, saying, tags, events } = testWorker(t, `
    if (life === 1) onOrder(() => {}) // Answers nothing.
    ${DUTIFUL.replace('onOrder(', 'if (life > 1) onOrder(')}
  `)
  await worker.start()
  await worker.replace(true, 50)
  t.equal(saying('a worker did not stop in time and was terminated').length, 1)
  t.strictSame(events.at(-1), `down ${tags()[0]}, replaced`)
})

t.test('supervisor: the old thread goes on when the new one cannot start beside it', async t => {
  const { worker, events, tags, saying } = testWorker(t, `
    if (life === 2) throw new Error('does not boot')
    ${DUTIFUL}
  `)
  await worker.start()
  await t.rejects(worker.replace(true, TIMEOUT_MS), { message: 'does not boot' })
  t.strictSame(events, ['boot', 'up', 'boot', `down ${tags()[1]}, replaced`])
  t.equal(saying('a worker died and is replaced').length, 0)
  await t.rejects(worker.ask({ type: 'commit-reload', loaded: noSites() }, TIMEOUT_MS), { code: 'USHER_X' })
  await worker.replace(true, TIMEOUT_MS)
  t.equal(tags().length, 3, 'and can be restarted again')
})

t.test('supervisor: a new thread that cannot start in the old one\'s place is tried again', async t => {
  const { worker, tags, saying } = testWorker(t, `
    if (life === 2) throw new Error('does not boot')
    ${DUTIFUL}
  `)
  await worker.start()
  await t.rejects(worker.replace(false, TIMEOUT_MS), { message: 'does not boot' })
  await until(() => saying('a worker is up again').length === 1)
  t.equal(tags().length, 3)
  t.equal(worker.restarts, 1)
})

t.test('supervisor: an old thread that dies before the new one serves leaves a gap, and no third', async t => {
  const { worker, events, tags, saying, release } = testWorker(t, `
    if (life === 2) Atomics.wait(record, HELD, 0)
    ${DUTIFUL.replace("'save-users'", "'save-users' && life === 1")}
  `)
  await worker.start()
  const replaced = worker.replace(true, TIMEOUT_MS)
  await until(() => tags().length === 2)
  await t.rejects(worker.ask(SAVE, TIMEOUT_MS), { code: 'USHER_WORKER_GONE' })
  release()
  await replaced
  t.strictSame(events, ['boot', 'up', 'boot', `down ${tags()[0]}`, 'up'])
  t.equal(saying('a worker died and is replaced').length, 0)
})

t.test('supervisor: during a replacement both threads hear who is denied, one that reloads', async t => {
  const { worker, events, tags, record } = testWorker(t, `
    onOrder(({ id, order }) => {
      if (life === 1 && order.type === 'close') return // It has clients still.
      if (order.type === 'replace-deny-list') record[10 + life]++
      if (order.type === 'prepare-reload') record[12 + life]++
      say({ type: 'done', id })
      if (order.type === 'close') parentPort.close()
    })
    ready()
  `)
  await worker.start()
  const replaced = worker.replace(true, 1000)
  await until(() => tags().length === 2)
  await worker.ask({ type: 'replace-deny-list', entries: [] }, TIMEOUT_MS)
  t.strictSame([record(11), record(12)], [1, 1])
  await until(() => events.filter(event => event === 'up').length === 2)
  await worker.ask(RELOAD, TIMEOUT_MS)
  t.strictSame([record(13), record(14)], [0, 1])
  await worker.ask({ type: 'replace-deny-list', entries: [] }, TIMEOUT_MS)
  t.strictSame([record(11), record(12)], [2, 2], 'also while one of them closes')
  await replaced
})

t.test('supervisor: nothing that does not serve is replaced', async t => {
  const { worker } = testWorker(t, DUTIFUL)
  await t.rejects(worker.replace(true, TIMEOUT_MS), { code: 'USHER_WORKER_GONE' })
  await worker.start()
  await worker.close(TIMEOUT_MS)
  await t.rejects(worker.replace(false, TIMEOUT_MS), { code: 'USHER_WORKER_GONE' })
})

t.test('supervisor: a stop during a replacement ends both threads', async t => {
  for (const isSideBySide of [true, false]) {
    const { worker, events, tags } = testWorker(t, `
      if (life === 2) await new Promise(resolve => setTimeout(resolve, 50))
      ${DUTIFUL}
    `)
    await worker.start()
    const replaced = worker.replace(isSideBySide, TIMEOUT_MS).catch(() => {})
    if (isSideBySide) await until(() => tags().length === 2)
    await worker.close(TIMEOUT_MS)
    await replaced
    t.equal(events.filter(event => event.startsWith('down')).length, tags().length)
    t.equal(worker.restarts, 0)
  }
})

t.test('supervisor: close before any start has nothing to do', async t => {
  await t.resolves(testWorker(t, DUTIFUL).worker.close(TIMEOUT_MS))
})

interface Variation {
  readonly file?: URL
  /** Called with how often boot data was asked for, this time included. */
  readonly onBoot?: (boots: number) => void
  readonly onAsk?: (ask: Ask) => Promise<AskAnswer>
}

/** A supervised worker that runs this script, and a record of what happened to it. */
function testWorker (t: Test, script: string, { file, onBoot, onAsk }: Variation = {}) {
  const path = join(folder, `worker-${scriptCount++}.mjs`)
  writeFileSync(path, PRELUDE + script)
  const { log, lines, saying } = testLog('info')
  const record = new Int32Array(new SharedArrayBuffer(4 * (HELD + 1)))
  const events: string[] = []
  const births: number[] = []
  const worker = superviseWorker({
    name: 'server 8000',
    file: file ?? pathToFileURL(path),
    boot: () => {
      events.push('boot')
      births.push(performance.now())
      onBoot?.(births.length)
      const programDir = `/program-${births.length}`
      return { memory: { buffer: record.buffer }, server: 0, programDir, bundle: '' } as BootData & ThreadData
    },
    onUp: () => { events.push('up') },
    onDown: (tag, isReplaced) => { events.push(`down ${tag}${isReplaced ? ', replaced' : ''}`) },
    onAsk: onAsk ?? (async () => { throw new Error('nobody asks here') }),
    log
  })
  t.teardown(() => worker.close(1000))
  /** The tags of the threads that have run so far. */
  const tags = (): readonly number[] => [...record.subarray(1, 1 + record[0]!)]
  /** Lets a life go on that waits for the word HELD. */
  const release = (): void => {
    record[HELD] = 1
    Atomics.notify(record, HELD)
  }
  const look = (at: number): number => record[at]!
  return { worker, lines, saying, events, births, tags, record: look, release }
}
