/**
 * Short pauses of a thread behind visitors (thread-priority.ts), in which whoever waits for the
 * processor gets it: without them a thread keeps it until its slice is over, 1 to 4 ms, however low
 * its priority, and a page of a visitor waits for so long. One state for each thread.
 */
import { pauseThread } from '@usher/shared/memory/log-losses.ts'
import { inTimeSlices } from '@usher/shared/time-slices.ts'
import { waitPrecisely } from './thread-priority.ts'

export interface YieldingOptions {
  /** Monotonic milliseconds. */
  readonly now?: () => number
  /** Sleeps for so many milliseconds, or longer. */
  readonly sleep?: (ms: number) => void
}

/** Work without a pause. */
const WORK_MS = 0.1
/** Long enough for the kernel to go to sleep for. */
const PAUSE_MS = 0.02
/** A pause that took longer gave the processor to somebody. */
const UNUSED_PAUSE_MS = 0.06
/** In a row: a thread that nobody leaves any time to goes on, too. */
const PAUSES_MAX = 5

export class Yielding {
  readonly #now: () => number
  readonly #sleep: (ms: number) => void
  #pausedMs = -Infinity

  constructor ({ now = () => performance.now(), sleep = pauseThread }: YieldingOptions = {}) {
    this.#now = now
    this.#sleep = sleep
  }

  /** Between two steps of work, each a fraction of WORK_MS; pauses when that time is over. */
  yieldIfDue (): void {
    if (this.#now() - this.#pausedMs < WORK_MS) return
    // Whoever used the last pause may wake another: visitors come in bursts.
    for (let pauses = 0; pauses < PAUSES_MAX && this.#isPauseUsed(); pauses++);
  }

  #isPauseUsed (): boolean {
    const startMs = this.#now()
    this.#sleep(PAUSE_MS)
    this.#pausedMs = this.#now()
    return this.#pausedMs - startMs > UNUSED_PAUSE_MS
  }
}

/** Undefined in a thread that does not yield. */
let ofThisThread: Yielding | undefined

/** From here on this thread yields; where its waits cannot be short, it does not. */
export function startYielding (): void {
  if (waitPrecisely()) ofThisThread = new Yielding()
}

/** @returns whether this thread yielded so far */
export function stopYielding (): boolean {
  const hasYielded = ofThisThread !== undefined
  ofThisThread = undefined
  return hasYielded
}

/** As Yielding has it, in a thread that yields. */
export function yieldIfDue (): void {
  ofThisThread?.yieldIfDue()
}

/** `inTimeSlices`, which yields after each tenth of a slice. */
export async function inYieldingSlices (step: () => boolean | Promise<boolean>): Promise<void> {
  await inTimeSlices(() => {
    yieldIfDue()
    return step()
  })
}
