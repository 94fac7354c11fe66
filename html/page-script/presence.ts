/**
 * Keeps the server told that this page is open: beats, leaves, and agrees with the visitor's other
 * tabs on who beats. Owns the timer, the beat on its way and the channel between tabs; shows
 * nothing. Runs in the browser; everything it touches there is passed in.
 */
import { beatDelayMs, INTERVAL_MS_DEFAULT, parseIntervalMs } from './pace.ts'

/** What of `window` is used here. */
export interface Browser {
  readonly document: Pick<Document, 'visibilityState' | 'addEventListener'>
  readonly navigator: {
    readonly onLine?: boolean
    readonly sendBeacon?: (url: string) => boolean
  }
  readonly AbortController: typeof AbortController
  readonly BroadcastChannel?: new (name: string) => Channel
  addEventListener (
    type: 'pagehide' | 'pageshow' | 'online', listener: (event: { persisted?: boolean }) => void
  ): void
  fetch (url: string, options: RequestInit): Promise<Answer>
  setTimeout (action: () => void, delayMs: number): number
  clearTimeout (timer: number): void
}

export type Channel = Pick<BroadcastChannel, 'postMessage' | 'close'> & {
  onmessage: ((event: MessageEvent) => void) | null
}

export interface Answer {
  readonly ok: boolean
  readonly status: number
  readonly headers: Pick<Headers, 'get'>
}

/** What is not the same twice: `now` in milliseconds, `random` from 0 to 1. */
export interface Chance {
  now (): number
  random (): number
}

export interface News {
  beat (activeUsers: number): void
  missed (): void
  denied (): void
}

/** From tab to tab of one visitor. A channel ends at the origin, so it is about one server. */
type TabMessage =
  | { readonly type: 'beaten', readonly activeUsers: number, readonly intervalMs: number }
  | { readonly type: 'left' }
  | { readonly type: 'denied' }

/** The number is the version of the messages: tabs of two versions do not hear each other. */
const CHANNEL_NAME = 'usher-1'

const ANSWER_MS_MAX = 10_000

/**
 * When one tab leaves, the visitor is signed off; the tabs that stay bring it back after this long.
 * Long enough that the leave arrives first, spread so that the first of them spares the others.
 */
const RETURN_MS = 100
const RETURN_SPREAD_MS = 200

/**
 * The beats that follow a leave (another tab's, or that of the page before a reload) at the pace of
 * a seen page, hidden or not: the first brings the visitor back, the second makes sure, should the
 * leave have come late.
 */
const BEATS_AFTER_LEAVE = 2

/** Starts at once; what it returns leaves, and may be called twice. `thresholdMs`: see Pace. */
export function startPresence (
  browser: Browser, chance: Chance, thresholdMs: number, news: News
): () => void {
  let presence: 'here' | 'left' | 'denied' = 'left'
  let channel: Channel | undefined
  let timer = 0
  /** The beat on its way. One that is no longer this one changes nothing when it is answered. */
  let flight: AbortController | undefined
  let intervalMs = INTERVAL_MS_DEFAULT
  /** What a failed beat's answer asked for; the interval when it did not. */
  let retryMs = 0
  let failureCount = 0
  /** Answers to wait for before a hidden page may rest. */
  let promptCount = 0
  let isFollowing = false
  /** When the last beat of any tab was settled. */
  let lastMs = 0

  function enter (): void {
    if (presence !== 'left') return
    presence = 'here'
    promptCount = BEATS_AFTER_LEAVE
    channel = openChannel(browser, hear)
    beat()
  }

  function beat (): void {
    browser.clearTimeout(timer)
    flight?.abort()
    const mine = flight = new browser.AbortController()
    const limit = browser.setTimeout(() => mine.abort(), ANSWER_MS_MAX)
    const settle = (answer?: Answer): void => {
      browser.clearTimeout(limit)
      if (flight === mine) take(answer)
    }
    // Not `keepalive`: a beat that outlives its page would bring back a visitor who has left.
    browser.fetch('/heartbeat', {
      cache: 'no-store', credentials: 'same-origin', signal: mine.signal
    }).then(settle, () => settle())
  }

  /** No answer is a beat that failed. */
  function take (answer: Answer | undefined): void {
    flight = undefined
    if (answer?.status === 403) return end(true)
    if (!answer?.ok) {
      failureCount += 1
      retryMs = parseIntervalMs(answer?.headers.get('Retry-After') ?? null) ?? 0
      wait()
      return news.missed()
    }
    const activeUsers = Number(answer.headers.get('X-Active-Users') ?? NaN)
    accept(activeUsers, parseIntervalMs(answer.headers.get('X-Heartbeat-Interval')) ?? intervalMs)
    channel?.postMessage({ type: 'beaten', activeUsers, intervalMs } satisfies TabMessage)
  }

  function accept (activeUsers: number, toldMs: number, isOfAnother = false): void {
    intervalMs = toldMs
    retryMs = failureCount = 0
    promptCount = Math.max(0, promptCount - 1)
    isFollowing = isOfAnother
    wait()
    // An answer without its number comes from something in between: nothing to report.
    if (activeUsers >= 0) news.beat(activeUsers)
  }

  function wait (): void {
    lastMs = chance.now()
    waitOn()
  }

  /** Sets the timer to what is left of the wait: all of it, or less when the page was hidden. */
  function waitOn (): void {
    const delayMs = beatDelayMs({
      intervalMs: Math.max(intervalMs, retryMs),
      thresholdMs,
      failureCount,
      isHidden: browser.document.visibilityState === 'hidden' && promptCount === 0,
      isOffline: browser.navigator.onLine === false,
      isFollowing
    }, chance.random())
    // The clock may have been set meanwhile: never less than nothing, never more than the whole.
    beatIn(Math.min(delayMs, Math.max(0, lastMs + delayMs - chance.now())))
  }

  /** Something has changed that the wait depends on. */
  function lookAgain (): void {
    if (presence === 'here' && !flight) waitOn()
  }

  function beatIn (delayMs: number): void {
    browser.clearTimeout(timer)
    timer = browser.setTimeout(beat, delayMs)
  }

  function hear (message: TabMessage): void {
    if (message.type === 'beaten') accept(message.activeUsers, message.intervalMs, true)
    if (message.type === 'denied') end(false)
    if (message.type === 'left') {
      promptCount = BEATS_AFTER_LEAVE
      stopFlight()
      beatIn(RETURN_MS + chance.random() * RETURN_SPREAD_MS)
    }
  }

  function leave (): void {
    if (presence !== 'here') return
    presence = 'left'
    stopFlight()
    // Some privacy tools take `sendBeacon` away or make it refuse.
    if (!browser.navigator.sendBeacon?.('/leave')) {
      browser.fetch('/leave', { method: 'POST', keepalive: true }).catch(() => {})
    }
    close({ type: 'left' })
  }

  function end (isFirstToKnow: boolean): void {
    presence = 'denied'
    stopFlight()
    close(isFirstToKnow ? { type: 'denied' } : undefined)
    news.denied()
  }

  function stopFlight (): void {
    const beaten = flight
    flight = undefined
    beaten?.abort()
  }

  /** The channel is closed with the page, or the browser would not keep the page for "back". */
  function close (lastWord: TabMessage | undefined): void {
    browser.clearTimeout(timer)
    if (lastWord) channel?.postMessage(lastWord)
    channel?.close()
    channel = undefined
  }

  browser.addEventListener('pagehide', leave)
  browser.addEventListener('pageshow', event => { if (event.persisted) enter() })
  browser.addEventListener('online', () => {
    // The pace of a first try again: at once after a long silence, or when the interval is over.
    failureCount = 0
    promptCount = Math.max(1, promptCount)
    lookAgain()
  })
  browser.document.addEventListener('visibilitychange', lookAgain)
  enter()
  return leave
}

/** Undefined where there is none, or where the visitor's privacy settings forbid it. */
function openChannel (
  browser: Browser, hear: (message: TabMessage) => void
): Channel | undefined {
  if (!browser.BroadcastChannel) return undefined
  try {
    const channel = new browser.BroadcastChannel(CHANNEL_NAME)
    channel.onmessage = event => hear(event.data as TabMessage)
    return channel
  } catch {
    return undefined
  }
}
