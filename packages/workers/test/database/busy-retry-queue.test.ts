import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { BusyRetryQueue, LOCKED_WAIT_MS, WAITING_MAX } from '../../src/database/busy-retry-queue.ts'
import { linesLog, type LogLine } from '../fixtures/lines-log.ts'

interface TestQueue {
  readonly queue: BusyRetryQueue
  readonly lines: LogLine[]
  readonly clock: { nowMs: number }
  /** The pauses that were asked for and have not ended. */
  readonly pauses: number[]
  /** Ends the pause and lets the queue go on until the next. */
  step (): Promise<void>
}

function testQueue (): TestQueue {
  const { log, lines } = linesLog()
  const clock = { nowMs: 1000 }
  const pauses: number[] = []
  let endPause = (): void => {}
  const queue = new BusyRetryQueue({
    cannot: 'cannot be used',
    log,
    now: () => clock.nowMs,
    pause (ms) {
      pauses.push(ms)
      return new Promise<void>(resolve => { endPause = resolve })
    }
  })
  const step = async (): Promise<void> => {
    pauses.shift()
    endPause()
    await setImmediate()
  }
  return { queue, lines, clock, pauses, step }
}

/** What SQLite throws, by its code. */
function sqliteError (code: string): Error {
  return Object.assign(new Error(`what ${code} means`), { code })
}

/** Work that a lock hinders until it is opened, and that counts its tries. */
function lockedWork (): { work: () => string, tries: () => number, unlock: () => void } {
  let isLocked = true
  let tries = 0
  const work = (): string => {
    tries++
    if (isLocked) throw sqliteError('SQLITE_BUSY')
    return 'done'
  }
  return { work, tries: () => tries, unlock: () => { isLocked = false } }
}

t.test('busy-retry queue: work is done at once when nobody waits', async t => {
  const { queue, lines, pauses } = testQueue()
  let isDone = false
  const promise = queue.run(() => { isDone = true })
  t.ok(isDone, 'in the same turn')
  await promise
  t.equal(await queue.run(() => 42), 42)
  t.same([lines, pauses], [[], []])
})

t.test('busy-retry queue: however many wait, one of them tries after each pause', async t => {
  const { queue, step, pauses } = testQueue()
  const { work, tries, unlock } = lockedWork()
  const calls = Array.from({ length: 50 }, () => queue.run(work))
  t.equal(tries(), 1, 'who comes later does not even try')
  for (let round = 2; round <= 10; round++) {
    t.ok(pauses[0]! >= 50 && pauses.length === 1, 'the thread is free in between')
    await step()
    t.equal(tries(), round)
  }
  unlock()
  for (let call = 0; call < 50; call++) await step()
  t.same(new Set(await Promise.all(calls)), new Set(['done']))
  t.equal(tries(), 10 + 50)
  t.same(pauses, [], 'and then there is peace')
})

t.test('busy-retry queue: work is done in the order of its coming', async t => {
  const { queue, step } = testQueue()
  const { work, unlock } = lockedWork()
  const order: number[] = []
  const calls = [1, 2, 3].map(number => queue.run(() => {
    work()
    order.push(number)
  }))
  unlock()
  calls.push(queue.run(() => { order.push(4) }))
  for (let call = 0; call < 4; call++) await step()
  await Promise.all(calls)
  t.same(order, [1, 2, 3, 4])
})

t.test('busy-retry queue: a call gives up at its own deadline, not before', async t => {
  const { queue, clock, step, lines } = testQueue()
  const { work, unlock } = lockedWork()
  const early = queue.run(work)
  clock.nowMs += 1000
  const late = queue.run(work)
  const isOver = { early: false, late: false }
  early.catch(() => { isOver.early = true })
  late.then(() => { isOver.late = true }, () => {})
  clock.nowMs += LOCKED_WAIT_MS - 1000 - 1
  await step()
  t.same(isOver, { early: false, late: false }, 'one millisecond before')
  clock.nowMs += 1
  await step()
  await t.rejects(early, { code: 'USHER_DATABASE_BUSY', statusCode: 503 })
  t.same(isOver, { early: true, late: false }, 'the later one still waits')
  unlock()
  await step()
  t.equal(await late, 'done')
  t.match(lines, [{ level: 50, code: 'USHER_DATABASE_BUSY', msg: 'the database cannot be used' }])
})

t.test('busy-retry queue: waits can be cut short, but not made longer', async t => {
  const { queue, clock, step } = testQueue()
  const { work } = lockedWork()
  const ended: string[] = []
  const wait = (name: string): void => {
    queue.run(work).catch(() => { ended.push(name) })
  }
  wait('before')
  queue.limitWaits(100)
  queue.limitWaits(500)
  clock.nowMs += 50
  wait('after')
  clock.nowMs += 49
  await step()
  t.same(ended, [])
  clock.nowMs += 1
  await step()
  t.same(ended, ['before'])
  clock.nowMs += 50
  await step()
  t.same(ended, ['before', 'after'])
})

t.test('busy-retry queue: a lock that opens at the last moment is not missed', async t => {
  const { queue, clock, step } = testQueue()
  const { work, unlock } = lockedWork()
  const call = queue.run(work)
  clock.nowMs += LOCKED_WAIT_MS
  unlock()
  await step()
  t.equal(await call, 'done')
})

t.test('busy-retry queue: so many wait, and the next fails at once', async t => {
  const { queue, unlockAll, calls } = crowdedQueue()
  await t.rejects(queue.run(() => 'too late'), { code: 'USHER_DATABASE_BUSY' })
  await unlockAll()
  t.equal((await Promise.all(calls)).length, WAITING_MAX)
  t.equal(await queue.run(() => 'in time'), 'in time')
})

function crowdedQueue (): {
  queue: BusyRetryQueue, calls: Array<Promise<string>>, unlockAll: () => Promise<void>
} {
  const { queue, step } = testQueue()
  const { work, unlock } = lockedWork()
  const calls = Array.from({ length: WAITING_MAX }, () => queue.run(work))
  return {
    queue,
    calls,
    async unlockAll () {
      unlock()
      for (let call = 0; call < WAITING_MAX; call++) await step()
    }
  }
}

t.test('busy-retry queue: what SQLite says is one error, other errors are themselves', async t => {
  const cases: ReadonlyArray<[thrown: unknown, code: string | undefined]> = [
    [sqliteError('SQLITE_FULL'), 'USHER_DATABASE_FAILED'],
    [sqliteError('SQLITE_READONLY_DBMOVED'), 'USHER_DATABASE_FAILED'],
    [sqliteError('SQLITE_IOERR_WRITE'), 'USHER_DATABASE_FAILED'],
    [sqliteError('SQLITE_CORRUPT'), 'USHER_DATABASE_FAILED'],
    [sqliteError('SQLITE_CONSTRAINT_UNIQUE'), 'SQLITE_CONSTRAINT_UNIQUE'],
    [sqliteError('ENOSPC'), 'ENOSPC'],
    [new TypeError('ours'), undefined],
    [Object.assign(new Error('numbered'), { code: 5 }), 5 as unknown as string]
  ]
  for (const [thrown, code] of cases) {
    const { queue, lines, pauses } = testQueue()
    const error: unknown = await queue.run(() => { throw thrown }).catch((error: unknown) => error)
    t.equal((error as { code?: string }).code, code)
    const isFailure = code === 'USHER_DATABASE_FAILED'
    t.equal(error === thrown, !isFailure)
    if (isFailure) t.match(error, { statusCode: 503, message: (thrown as Error).message })
    t.equal(lines.length, isFailure ? 1 : 0)
    t.same(pauses, [], 'at once')
  }
})

t.test('busy-retry queue: an outage is logged once, and its end once', async t => {
  const { queue, clock, lines } = testQueue()
  const fail = (): Promise<unknown> => t.rejects(queue.run(() => { throw sqliteError('SQLITE_FULL') }))
  const work = (): Promise<unknown> => queue.run(() => {})
  for (let request = 0; request < 100; request++) await fail()
  t.equal(lines.length, 1)
  t.match(lines[0], { level: 50, code: 'USHER_DATABASE_FAILED', reason: /what SQLITE_FULL means/ })
  clock.nowMs += 9999
  await work()
  await fail()
  t.equal(lines.length, 1, 'a full disk that takes a write now and then is full')
  clock.nowMs += 9999
  await work()
  t.equal(lines.length, 1)
  clock.nowMs += 1
  await work()
  await work()
  t.match(lines.slice(1), [{ level: 30, msg: 'resolved: the database cannot be used' }])
  await fail()
  t.equal(lines.length, 3, 'and the next outage is another')
})
