/**
 * Keeps the server told that this page is open: beats, leaves, and agrees with the visitor's other
 * tabs on who beats. Owns the timer, the beat on its way and the channel between tabs; shows
 * nothing. Runs in the browser; everything it touches there is passed in.
 */
import { beatDelayMs, INTERVAL_MS_DEFAULT, parseIntervalMs } from './pace.ts'

/** What of `window` is used here. */
export interface Browser {
  readonly document: Pick<Document, 'visibilityState' | 'addEventListener'> & {
    /** True while a browser shows the page to nobody yet (Prerendering Revamped). */
    readonly prerendering?: boolean
  }
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
  json (): Promise<unknown>
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
  /** The server is to be left: the page has to be loaded again by way of the router. */
  moved (): void
}

/** From tab to tab of one visitor. A channel ends at the origin, so it is about one server. */
type TabMessage =
  | { readonly type: 'beaten', readonly activeUsers: number, readonly intervalMs: number }
  | { readonly type: 'left' }
  | { readonly type: 'denied' }

type BeatMethod = 'GET' | 'POST'

/** The number is the version of the messages: tabs of two versions do not hear each other. */
const CHANNEL_NAME = 'usher-1'

const ANSWER_MS_MAX = 10_000

/**
 * When one tab leaves, the visitor is signed off; the tabs that stay bring it back after this long.
 * Long enough that the leave arrives first, and that the server does not take the beat for one of
 * the page that left (LATE_MS); spread so that the first of them spares the others.
 */
const RETURN_MS = 250
const RETURN_SPREAD_MS = 200

/**
 * The beats that follow a leave (another tab's, or that of the page before a reload) at the pace of
 * a seen page, hidden or not: the first brings the visitor back, the second makes sure, should the
 * leave have come late.
 */
const BEATS_AFTER_LEAVE = 2

/** Everything about one open page that changes, and the parts of the browser that it needs. */
interface Presence {
  readonly browser: Browser
  readonly chance: Chance
  readonly thresholdMs: number
  readonly news: News
  state: 'here' | 'left' | 'denied'
  channel?: Channel | undefined
  timer: number
  /** The beat in flight. An answer to any other beat changes nothing. */
  flight?: AbortController | undefined
  intervalMs: number
  /** What a failed beat's answer asked for; 0 when it asked for nothing. */
  retryMs: number
  failureCount: number
  /** Answers to wait for before a hidden page may rest. */
  promptCount: number
  /** Whether another tab made the last beat. */
  isFollowing: boolean
  /** When the last beat of any tab was settled. */
  lastMs: number
}

/** Starts at once; what it returns leaves, and may be called twice. `thresholdMs`: see Pace. */
export function startPresence (
  browser: Browser, chance: Chance, thresholdMs: number, news: News
): () => void {
  const presence: Presence = {
    browser,
    chance,
    thresholdMs,
    news,
    state: 'left',
    timer: 0,
    intervalMs: INTERVAL_MS_DEFAULT,
    retryMs: 0,
    failureCount: 0,
    promptCount: 0,
    isFollowing: false,
    lastMs: 0
  }
  const update = (): void => reschedule(presence)
  browser.addEventListener('pagehide', () => { leave(presence, '/leave?page') })
  browser.addEventListener('pageshow', event => { if (event.persisted) enter(presence) })
  browser.addEventListener('online', () => {
    // The pace of a first try again: at once after a long silence, or when the interval is over.
    presence.failureCount = 0
    presence.promptCount = Math.max(1, presence.promptCount)
    update()
  })
  browser.document.addEventListener('visibilitychange', update)
  if (browser.document.prerendering) {
    browser.document.addEventListener('prerenderingchange', () => enter(presence))
  } else enter(presence)
  return () => { leave(presence, '/leave') }
}

function enter (presence: Presence): void {
  if (presence.state !== 'left') return
  presence.state = 'here'
  presence.promptCount = BEATS_AFTER_LEAVE
  presence.channel = openChannel(presence.browser, message => hear(presence, message))
  beat(presence)
}

/**
 * By GET the server is told of who is here; by POST of who comes, since it does not know them, and
 * of who stays, though a page has left.
 */
function beat (presence: Presence, method: BeatMethod = 'GET'): void {
  const { browser } = presence
  browser.clearTimeout(presence.timer)
  presence.flight?.abort()
  const flight = presence.flight = new browser.AbortController()
  const limit = browser.setTimeout(() => flight.abort(), ANSWER_MS_MAX)
  const settle = (answer?: Answer, error?: unknown): void => {
    browser.clearTimeout(limit)
    if (presence.flight !== flight) return
    if (error === 'not_here' && method === 'GET') beat(presence, 'POST')
    else take(presence, answer, error)
  }
  // Not `keepalive`: a beat that outlives its page would bring back a visitor who has left.
  browser.fetch('/heartbeat', {
    method, cache: 'no-store', credentials: 'same-origin', signal: flight.signal
  }).then(
    answer => answer.ok ? settle(answer) : errorOf(answer).then(error => settle(answer, error)),
    () => settle())
}

/** What the server calls the reason of its refusal; undefined where something else has answered. */
function errorOf (answer: Answer): Promise<unknown> {
  return answer.json().then(
    body => (body as { readonly error?: unknown } | null)?.error, () => undefined)
}

/** No answer is a beat that failed. */
function take (presence: Presence, answer: Answer | undefined, error: unknown): void {
  presence.flight = undefined
  if (error === 'denied') return end(presence, true)
  if (!answer?.ok) {
    // The page goes; should it stay, because its visitor wants it to, it asks again later.
    const news = error === 'moved' ? presence.news.moved : presence.news.missed
    presence.failureCount += 1
    presence.retryMs = parseIntervalMs(answer?.headers.get('Retry-After') ?? null) ?? 0
    scheduleFromNow(presence)
    return news()
  }
  const activeUsers = Number(answer.headers.get('X-Active-Users') ?? NaN)
  const toldMs = parseIntervalMs(answer.headers.get('X-Heartbeat-Interval'))
  const intervalMs = toldMs ?? presence.intervalMs
  accept(presence, activeUsers, intervalMs, false)
  presence.channel?.postMessage({ type: 'beaten', activeUsers, intervalMs } satisfies TabMessage)
}

function accept (
  presence: Presence, activeUsers: number, intervalMs: number, isOfAnotherTab: boolean
): void {
  presence.intervalMs = intervalMs
  presence.retryMs = presence.failureCount = 0
  presence.promptCount = Math.max(0, presence.promptCount - 1)
  presence.isFollowing = isOfAnotherTab
  scheduleFromNow(presence)
  // An answer without its number comes from something in between: nothing to report.
  if (activeUsers >= 0) presence.news.beat(activeUsers)
}

function scheduleFromNow (presence: Presence): void {
  presence.lastMs = presence.chance.now()
  schedule(presence)
}

/** Sets the timer to what is left of the wait: all of it, or less when the page was hidden. */
function schedule (presence: Presence): void {
  const { browser, chance, lastMs } = presence
  const delayMs = beatDelayMs({
    ...presence,
    intervalMs: Math.max(presence.intervalMs, presence.retryMs),
    isHidden: browser.document.visibilityState === 'hidden' && presence.promptCount === 0,
    isOffline: browser.navigator.onLine === false
  }, chance.random())
  // The clock may have been set meanwhile: never less than nothing, never more than the whole.
  beatIn(presence, Math.min(delayMs, Math.max(0, lastMs + delayMs - chance.now())))
}

/** To be called when something has changed that the wait depends on. */
function reschedule (presence: Presence): void {
  if (presence.state === 'here' && !presence.flight) schedule(presence)
}

function beatIn (presence: Presence, delayMs: number, method?: BeatMethod): void {
  const { browser } = presence
  browser.clearTimeout(presence.timer)
  presence.timer = browser.setTimeout(() => beat(presence, method), delayMs)
}

function hear (presence: Presence, message: TabMessage): void {
  if (message.type === 'beaten') accept(presence, message.activeUsers, message.intervalMs, true)
  if (message.type === 'denied') end(presence, false)
  if (message.type === 'left') {
    presence.promptCount = BEATS_AFTER_LEAVE
    stopFlight(presence)
    beatIn(presence, RETURN_MS + presence.chance.random() * RETURN_SPREAD_MS, 'POST')
  }
}

/** A page's leave counts after a grace: the next page may be one of the same site. */
function leave (presence: Presence, path: '/leave' | '/leave?page'): void {
  const { browser, state } = presence
  if (state !== 'here') return
  presence.state = 'left'
  stopFlight(presence)
  // Some privacy tools take `sendBeacon` away or make it refuse.
  if (!browser.navigator.sendBeacon?.(path)) {
    browser.fetch(path, { method: 'POST', keepalive: true }).catch(() => {})
  }
  close(presence, { type: 'left' })
}

function end (presence: Presence, isFirstToKnow: boolean): void {
  presence.state = 'denied'
  stopFlight(presence)
  close(presence, isFirstToKnow ? { type: 'denied' } : undefined)
  presence.news.denied()
}

function stopFlight (presence: Presence): void {
  const { flight } = presence
  presence.flight = undefined
  flight?.abort()
}

/** The channel is closed with the page, or the browser would not keep the page for "back". */
function close (presence: Presence, lastMessage: TabMessage | undefined): void {
  const { browser, channel, timer } = presence
  browser.clearTimeout(timer)
  if (lastMessage) channel?.postMessage(lastMessage)
  channel?.close()
  presence.channel = undefined
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
