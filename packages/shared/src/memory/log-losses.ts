/**
 * What the log has lost, over all threads of a process: lines that a full disk or a closed console
 * did not take. So that one thread reports it, once, for all of them. Waits for no other thread.
 */
import { WORD_BYTES } from './layout.ts'

/** What a thread needs to map them: posted to workers as it stands. */
export interface LogLossesMemory {
  readonly buffer: SharedArrayBuffer
}

/** The destinations of log lines; each has a block. */
export type LogPlace = 'console' | 'file'

const PLACES: readonly LogPlace[] = ['console', 'file']

/** A block, in words. Written by all threads. */
const LOSSES = {
  LOSING: 0, // 1 from the first line that was lost until one is written again
  LINES: 1, // lost since LOSING became 1
  TORN: 2, // 1 when what was written last is a part of a line
  WORDS: 3
} as const

export function allocateLogLosses (): LogLossesMemory {
  return { buffer: new SharedArrayBuffer(PLACES.length * LOSSES.WORDS * WORD_BYTES) }
}

const SLEEPER = new Int32Array(new SharedArrayBuffer(WORD_BYTES))

/** The whole thread stands still: for a console that takes the next line in a moment. */
export function pauseThread (ms: number): void {
  Atomics.wait(SLEEPER, 0, 0, ms)
}

/** The losses of one destination. */
export class LogLosses {
  readonly #words: Int32Array
  readonly #at: number

  constructor (memory: LogLossesMemory, place: LogPlace) {
    this.#words = new Int32Array(memory.buffer)
    this.#at = PLACES.indexOf(place) * LOSSES.WORDS
  }

  /** Notes that a line was lost. True for the first one of all threads: that thread reports it. */
  lose (): boolean {
    // In this order: when another thread ends the loss in between, this line is counted with the
    // next loss.
    Atomics.add(this.#words, this.#at + LOSSES.LINES, 1)
    return Atomics.exchange(this.#words, this.#at + LOSSES.LOSING, 1) === 0
  }

  /**
   * Notes that a line was written. Returns how many were lost before, to the one thread that is to
   * report it; 0 to all others.
   */
  written (): number {
    const isOver = Atomics.load(this.#words, this.#at + LOSSES.LOSING) === 1 &&
      Atomics.exchange(this.#words, this.#at + LOSSES.LOSING, 0) === 1
    return isOver ? Atomics.exchange(this.#words, this.#at + LOSSES.LINES, 0) : 0
  }

  get isLosing (): boolean {
    return Atomics.load(this.#words, this.#at + LOSSES.LOSING) === 1
  }

  /** The next line has to begin with the end of a line. */
  get isTorn (): boolean {
    return Atomics.load(this.#words, this.#at + LOSSES.TORN) === 1
  }

  set isTorn (isTorn: boolean) {
    Atomics.store(this.#words, this.#at + LOSSES.TORN, isTorn ? 1 : 0)
  }
}
