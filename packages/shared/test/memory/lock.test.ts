import t from 'tap'
import { Worker } from 'node:worker_threads'
import {
  acquireLock, LOCK_WAIT, ownerWord, releaseLock, takeOverLock, wakeAllWaiters
} from '@usher/shared/memory/lock.ts'

const LOCK = 0
const COUNTER = 2
const ME = ownerWord(1)
const OTHER = ownerWord(2)

function freshWords (): Int32Array {
  return new Int32Array(new SharedArrayBuffer(16))
}

t.test('lock: is taken once, given back, and taken again', async t => {
  const words = freshWords()
  t.ok(acquireLock(words, LOCK, ME, 0))
  t.equal(words[LOCK], ME, 'the word names its owner')
  t.notOk(acquireLock(words, LOCK, OTHER, 0), 'nobody else enters')
  releaseLock(words, LOCK)
  t.equal(words[LOCK], 0)
  t.ok(acquireLock(words, LOCK, OTHER, 0))
})

t.test('lock: gives up after its patience and counts the sleep', async t => {
  const words = freshWords()
  acquireLock(words, LOCK, ME, 0)
  t.notOk(acquireLock(words, LOCK, OTHER, 5))
  t.equal(words[LOCK], ME | LOCK_WAIT, 'the owner learns that somebody may sleep')
  t.ok(words[LOCK + 1]! > 0)
})

t.test('lock: tells how long it waited, but only who had to wait', async t => {
  const words = freshWords()
  const waits: number[] = []
  const note = (ms: number): void => { waits.push(ms) }
  acquireLock(words, LOCK, ME, 5, note)
  t.same(waits, [])
  t.notOk(acquireLock(words, LOCK, OTHER, 5, note))
  t.equal(waits.length, 1)
  t.ok(waits[0]! >= 5)
})

t.test('lock: only the dead owner\'s lock is taken over, and it is never free in between', async t => {
  const words = freshWords()
  t.notOk(takeOverLock(words, LOCK, OTHER, ME), 'a free one is left alone')
  acquireLock(words, LOCK, OTHER, 0)
  t.notOk(takeOverLock(words, LOCK, ownerWord(3), ME), 'another\'s is left alone')
  t.ok(takeOverLock(words, LOCK, OTHER, ME))
  t.equal(words[LOCK]! & ~LOCK_WAIT, ME)
  t.notOk(acquireLock(words, LOCK, OTHER, 0))
})

/** A thread in plain JavaScript that calls the real lock, bundled from its source. */
async function lockThread (body: string, words: Int32Array): Promise<Worker> {
  const { buildSync } = await import('esbuild')
  const { outputFiles } = buildSync({
    stdin: {
      contents: `
        import { workerData, parentPort } from 'node:worker_threads'
        import { acquireLock, releaseLock, ownerWord } from './lock.ts'
        const { words, tag } = workerData
        ${body}
        parentPort.postMessage('done')`,
      resolveDir: new URL('../../src/memory/', import.meta.url).pathname
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false
  })
  const url = new URL(`data:text/javascript,${encodeURIComponent(outputFiles[0]!.text)}`)
  return new Worker(url, { workerData: { words, tag: nextTag++ }, execArgv: [] })
}
let nextTag = 2

function exitOf (worker: Worker): Promise<unknown> {
  return new Promise(resolve => { worker.once('exit', resolve) })
}

t.test('lock: four threads that add 50,000 each lose nothing', async t => {
  const words = freshWords()
  const add = `for (let i = 0; i < 50_000; i++) {
    if (!acquireLock(words, 0, ownerWord(tag), 10_000)) throw new Error('gave up')
    words[${COUNTER}] = words[${COUNTER}] + 1
    releaseLock(words, 0)
  }`
  const threads = await Promise.all([1, 2, 3, 4].map(() => lockThread(add, words)))
  await Promise.all(threads.map(exitOf))
  t.equal(words[COUNTER], 200_000)
  t.equal(words[LOCK], 0)
})

t.test('lock: a wake-up that was meant for a killed waiter does not leave another asleep', async t => {
  // Walks the interleaving: two sleep on the word; the release wakes one, which is killed before
  // it takes the lock; the other must get it all the same.
  const words = freshWords()
  acquireLock(words, LOCK, ME, 0)
  const wait = `words[${COUNTER}] = 1
    if (acquireLock(words, 0, ownerWord(tag), 10_000)) releaseLock(words, 0)`
  const victim = await lockThread(wait, words)
  const survivor = await lockThread(wait, words)
  const gone = [exitOf(victim), exitOf(survivor)]
  while (words[LOCK + 1]! < 2) await new Promise(resolve => setImmediate(resolve))
  await victim.terminate()
  releaseLock(words, LOCK)
  wakeAllWaiters(words, LOCK)
  await Promise.all(gone)
  t.equal(words[LOCK], 0)
})

t.test('lock: a release wakes one sleeper, if there may be any', async t => {
  const words = freshWords()
  const notify = t.capture(Atomics, 'notify')
  acquireLock(words, LOCK, ME, 0)
  releaseLock(words, LOCK)
  t.equal(notify().length, 0, 'nobody sleeps: no system call')
  acquireLock(words, LOCK, ME, 0)
  words[LOCK]! |= LOCK_WAIT
  releaseLock(words, LOCK)
  t.match(notify(), [{ args: [words, LOCK, 1] }])
})

t.test('lock: who has slept keeps the sign that others may sleep too', async t => {
  const words = freshWords()
  acquireLock(words, LOCK, ME, 0)
  const sleeper = await lockThread(`acquireLock(words, 0, ownerWord(tag), 10_000)
    words[${COUNTER}] = words[0]
    releaseLock(words, 0)`, words)
  const gone = exitOf(sleeper)
  while (words[LOCK + 1]! < 1) await new Promise(resolve => setImmediate(resolve))
  releaseLock(words, LOCK)
  await gone
  t.equal(words[COUNTER]! & LOCK_WAIT, LOCK_WAIT)
})
