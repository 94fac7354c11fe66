/**
 * How long a page waits before its next beat. Numbers only: no timer, no clock.
 */

/** Until the server has said otherwise. */
export const INTERVAL_MS_DEFAULT = 5_000

/** What is believed of a header that asks for a wait: a tenth of a second to a day. */
const INTERVAL_MS_MIN = 100
const INTERVAL_MS_MAX = 86_400_000

/** While beats fail, the wait doubles up to this, or stays at the interval where that is longer. */
const BACKOFF_MS_MAX = 30_000
/** Pages that failed together do not come back together. */
const BACKOFF_JITTER = 0.5

/** The server never asks for more than a quarter of the time after which it forgets a user. */
const INTERVALS_PER_THRESHOLD = 4

/**
 * How late a resting page may be: browsers run a hidden tab's timers once a minute, and three of
 * them pass in a row when a beat gets no answer (the beat, the ten seconds that its answer may
 * take, the next try). Where the threshold has no room for that, a quarter of it.
 */
const LATE_MS_MAX = 3 * 60_000 + 10_000

export interface Pace {
  /** What the server asked for. */
  readonly intervalMs: number
  /** After this long in silence a user is forgotten; NaN where the server did not say. */
  readonly thresholdMs: number
  /** Beats in a row that failed. */
  readonly failureCount: number
  readonly isHidden: boolean
  /** True when the browser says so, which is believed as soon as a beat has failed. */
  readonly isOffline: boolean
  /** True when another tab of this visitor made the last beat. */
  readonly isFollowing: boolean
}

/**
 * From the last answer to the next beat; never shorter than the interval. `random` is 0 to 1. A
 * follower comes late on purpose: the tab that leads beats first, and the rest wait again.
 */
export function beatDelayMs (pace: Pace, random: number): number {
  const { intervalMs, failureCount, isHidden, isOffline, isFollowing } = pace
  if (failureCount > 0 && !isOffline) return backoffMs(pace) * (1 + BACKOFF_JITTER * random)
  if (isHidden || failureCount > 0) {
    const share = isFollowing ? 0.85 + 0.15 * random : 0.6 + 0.2 * random
    return Math.max(intervalMs, restMs(pace) * share)
  }
  return isFollowing ? intervalMs * (1.25 + random / 4) : intervalMs
}

/** The wait that a header's text (seconds) asks for; undefined for none or a malformed one. */
export function parseIntervalMs (header: string | null): number | undefined {
  const ms = Number(header) * 1000
  return ms > 0 ? Math.min(Math.max(ms, INTERVAL_MS_MIN), INTERVAL_MS_MAX) : undefined
}

/** The longest silence that leaves time for a second try when the beat after it fails. */
function restMs (pace: Pace): number {
  const thresholdMs = thresholdOf(pace)
  const lateMs = Math.min(LATE_MS_MAX, thresholdMs / 4)
  return thresholdMs - lateMs - pace.intervalMs * (1 + BACKOFF_JITTER)
}

function backoffMs (pace: Pace): number {
  const { intervalMs, failureCount } = pace
  const longestMs = Math.min(BACKOFF_MS_MAX, thresholdOf(pace) / INTERVALS_PER_THRESHOLD)
  return Math.min(intervalMs * 2 ** (failureCount - 1), Math.max(intervalMs, longestMs))
}

function thresholdOf ({ thresholdMs, intervalMs }: Pace): number {
  return thresholdMs || INTERVALS_PER_THRESHOLD * intervalMs
}
