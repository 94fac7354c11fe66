/**
 * Cooperative time slices: long work in small steps, which gives way to the event loop in between,
 * so that requests are answered meanwhile. Any thread.
 */
import { setImmediate } from 'node:timers/promises'

export interface SliceOptions {
  /** The longest that the work keeps the loop to itself; a step takes a fraction of it. */
  readonly sliceMs?: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

const SLICE_MS = 1

/** Takes steps until one of them returns true: it was the last. */
export async function inTimeSlices (
  step: () => boolean | Promise<boolean>,
  { sliceMs = SLICE_MS, now = () => performance.now() }: SliceOptions = {}
): Promise<void> {
  for (let sliceStartMs = now(); ;) {
    const isLast = step()
    // Nothing is waited for that is there: most steps are short, and many a second.
    if (isLast === true || (isLast !== false && await isLast)) return
    if (now() - sliceStartMs < sliceMs) continue
    await setImmediate()
    sliceStartMs = now()
  }
}
