import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { DeadlineQueue } from '../src/deadline-queue.ts'
import { randomWords } from '../../shared/test/memory/test-table.ts'
import { until } from './fixtures/until.ts'

const TIMER_MAX_MS = 2 ** 31 - 1

t.test('deadline queue: with real timers nothing falls due early, and all in order', async t => {
  const count = 200
  const earliness: number[] = []
  const order: number[] = []
  const queue = new DeadlineQueue<{ number: number, deadlineMs: number }>(monotonicNowMs, item => {
    earliness.push(item.deadlineMs - monotonicNowMs())
    order.push(item.number)
  })
  const startMs = monotonicNowMs()
  for (let number = 0; number < count; number++) {
    const deadlineMs = startMs + 5 + number * 0.37
    queue.add({ number, deadlineMs }, deadlineMs)
  }
  await until(() => order.length === count)
  t.ok(Math.max(...earliness) <= 0, `the earliest was ${Math.max(...earliness)} ms early`)
  t.strictSame(order, Array.from({ length: count }, (_, number) => number))
  t.equal(queue.size, 0)
})

t.test('deadline queue: a timer that fires before its time is armed again', async t => {
  const { queue, clock, due, timer } = testQueue(t)
  queue.add('a', 1009.5)
  t.equal(timer.waitMs, 10, 'a fraction is waited out')
  clock.nowMs = 1009.4
  timer.fire()
  t.strictSame(due, [])
  t.equal(timer.waitMs, 1)
  timer.fire()
  t.strictSame(due, [], 'also when the timer fires early again')
  clock.nowMs = 1009.5
  timer.fire()
  t.strictSame(due, ['a'])
  t.notOk(timer.isArmed, 'nothing is left to wait for')
})

t.test('deadline queue: one timer serves all, for the first one', async t => {
  const { queue, clock, due, timer } = testQueue(t)
  queue.add('a', 1010)
  queue.add('b', 1010)
  queue.add('c', 1030)
  t.equal(timer.armedCount, 1)
  clock.nowMs = 1010
  timer.fire()
  t.strictSame(due, ['a', 'b'])
  t.equal(queue.size, 1)
  t.equal(timer.waitMs, 20)
  clock.nowMs = 1030
  timer.fire()
  t.strictSame(due, ['a', 'b', 'c'])
})

t.test('deadline queue: what is overdue when it is added waits for a timer all the same', async t => {
  const { queue, due, timer } = testQueue(t)
  queue.add('a', 0)
  t.strictSame(due, [], 'whoever adds is not called back before it is done')
  t.equal(timer.waitMs, 1)
  timer.fire()
  t.strictSame(due, ['a'])
})

t.test('deadline queue: what falls due earlier does not wait behind what was added before', async t => {
  const { queue, clock, due, timer } = testQueue(t)
  queue.add('long a', 1060)
  queue.add('long b', 1061)
  queue.add('short a', 1010)
  t.equal(timer.waitMs, 10, 'the timer is the earliest one\'s')
  clock.nowMs = 1001
  queue.add('short b', 1011)
  queue.add('also long', 1060)
  clock.nowMs = 1011
  timer.fire()
  t.strictSame(due, ['short a', 'short b'])
  t.equal(timer.waitMs, 49)
  queue.add('at once', 1011)
  clock.nowMs = 1061
  timer.fire()
  t.strictSame(due, ['short a', 'short b', 'at once', 'long a', 'also long', 'long b'])
  t.notOk(timer.isArmed)
})

t.test('deadline queue: whatever is added when, it falls due as in a sorted list', async t => {
  const { clock, timer } = testTimer(t)
  for (let seed = 1; seed <= 200; seed++) checkAgainstModel(t, seed, clock, timer)
})

t.test('deadline queue: flush makes everything due at once, in order, and once', async t => {
  const { queue, clock, due, timer } = testQueue(t)
  for (const [at, item] of ['a', 'b', 'c'].entries()) queue.add(item, 2000 + at)
  queue.flush()
  t.strictSame(due, ['a', 'b', 'c'])
  t.equal(queue.size, 0)
  t.notOk(timer.isArmed)
  queue.flush()
  clock.nowMs = 5000
  queue.add('d', 5001)
  clock.nowMs = 5001
  timer.fire()
  t.strictSame(due, ['a', 'b', 'c', 'd'])
})

t.test('deadline queue: what is added while things fall due is for the next round', async t => {
  const { queue, clock, due, timer, onDue } = testQueue(t)
  onDue(item => { if (item === 'a' || item === 'x') queue.add('x', clock.nowMs) })
  queue.add('a', 1001)
  queue.add('b', 1001)
  clock.nowMs = 1001
  timer.fire()
  t.strictSame(due, ['a', 'b'])
  t.equal(queue.size, 1)
  t.ok(timer.isArmed)
  timer.fire()
  t.strictSame(due, ['a', 'b', 'x'])
  queue.flush()
  t.strictSame(due, ['a', 'b', 'x', 'x'], 'a flush ends too')
  t.equal(queue.size, 1)
})

t.test('deadline queue: after things fell due the timer is the next one\'s', async t => {
  const { queue, clock, timer, onDue } = testQueue(t)
  onDue(() => { queue.add('later', 9000) })
  queue.add('a', 1001)
  queue.add('b', 1050)
  clock.nowMs = 1001
  timer.fire()
  t.equal(timer.waitMs, 49)
})

t.test('deadline queue: close forgets what is left, also in the middle of a round', async t => {
  const { queue, clock, due, timer, onDue } = testQueue(t)
  queue.add('a', 1001)
  queue.close()
  t.equal(queue.size, 0)
  t.notOk(timer.isArmed)
  queue.close()

  onDue(item => { if (item === 'c') queue.close() })
  for (const item of ['b', 'c', 'd']) queue.add(item, 1002)
  clock.nowMs = 1002
  timer.fire()
  t.strictSame(due, ['b', 'c'])
  t.equal(queue.size, 0)
  t.notOk(timer.isArmed)
})

t.test('deadline queue: a flush in the middle of a round loses and repeats nothing', async t => {
  const { queue, clock, due, timer, onDue } = testQueue(t)
  onDue(item => { if (item === 'b') queue.flush() })
  for (const [at, item] of ['a', 'b', 'c', 'd'].entries()) queue.add(item, 1001 + at)
  clock.nowMs = 1002
  timer.fire()
  t.strictSame(due, ['a', 'b', 'c', 'd'])
  t.notOk(timer.isArmed)
})

t.test('deadline queue: a clock that jumps ahead makes all due, in order', async t => {
  const { queue, clock, due, timer } = testQueue(t)
  for (const [at, item] of ['a', 'b', 'c'].entries()) queue.add(item, 2000 * (at + 1))
  clock.nowMs += 365 * 86_400_000
  timer.fire()
  t.strictSame(due, ['a', 'b', 'c'])
})

t.test('deadline queue: a clock that jumps back delays, and never makes the timer spin', async t => {
  const { queue, clock, due, timer } = testQueue(t)
  queue.add('a', 1010)
  clock.nowMs -= 2 * TIMER_MAX_MS
  timer.fire()
  t.strictSame(due, [])
  t.equal(timer.waitMs, TIMER_MAX_MS, 'setTimeout takes no more, and fires at once when given more')
  clock.nowMs = 1010
  timer.fire()
  t.strictSame(due, ['a'])
})

t.test('deadline queue: 100,000 entries stay quick', async t => {
  const count = 100_000
  const perMs = 500
  const { queue, clock, timer, due } = testQueue(t)
  const began = process.cpuUsage()
  for (let number = 0; number < count; number++) {
    queue.add(String(number), 1001 + Math.floor(number / perMs))
  }
  while (queue.size > 0) {
    clock.nowMs++
    timer.fire()
  }
  const tookMs = process.cpuUsage(began).user / 1000
  t.equal(due.length, count)
  t.ok(due.every((item, at) => item === String(at)), 'in order')
  t.ok(tookMs < 3000, `took ${tookMs} ms of the processor, where a shifted array takes many seconds`)
})

t.test('deadline queue: what has fallen due is let go before the rest is', async t => {
  const { clock, timer } = testTimer(t)
  const queue = new DeadlineQueue<object>(() => clock.nowMs, () => {})
  const first = addObject(queue, 1001)
  for (let count = 1; count < 1500; count++) addObject(queue, 1001)
  for (let count = 0; count < 1000; count++) addObject(queue, 2000)
  clock.nowMs = 1001
  timer.fire()
  t.equal(queue.size, 1000)
  await setImmediate() // A WeakRef keeps what it was made for until the turn ends.
  collectGarbage()
  t.equal(first.deref(), undefined)
})

function addObject (queue: DeadlineQueue<object>, deadlineMs: number): WeakRef<object> {
  const item = {}
  queue.add(item, deadlineMs)
  return new WeakRef(item)
}

function collectGarbage (): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

/** A queue of names on a clock and a timer that only the test moves; it starts at 1000 ms. */
function testQueue (t: Test) {
  const { clock, timer } = testTimer(t)
  const due: string[] = []
  let alsoDo = (_item: string): void => {}
  const queue = new DeadlineQueue<string>(() => clock.nowMs, item => {
    due.push(item)
    alsoDo(item)
  })
  return { queue, clock, timer, due, onDue (then: typeof alsoDo) { alsoDo = then } }
}

/** A random day of a queue beside a list that is sorted anew each time, ties as they came. */
function checkAgainstModel (
  t: Test, seed: number, clock: { nowMs: number }, timer: ReturnType<typeof testTimer>['timer']
): void {
  const random = randomWords(seed)
  const below = (limit: number): number => (random() >>> 0) % limit
  const due: string[] = []
  const queue = new DeadlineQueue<string>(() => clock.nowMs, item => { due.push(item) })
  let model: Array<{ readonly item: string, readonly deadlineMs: number }> = []
  const expected: string[] = []
  const expectDue = (isDue: (entry: typeof model[number]) => boolean): void => {
    expected.push(...model.filter(isDue).map(({ item }) => item))
    model = model.filter(entry => !isDue(entry))
  }
  for (let step = 0; step < 300; step++) {
    const choice = below(20)
    if (choice < 12) {
      const [item, deadlineMs] = [`${step}`, clock.nowMs + (choice < 6 ? 35 : below(60) - 9)]
      queue.add(item, deadlineMs)
      model.push({ item, deadlineMs })
      model.sort((a, b) => a.deadlineMs - b.deadlineMs)
    } else if (choice < 19) {
      clock.nowMs += below(20)
      if (timer.isArmed) timer.fire()
      expectDue(({ deadlineMs }) => deadlineMs <= clock.nowMs)
    } else {
      queue.flushWhere(item => item.endsWith('3'))
      expectDue(({ item }) => item.endsWith('3'))
    }
    const nextMs = model[0]?.deadlineMs
    const waitMs = nextMs === undefined ? undefined : Math.max(1, nextMs - clock.nowMs)
    if (queue.size !== model.length || timer.waitMs !== waitMs) {
      t.fail(`seed ${seed}, step ${step}: ${queue.size} left, timer in ${timer.waitMs} ms`)
      break
    }
  }
  t.equal(due.join(), expected.join(), `seed ${seed}`)
  queue.close()
}

/** Stands in for setTimeout until the test ends; holds one timer. */
function testTimer (t: Test) {
  const clock = { nowMs: 1000 }
  let armed: { readonly callback: () => void, readonly waitMs: number } | undefined
  let armedCount = 0
  const { setTimeout, clearTimeout } = globalThis
  t.teardown(() => { Object.assign(globalThis, { setTimeout, clearTimeout }) })
  Object.assign(globalThis, {
    setTimeout (callback: () => void, waitMs: number) {
      if (armed !== undefined) throw new Error('a second timer')
      armed = { callback, waitMs }
      armedCount++
      return armed
    },
    clearTimeout (handle: unknown) {
      if (handle === armed) armed = undefined
    }
  })
  const timer = {
    get isArmed () { return armed !== undefined },
    get waitMs () { return armed?.waitMs },
    get armedCount () { return armedCount },
    fire () {
      const { callback } = armed!
      armed = undefined
      callback()
    }
  }
  return { clock, timer }
}

t.test('deadline queue: some fall due before their time, the others keep theirs', async t => {
  const { queue, clock, due, timer } = testQueue(t)
  for (const [at, item] of ['a', 'b', 'c', 'b', 'd'].entries()) queue.add(item, 1010 + at)
  clock.nowMs = 1010
  timer.fire()
  queue.flushWhere(item => item === 'b')
  t.strictSame(due, ['a', 'b', 'b'])
  t.equal(queue.size, 2)
  clock.nowMs = 1012
  timer.fire()
  t.strictSame(due, ['a', 'b', 'b', 'c'])
  t.equal(timer.waitMs, 2)
  queue.flushWhere(() => false)
  t.equal(queue.size, 1)
  queue.flushWhere(() => true)
  t.notOk(timer.isArmed, 'nothing is left to wait for')
  t.strictSame(due, ['a', 'b', 'b', 'c', 'd'])
})

t.test('deadline queue: what is added when some fall due keeps its time', async t => {
  const { queue, due, onDue } = testQueue(t)
  onDue(item => { if (item === 'a') queue.add('again', 1050) })
  queue.add('a', 1010)
  queue.flushWhere(() => true)
  t.strictSame(due, ['a'])
  t.equal(queue.size, 1)
})
