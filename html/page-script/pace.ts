/**
 * How long a page waits before its next beat. Numbers only: no timer, no clock.
 */

/** Until the server has said otherwise. */
export const INTERVAL_MS_DEFAULT = 5_000

/** What is believed of `X-Heartbeat-Interval`: a tenth of a second to a day. */
const INTERVAL_MS_MIN = 100
const INTERVAL_MS_MAX = 86_400_000

/** While beats fail, the wait doubles up to this, or stays at the interval where that is longer. */
const BACKOFF_MS_MAX = 30_000

/**
 * The server never asks for more than a quarter of the time after which it forgets a user. Twice
 * that, half as much again for a tab that follows another, is three quarters: still remembered.
 */
const HIDDEN_FACTOR = 2

export interface Pace {
  readonly intervalMs: number
  /** Beats in a row that failed. */
  readonly failureCount: number
  readonly isHidden: boolean
  /** True when another tab of this visitor made the last beat. */
  readonly isFollowing: boolean
}

/** From the last answer to the next beat; never shorter than the interval. `random` is 0 to 1. */
export function beatDelayMs (pace: Pace, random: number): number {
  const { intervalMs, failureCount } = pace
  // Pages that failed together do not come back together.
  if (failureCount > 0) return backoffMs(intervalMs, failureCount) * (1 + random / 2)
  const ownMs = pace.isHidden ? intervalMs * HIDDEN_FACTOR : intervalMs
  // A follower comes late on purpose: the tab that leads beats first, and the rest wait again.
  return pace.isFollowing ? ownMs * (1.25 + random / 4) : ownMs
}

/** The interval that a header's text (seconds) asks for; undefined for none or for nonsense. */
export function parseIntervalMs (header: string | null): number | undefined {
  const ms = Number(header) * 1000
  return ms > 0 ? Math.min(Math.max(ms, INTERVAL_MS_MIN), INTERVAL_MS_MAX) : undefined
}

function backoffMs (intervalMs: number, failureCount: number): number {
  return Math.min(intervalMs * 2 ** (failureCount - 1), Math.max(intervalMs, BACKOFF_MS_MAX))
}
