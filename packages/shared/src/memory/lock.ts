/**
 * The robust mutex of a shard: one word that is 0 or names its owner, so that the lock of a thread
 * that died can be told from one that is merely held. Modelled in `packages/shared/model/lock.pml`
 * with deaths at every step; a step has its name behind an `@`, there and here. Any thread.
 *
 *     word: owner's thread tag << 1 | LOCK_WAIT        0: free
 *     the word after it counts how often a thread slept
 */
import { monotonicNowMs } from '../clock.ts'

/** Set while somebody may sleep on the word; the release then wakes one. */
export const LOCK_WAIT = 1

/** Tries before sleeping: a section holds for about 0.1 us, a sleep and wake-up cost 10. */
const SPINS = 200
/** The longest single sleep. A wake-up lost with a killed thread costs this much at most. */
const SLEEP_MAX_MS = 50

/** The lock word of a thread. Tags count from 1 and are never given twice. */
export function ownerWord (threadTag: number): number {
  return threadTag << 1
}

/**
 * Takes the lock, or returns false after `patienceMs`. The lock is not re-entrant.
 * @param onWaited is told for how long, when the lock was not to be had at once
 */
export function acquireLock (
  words: Int32Array, at: number, owner: number, patienceMs: number,
  onWaited?: (ms: number) => void
): boolean {
  if (Atomics.compareExchange(words, at, 0, owner) === 0) return true // @TRY
  for (let spin = 0; spin < SPINS; spin++) {
    if (Atomics.load(words, at) === 0 && Atomics.compareExchange(words, at, 0, owner) === 0) {
      return true
    }
  }
  const startMs = monotonicNowMs()
  const isMine = acquireBySleeping(words, at, owner, startMs + patienceMs)
  onWaited?.(monotonicNowMs() - startMs)
  return isMine
}

export function releaseLock (words: Int32Array, at: number): void {
  const held = Atomics.exchange(words, at, 0) // @RELEASE
  if ((held & LOCK_WAIT) !== 0) Atomics.notify(words, at, 1) // @NOTIFY
}

/**
 * Takes over the lock if `deadOwner` holds it, never letting it be free in between: what it guards
 * must be repaired first. For the coordinator, after the dead thread's `exit` event.
 */
export function takeOverLock (
  words: Int32Array, at: number, deadOwner: number, owner: number
): boolean {
  const held = Atomics.load(words, at)
  if ((held & ~LOCK_WAIT) !== deadOwner) return false
  // WAIT stays set whether or not somebody sleeps; a needless wake-up harms nobody. The exchange
  // cannot lose a waiter: one that sets WAIT in between sleeps on a word that is about to change.
  Atomics.store(words, at, owner | LOCK_WAIT) // @TAKE_OVER
  return true
}

/** Wakes all sleepers: a killed waiter may have swallowed the wake-up that was meant for one. */
export function wakeAllWaiters (words: Int32Array, at: number): void {
  Atomics.notify(words, at) // @NOTIFY_ALL
}

function acquireBySleeping (
  words: Int32Array, at: number, owner: number, deadlineMs: number
): boolean {
  for (;;) {
    const held = Atomics.load(words, at)
    if (held === 0) {
      // Others may sleep on this word as well, so whoever takes it from here on keeps WAIT set:
      // without it the next release would wake nobody.
      if (Atomics.compareExchange(words, at, 0, owner | LOCK_WAIT) === 0) return true // @TRY_AGAIN
    }
    const remainingMs = deadlineMs - monotonicNowMs()
    if (remainingMs <= 0) return false
    if (held === 0) continue
    const waited = held | LOCK_WAIT // @MARK
    if (held !== waited && Atomics.compareExchange(words, at, held, waited) !== held) continue
    Atomics.add(words, at + 1, 1)
    Atomics.wait(words, at, waited, Math.min(remainingMs, SLEEP_MAX_MS)) // @SLEEP
  }
}
