/**
 * Ends a thread that is about to run out of memory, by an error thrown from a timer. V8 would end
 * it in the middle of other work, and Node 20 aborts the whole process when that happens in a
 * promise callback while requests come in. A leak is caught in time; an allocation that fills the
 * rest of the heap between two checks is not. Runs in the thread that it watches.
 */
import { getHeapSpaceStatistics } from 'node:v8'
import { resourceLimits } from 'node:worker_threads'
import { MemoryExhausted } from '@usher/shared/errors.ts'
import { startInterval } from '@usher/shared/interval.ts'

/** As often as the thread wakes for its sampler anyway. */
export const LOOK_MS = 200
/** V8 collects well before, at half of the heap at first, then at a few times what it kept. */
const FULL_SHARE = 0.8
const MB = 2 ** 20

/**
 * The spaces of young objects, which are soon moved or freed: they do not count towards the limit.
 */
const YOUNG_SPACES = ['new_space', 'new_large_object_space']

export interface Heap {
  readonly usedBytes: number
  /** Infinity in a thread without a limit. */
  readonly limitBytes: number
}

export function watchHeap (system = { startInterval, heap: ownHeap }): void {
  system.startInterval(LOOK_MS, () => {
    const { usedBytes, limitBytes } = system.heap()
    if (usedBytes < limitBytes * FULL_SHARE) return
    throw new MemoryExhausted((usedBytes / MB).toFixed(0), (limitBytes / MB).toFixed(0))
  })
}

function ownHeap (): Heap {
  const { maxOldGenerationSizeMb = Infinity } = resourceLimits
  let usedBytes = 0
  for (const { space_name: name, space_used_size: bytes } of getHeapSpaceStatistics()) {
    if (!YOUNG_SPACES.includes(name)) usedBytes += bytes
  }
  return { usedBytes, limitBytes: maxOldGenerationSizeMb * MB }
}
