/** Long work that gives way to the loop. Pure but for the clock; runs in the monitor's thread. */
import { setImmediate } from 'node:timers/promises'

/** The longest that such work keeps the loop to itself; a step takes a fraction of it. */
const SLICE_MS = 1

/** Takes steps until one says that it was the last. */
export async function inTimeSlices (step: () => boolean | Promise<boolean>): Promise<void> {
  let sliceStartMs = performance.now()
  while (!await step()) {
    if (performance.now() - sliceStartMs < SLICE_MS) continue
    await setImmediate()
    sliceStartMs = performance.now()
  }
}
