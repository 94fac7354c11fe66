/**
 * Notes what a thread cannot count as it happens: how late its event loop is, and its open
 * connections. Runs in the thread that it is about and does not keep it alive. perf_hooks'
 * monitorEventLoopDelay loses what blocks the loop while its histogram is read and reset.
 */
import { monotonicNowMs } from './clock.ts'
import { every, type Every } from './every.ts'
import type { ThreadMeter } from './memory/meters.ts'

export interface ThreadSampling {
  close (): void
}

interface SamplingClock {
  readonly now: () => number
  readonly every: Every
}

/** 50 looks a second cost next to nothing and miss no delay that a person could feel. */
export const TICK_MS = 20
const TICKS_PER_COUNT = 50

/** @param connectionCount asked about once a second */
export function sampleThread (
  meter: Pick<ThreadMeter, 'loopDelayed' | 'connectionsOpen'>, connectionCount: () => number,
  clock: SamplingClock = { now: monotonicNowMs, every }
): ThreadSampling {
  let lastMs = clock.now()
  let ticks = 0
  meter.connectionsOpen(connectionCount(), lastMs)
  const stop = clock.every(TICK_MS, () => {
    const nowMs = clock.now()
    // A timer may fire up to 1 ms early.
    meter.loopDelayed(Math.max(0, nowMs - lastMs - TICK_MS))
    lastMs = nowMs
    if (++ticks % TICKS_PER_COUNT === 0) meter.connectionsOpen(connectionCount(), nowMs)
  })
  return { close: stop }
}
