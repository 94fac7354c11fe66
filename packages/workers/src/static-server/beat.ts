/**
 * How long a page is told to wait before its next beat: the one place where a server asks for more
 * or fewer of them. Pure; runs in the server's thread.
 */
import type { Settings } from '@usher/shared/settings/settings.ts'

export type BeatSettings =
  Pick<Settings, 'heartbeatIntervalMs' | 'heartbeatBudget' | 'timeoutThresholdMs'>

/**
 * Pages that loaded together would beat together; each interval is stretched by up to a fifth. In
 * steps, 8 ms of 2.5 s, so that the same few replies answer all beats.
 */
const JITTER_MAX = 0.2
const JITTER_STEPS = 64
/**
 * A page misses three beats before it is taken for gone. This wins over all else: a page that beats
 * more seldom than it times out would come and go for ever.
 */
const BEATS_PER_TIMEOUT = 4
const INTERVAL_MIN_MS = 1

/**
 * Milliseconds, whole, until the next beat of one page among `activeUsers`; `random` gives 0 to
 * below 1.
 */
export function beatIntervalMs (
  activeUsers: number, settings: BeatSettings, random: () => number
): number {
  const affordableMs = activeUsers / settings.heartbeatBudget * 1000
  const baseMs = Math.max(settings.heartbeatIntervalMs, affordableMs)
  const step = Math.floor(random() * JITTER_STEPS)
  const jitteredMs = baseMs * (1 + JITTER_MAX * step / JITTER_STEPS)
  return Math.min(Math.max(INTERVAL_MIN_MS, Math.floor(jitteredMs)), longestIntervalMs(settings))
}

/** What a page is told that beats for nobody who is counted: it may be later. */
export function longestIntervalMs ({ timeoutThresholdMs }: BeatSettings): number {
  return Math.max(INTERVAL_MIN_MS, Math.floor(timeoutThresholdMs / BEATS_PER_TIMEOUT))
}

/** Seconds as `X-Heartbeat-Interval` says them, with at most three decimals. */
export function formatSeconds (wholeMs: number): string {
  return String(wholeMs / 1000)
}
