/**
 * Brings a room's page to life: the server's port, the way to the front door, how many people are
 * here, which seats they take, and for how long you are here. Without it the page is complete and
 * says less. Owns what it has shown last; the counting is `/usher.js`'s, the crowd `crowd.ts`'s.
 */
import type { Usher } from '../page-script/usher.ts'
import { showCrowd } from './crowd-view.ts'
import { startCrowd, type CrowdBrowser } from './crowd.ts'
import { planSeats, seatingOrder } from './seat-plan.ts'
import { startStay, type TabStorage } from './stay.ts'

/** What of `window` is used here. */
export interface RoomPage extends CrowdBrowser {
  readonly document: Document
  /** Reading it throws where the visitor's settings forbid it. */
  readonly sessionStorage: TabStorage
  readonly usher?: Usher
}

/** Parts that an owner has taken out of the page are passed over. `now` is the wall clock. */
export function showRoom (page: RoomPage, now: () => number): void {
  const { document, location, usher } = page
  if (location.port) {
    setText(document.getElementById('server'), `Server ${location.port}`)
    document.title = document.title.replace(' · ', ` · server ${location.port} · `)
  }
  if (!usher) return
  for (const link of document.querySelectorAll<HTMLAnchorElement>('a.front-door')) {
    link.href = usher.frontDoor
  }
  const stay = startStay(storageOf(page), now)
  page.addEventListener('pagehide', stay.pause)
  const showSeats = seatsOf(document)
  const showPeople = (peopleCount: number): void => {
    showCount(document, peopleCount)
    showSeats(peopleCount)
  }
  const crowd = hasFrontDoor(usher)
    ? showCrowd(document, location.port, showPeople, show =>
      startCrowd(page, usher.frontDoor, show))
    : undefined
  usher.on('beat', ({ activeUsers }) => {
    showPeople(activeUsers)
    setText(document.getElementById('stay'), stay.text())
    setText(document.getElementById('freshness'), 'The number above is live.')
    crowd?.look()
  })
  usher.on('missed', () => setText(document.getElementById('freshness'), whyStale(document)))
  usher.on('denied', () => crowd?.sendHome())
}

/** The server may not have filled in the router's port; a crowd would then only come in here. */
function hasFrontDoor ({ frontDoor }: Usher): boolean {
  return frontDoor !== '/'
}

function storageOf (page: RoomPage): TabStorage | undefined {
  try {
    return page.sessionStorage
  } catch {
    return undefined
  }
}

function showCount (document: RoomPage['document'], peopleCount: number): void {
  setText(document.getElementById('people'), formatCount(peopleCount))
  setText(document.getElementById('among'), among(peopleCount))
  reveal(document.getElementById('crowd'))
  for (const entry of document.querySelectorAll<HTMLElement>('.once-counted')) reveal(entry)
}

/** Draws the seats for a number of people; touches those that changed since the last time. */
function seatsOf (document: RoomPage['document']): (peopleCount: number) => void {
  const seats = [...document.querySelectorAll('#seats g use')]
  const yourSeat = seats.findIndex(seat => seat.getAttribute('class') === 'you')
  if (yourSeat === -1) return () => {}
  const othersInOrder = seatingOrder(seats.length, yourSeat).slice(1).map(seat => seats[seat]!)
  const shown = new Map<Element, string>()

  return peopleCount => {
    const { peoplePerSeat, takenSeatCount } = planSeats(peopleCount, seats.length)
    for (const [index, seat] of othersInOrder.entries()) {
      const state = index + 1 < takenSeatCount ? 'taken' : 'free'
      if (shown.get(seat) === state) continue
      seat.setAttribute('class', state)
      shown.set(seat, state)
    }
    const each = `Each seat stands for ${formatCount(peoplePerSeat)} people`
    const scale = document.getElementById('scale')
    setText(scale, peoplePerSeat > 1 ? `${each}.` : '')
    if (scale) scale.hidden = peoplePerSeat === 1
    const label = `${takenSeatCount} of ${seats.length} seats taken, one is yours.`
    document.getElementById('seats')?.setAttribute(
      'aria-label', peoplePerSeat > 1 ? `${label} ${each}.` : label)
  }
}

/** Beside the number, in two lines. */
function among (peopleCount: number): string {
  if (peopleCount === 0) return 'people here\nthat are counted'
  return peopleCount === 1 ? 'person here,\nand that is you' : 'people here,\nyou among them'
}

function whyStale (document: RoomPage['document']): string {
  const hasCount = document.getElementById('crowd')?.hidden === false
  return hasCount
    ? 'The server does not answer right now: the number above is the last one it gave.'
    : 'The server does not answer right now.'
}

function formatCount (count: number): string {
  return count.toLocaleString('en')
}

function reveal (element: HTMLElement | null): void {
  if (element?.hidden) element.hidden = false
}

/** Text that stands is left alone: a screen reader would read it again. */
function setText (element: HTMLElement | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text
}
