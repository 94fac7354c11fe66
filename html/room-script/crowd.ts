/**
 * A crowd for the example rooms: guests of this page, each with an id of their own, who come in by
 * the front door so that their spread can be seen. Owns the guests, when they go home, and what was
 * last counted; shows nothing. Runs in the browser; everything it touches there is passed in.
 */
import { newGuestId } from './guest-id.ts'
import { parseRooms, spreadSentence, type Room } from './spread.ts'

/** What of `window` is used here. */
export interface CrowdBrowser {
  readonly navigator: { readonly sendBeacon?: (url: string) => boolean }
  readonly crypto: Pick<Crypto, 'getRandomValues'>
  readonly location: Pick<Location, 'protocol' | 'hostname' | 'port'>
  readonly AbortController: typeof AbortController
  addEventListener (type: 'pagehide', listener: () => void): void
  fetch (url: string, options: RequestInit): Promise<Pick<Response, 'ok'> & {
    readonly headers: Pick<Headers, 'get'>
  }>
  setTimeout (action: () => void, delayMs: number): number
  clearTimeout (timer: number): void
}

export interface CrowdState {
  /** Guests of this page who have been asked in and not yet sent home. */
  readonly guestCount: number
  /** False while some are on their way, and when no more may come. */
  readonly canBringIn: boolean
  /** As last counted; undefined before that. */
  readonly rooms: readonly Room[] | undefined
  /** What came of the last deed; empty where nothing true can be said. */
  readonly sentence: string
}

export interface Crowd {
  /** Brings in as many as one click may; resolves when they are there and counted. */
  bringIn (): Promise<void>
  sendHome (): void
  /** Counts again, once something has been counted; while guests are here it counts by itself. */
  look (): void
}

export const GUESTS_PER_CLICK = 30
const GUESTS_MAX = 90
/**
 * Leaves that a page may send as it goes: a browser takes 256 at a time from one process and drops
 * the rest (Chromium). A guest's leave goes to every server, since nobody says where the guest is.
 */
const LEAVES_MAX = 250

const STAY_MS = 60_000
const LOOK_MS = 1_000
/** For one guest: browsers ask six at a time, and each of them waits at the front door. */
const COME_MS_MAX = 60_000
const LOOK_MS_MAX = 10_000

/** `frontDoor` as `window.usher` has it; `show` is called at every change. */
export function startCrowd (
  browser: CrowdBrowser, frontDoor: string, show: (state: CrowdState) => void
): Crowd {
  const guests = new Set<string>()
  let rooms: readonly Room[] | undefined
  let sentence = ''
  let isComing = false
  let isLooking = false
  let lookTimer = 0
  /** Another one as soon as all are sent home: what was begun before says nothing then. */
  let visit = {}
  /** Guests on their way. */
  const comings = new Set<AbortController>()
  /** The count on its way; it is a beat, and would bring back a visitor who has left. */
  const counting = new Set<AbortController>()

  function tell (): void {
    const canBringIn = !isComing && hasRoomForMore()
    show({ guestCount: guests.size, canBringIn, rooms, sentence })
  }

  function hasRoomForMore (): boolean {
    return guests.size + perClick(rooms) <= guestsMax(rooms)
  }

  async function bringIn (): Promise<void> {
    if (isComing || !hasRoomForMore()) return
    const mine = visit
    isComing = true
    sentence = ''
    tell()
    const outcome = await receive(mine)
    if (mine !== visit) return
    isComing = false
    sentence = hasRoomForMore() ? outcome : `${outcome} That is as many as one page brings in.`
    tell()
  }

  /** What is to be said when they are in. */
  async function receive (mine: object): Promise<string> {
    const before = await count()
    if (mine !== visit) return ''
    if (!before) return 'The server does not say how many people are here. Nobody was brought in.'
    const ids = Array.from({ length: perClick(before) }, () => newGuestId(browser.crypto))
    for (const id of ids) guests.add(id)
    tell()
    lookIn(LOOK_MS)
    const arrivals = await Promise.all(ids.map(comeIn))
    if (mine !== visit) return ''
    const cameCount = arrivals.filter(hasCome => hasCome).length
    if (cameCount === 0) {
      for (const id of ids) guests.delete(id)
      return `The front door, ${frontDoor}, cannot be reached from here. Nobody came in.`
    }
    browser.setTimeout(() => { if (mine === visit) seeOff(ids) }, STAY_MS)
    const after = await count()
    return after ? spreadSentence(before, after, cameCount) : ''
  }

  /** The answer cannot be read, since it comes from another origin; only that there was one. */
  async function comeIn (id: string): Promise<boolean> {
    const options = { mode: 'no-cors', credentials: 'omit', cache: 'no-store' } as const
    const url = `${frontDoor}heartbeat?client_id=${id}`
    return await ask(url, options, COME_MS_MAX, comings) !== undefined
  }

  /** The page's own visitor asks its own server. Undefined when that does not say. */
  async function count (): Promise<readonly Room[] | undefined> {
    const options = { credentials: 'same-origin', cache: 'no-store' } as const
    const answer = await ask('/heartbeat?servers', options, LOOK_MS_MAX, counting)
    const counted = answer?.ok ? parseRooms(answer.headers.get('X-Server-Users')) : undefined
    if (counted) rooms = counted
    return counted
  }

  async function ask (
    url: string, options: RequestInit, limitMs: number, flights: Set<AbortController>
  ): Promise<Awaited<ReturnType<CrowdBrowser['fetch']>> | undefined> {
    const flight = new browser.AbortController()
    flights.add(flight)
    const limit = browser.setTimeout(() => flight.abort(), limitMs)
    try {
      return await browser.fetch(url, { ...options, signal: flight.signal })
    } catch {
      return undefined
    } finally {
      browser.clearTimeout(limit)
      flights.delete(flight)
    }
  }

  async function lookAgain (): Promise<void> {
    if (isLooking) return
    isLooking = true
    await count()
    isLooking = false
    tell()
    if (guests.size > 0) lookIn(LOOK_MS)
  }

  function lookIn (delayMs: number): void {
    browser.clearTimeout(lookTimer)
    lookTimer = browser.setTimeout(() => { void lookAgain() }, delayMs)
  }

  function sendHome (): void {
    if (guests.size === 0 && !isComing) return
    visit = {}
    for (const flight of comings) flight.abort()
    isComing = false
    seeOff([...guests])
  }

  function seeOff (ids: readonly string[]): void {
    const places = leavePlaces(browser.location, rooms ?? [])
    for (const id of ids) {
      guests.delete(id)
      for (const place of places) sendLeave(browser, `${place}?client_id=${id}`)
    }
    sentence = ids.length === 1 ? 'Your guest was sent home.' : 'Your guests were sent home.'
    tell()
    lookIn(LOOK_MS)
  }

  browser.addEventListener('pagehide', () => {
    for (const flight of counting) flight.abort()
    sendHome()
    browser.clearTimeout(lookTimer)
  })
  return {
    bringIn,
    sendHome,
    look () { if (rooms && guests.size === 0) void lookAgain() }
  }
}

function guestsMax (rooms: readonly Room[] = []): number {
  return Math.min(GUESTS_MAX, Math.floor(LEAVES_MAX / Math.max(1, rooms.length)))
}

/** Fewer than usual where there are so many rooms that not all could be sent home. */
function perClick (rooms: readonly Room[] = []): number {
  return Math.min(GUESTS_PER_CLICK, guestsMax(rooms))
}

/** This page's own server, which answers even behind a proxy, and then the others by port. */
function leavePlaces (
  { protocol, hostname, port }: CrowdBrowser['location'], rooms: readonly Room[]
): string[] {
  const others = rooms.filter(room => String(room.port) !== port)
  return ['/leave', ...others.map(room => `${protocol}//${hostname}:${room.port}/leave`)]
}

/** A beacon is sent even when the page goes; where it is refused, the guest times out. */
function sendLeave ({ navigator }: CrowdBrowser, url: string): void {
  try {
    navigator.sendBeacon?.(url)
  } catch { /* A policy or a privacy tool forbids it. */ }
}
