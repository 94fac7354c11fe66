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
  fetch (url: string, options: RequestInit): Promise<{ readonly headers: Pick<Headers, 'get'> }>
  setTimeout (action: () => void, delayMs: number): number
  clearTimeout (timer: number): void
}

export interface CrowdState {
  /** Guests of this page who were brought in and not yet sent home. */
  readonly guestCount: number
  /** False while some are on their way, and when no more may come. */
  readonly canBringIn: boolean
  /** As last counted; undefined before that. */
  readonly rooms: readonly Room[] | undefined
  /** The result of the last action; empty where nothing is certain. */
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
 * the rest (Chromium). A guest's leave goes to every server, since it is not known where the guest
 * is.
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
  const crowd = new GuestCrowd(browser, frontDoor, show)
  browser.addEventListener('pagehide', () => crowd.close())
  return crowd
}

class GuestCrowd implements Crowd {
  readonly #browser: CrowdBrowser
  readonly #frontDoor: string
  readonly #show: (state: CrowdState) => void
  readonly #guests = new Set<string>()
  #rooms: readonly Room[] | undefined
  #sentence = ''
  #isComing = false
  #isLooking = false
  #lookTimer = 0
  /** Another one as soon as all are sent home: what was begun before says nothing then. */
  #visit = {}
  /** Guests on their way. */
  readonly #comings = new Set<AbortController>()
  /** The count on its way; it is a beat, and would keep a visitor who leaves. */
  readonly #counting = new Set<AbortController>()

  constructor (browser: CrowdBrowser, frontDoor: string, show: (state: CrowdState) => void) {
    this.#browser = browser
    this.#frontDoor = frontDoor
    this.#show = show
  }

  async bringIn (): Promise<void> {
    if (this.#isComing || !this.#hasRoomForMore()) return
    const visit = this.#visit
    this.#isComing = true
    this.#sentence = ''
    this.#tell()
    const outcome = await this.#receive(visit)
    if (visit !== this.#visit) return
    this.#isComing = false
    this.#sentence = this.#hasRoomForMore()
      ? outcome
      : `${outcome} That is as many as one page brings in.`
    this.#tell()
  }

  sendHome (): void {
    if (this.#guests.size === 0 && !this.#isComing) return
    this.#visit = {}
    abortAll(this.#comings)
    this.#isComing = false
    this.#seeOff([...this.#guests])
  }

  look (): void {
    if (this.#rooms && this.#guests.size === 0) void this.#lookAgain()
  }

  /** The page goes. */
  close (): void {
    abortAll(this.#counting)
    this.sendHome()
    this.#browser.clearTimeout(this.#lookTimer)
  }

  #tell (): void {
    this.#show({
      guestCount: this.#guests.size,
      canBringIn: !this.#isComing && this.#hasRoomForMore(),
      rooms: this.#rooms,
      sentence: this.#sentence
    })
  }

  #hasRoomForMore (): boolean {
    return this.#guests.size + perClick(this.#rooms) <= guestsMax(this.#rooms)
  }

  /** What is to be said when they are in; nothing once they have been sent home. */
  async #receive (visit: object): Promise<string> {
    const before = await this.#count()
    if (visit !== this.#visit) return ''
    if (!before) return 'The server does not say how many people are here. Nobody was brought in.'
    const ids = Array.from({ length: perClick(before) }, () => newGuestId(this.#browser.crypto))
    for (const id of ids) this.#guests.add(id)
    this.#tell()
    this.#lookIn(LOOK_MS)
    const arrivals = await Promise.all(ids.map(id => this.#comeIn(id)))
    if (visit !== this.#visit) return ''
    const cameCount = arrivals.filter(hasCome => hasCome).length
    if (cameCount === 0) {
      for (const id of ids) this.#guests.delete(id)
      return `The front door, ${this.#frontDoor}, cannot be reached from here. Nobody came in.`
    }
    this.#browser.setTimeout(() => { if (visit === this.#visit) this.#seeOff(ids) }, STAY_MS)
    const after = await this.#count()
    return after ? spreadSentence(before, after, cameCount) : ''
  }

  /**
   * A posted beat, which the router sends on to a server. The answer cannot be read, since it comes
   * from another origin; only that there was one.
   */
  async #comeIn (id: string): Promise<boolean> {
    const options =
      { method: 'POST', mode: 'no-cors', credentials: 'omit', cache: 'no-store' } as const
    const url = `${this.#frontDoor}heartbeat?client_id=${id}`
    return await ask(this.#browser, url, options, COME_MS_MAX, this.#comings) !== undefined
  }

  /** The page's own visitor asks its own server, known or not. Undefined when that does not say. */
  async #count (): Promise<readonly Room[] | undefined> {
    const options = { credentials: 'same-origin', cache: 'no-store' } as const
    const answer =
      await ask(this.#browser, '/heartbeat?servers', options, LOOK_MS_MAX, this.#counting)
    const counted = parseRooms(answer?.headers.get('X-Server-Users') ?? null)
    if (counted) this.#rooms = counted
    return counted
  }

  async #lookAgain (): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    await this.#count()
    this.#isLooking = false
    this.#tell()
    if (this.#guests.size > 0) this.#lookIn(LOOK_MS)
  }

  #lookIn (delayMs: number): void {
    this.#browser.clearTimeout(this.#lookTimer)
    this.#lookTimer = this.#browser.setTimeout(() => { void this.#lookAgain() }, delayMs)
  }

  #seeOff (ids: readonly string[]): void {
    const places = leavePlaces(this.#browser.location, this.#rooms ?? [])
    for (const id of ids) {
      this.#guests.delete(id)
      for (const place of places) sendLeave(this.#browser, `${place}?client_id=${id}`)
    }
    this.#sentence = ids.length === 1 ? 'Your guest was sent home.' : 'Your guests were sent home.'
    this.#tell()
    this.#lookIn(LOOK_MS)
  }
}

/** Undefined without an answer in time. `flights` has the request while it is under way. */
async function ask (
  browser: CrowdBrowser, url: string, options: RequestInit, limitMs: number,
  flights: Set<AbortController>
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

function abortAll (flights: ReadonlySet<AbortController>): void {
  for (const flight of flights) flight.abort()
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
