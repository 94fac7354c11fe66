/**
 * Notes what a thread cannot count as it happens: how late its event loop is, and its open
 * connections. Runs in the thread that it is about and does not keep it alive. perf_hooks'
 * monitorEventLoopDelay loses what blocks the loop while its histogram is read and reset.
 */
import { monotonicNowMs } from './clock.ts'
import { startInterval, type StartInterval } from './interval.ts'
import type { ThreadMeter } from './memory/meters.ts'

export interface ThreadSampling {
  close (): void
}

interface SamplingClock {
  readonly now: () => number
  readonly startInterval: StartInterval
}

/**
 * A delay between two ticks is not seen, so these are samples; each wakes an idle thread. At 20 ms
 * an idle program took 39 ms of CPU a second on a busy machine, without them 4.5.
 */
export const TICK_MS = 200
const TICKS_PER_COUNT = 5

/** @param connectionCount asked about once a second */
export function sampleThread (
  meter: Pick<ThreadMeter, 'loopDelayed' | 'connectionsOpen'>, connectionCount: () => number,
  clock: SamplingClock = { now: monotonicNowMs, startInterval }
): ThreadSampling {
  let lastMs = clock.now()
  let ticks = 0
  meter.connectionsOpen(connectionCount(), lastMs)
  const stop = clock.startInterval(TICK_MS, () => {
    const nowMs = clock.now()
    // A timer may fire up to 1 ms early.
    meter.loopDelayed(Math.max(0, nowMs - lastMs - TICK_MS))
    lastMs = nowMs
    if (++ticks % TICKS_PER_COUNT === 0) meter.connectionsOpen(connectionCount(), nowMs)
  })
  return { close: stop }
}
