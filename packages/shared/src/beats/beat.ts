/**
 * How long a page is told to wait before its next beat: the one place where a server asks for more
 * or fewer of them. Runs in the server's thread.
 */
import type { Settings } from '../settings/settings.ts'

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
 * Gives each page the time of its next beat. On average the budget is kept by the interval alone,
 * which grows with the users; but pages that came in one second would come back in one wave, which
 * jitter takes an hour to level. So no two beats are given the same place: each comes at least the
 * budget's share of a second after the one given before it (a virtual schedule, as of a leaky
 * bucket), and is then jittered. Below the budget the schedule is empty and changes nothing. It
 * runs ahead by one interval at most, in which all users have room: whoever beats without a pause
 * delays the others no further.
 */
export class BeatSchedule {
  readonly #settings: BeatSettings
  readonly #random: () => number
  readonly #now: () => number
  /** The last place that was given. */
  #lastMs = -Infinity

  /**
   * @param random 0 to below 1
   * @param now monotonic milliseconds
   */
  constructor (settings: BeatSettings, random: () => number, now: () => number) {
    this.#settings = settings
    this.#random = random
    this.#now = now
  }

  /** Milliseconds, whole, until the next beat of one page among `activeUsers`. */
  nextInMs (activeUsers: number): number {
    const { heartbeatIntervalMs, heartbeatBudget } = this.#settings
    const nowMs = this.#now()
    const shareMs = 1000 / heartbeatBudget
    const soonestMs = Math.max(heartbeatIntervalMs, activeUsers * shareMs)
    const aheadMs = Math.max(0, Math.min(this.#lastMs + shareMs - nowMs - soonestMs, soonestMs))
    this.#lastMs = nowMs + soonestMs + aheadMs
    const stepMs = soonestMs * JITTER_MAX / JITTER_STEPS
    const steps = Math.floor(aheadMs / stepMs) + Math.floor(this.#random() * JITTER_STEPS)
    const wholeMs = Math.floor(soonestMs + steps * stepMs)
    return Math.min(Math.max(INTERVAL_MIN_MS, wholeMs), longestIntervalMs(this.#settings))
  }
}

/** What a page is told that beats for nobody who is counted: it may be later. */
export function longestIntervalMs ({ timeoutThresholdMs }: BeatSettings): number {
  return Math.max(INTERVAL_MIN_MS, Math.floor(timeoutThresholdMs / BEATS_PER_TIMEOUT))
}

/** Seconds as `X-Heartbeat-Interval` says them, with at most three decimals. */
export function formatSeconds (wholeMs: number): string {
  return String(wholeMs / 1000)
}
