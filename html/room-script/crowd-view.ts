/**
 * The crowd on the page: two buttons, what came of them, and a bar for every room. Hidden until the
 * script can do something. Owns the rows it has drawn; the crowd itself is `crowd.ts`'s.
 */
import type { Crowd, CrowdState } from './crowd.ts'
import { barScale, type Room } from './spread.ts'

/** What of `document` is used here. */
export type CrowdDocument =
  Pick<Document, 'activeElement' | 'createElement' | 'createElementNS' | 'getElementById'>

interface Row {
  readonly bar: Element
  readonly figure: Element
}

const SVG = 'http://www.w3.org/2000/svg'
/** Rooms have three colours, in turn, as their sites do. */
const COLOUR_COUNT = 3
const NUMBER_WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']

/**
 * `start` is given what to show and returns the crowd; `ownPort` is this page's, and `showOwn` is
 * told how many are there whenever that has been counted. Parts that an owner has taken out of the
 * page are passed over; without its buttons there is no crowd.
 */
export function showCrowd (
  document: CrowdDocument, ownPort: string, showOwn: (peopleCount: number) => void,
  start: (show: (state: CrowdState) => void) => Crowd
): Crowd | undefined {
  const bringIn = document.getElementById('bring-in')
  const sendHome = document.getElementById('send-home')
  const place = document.getElementById('crowding')
  if (!bringIn || !sendHome || !place) return undefined
  const showRooms = roomsOf(document, ownPort)
  let shown: CrowdState['rooms']
  const crowd = start(state => {
    bringIn.setAttribute('aria-disabled', String(!state.canBringIn))
    showSendHome(state.guestCount > 0)
    const said = document.getElementById('spread')
    if (said && said.textContent !== state.sentence) said.textContent = state.sentence
    // The same count again is older than what a beat may have said since.
    if (state.rooms && state.rooms !== shown) {
      shown = state.rooms
      showRooms(shown)
      const own = shown.find(room => String(room.port) === ownPort)
      if (own) showOwn(own.peopleCount)
    }
  })

  /** The focus does not vanish with the button that has it. */
  function showSendHome (isShown: boolean): void {
    if (!isShown && document.activeElement === sendHome) bringIn!.focus()
    sendHome!.hidden = !isShown
  }

  bringIn.addEventListener('click', () => { void crowd.bringIn() })
  sendHome.addEventListener('click', () => crowd.sendHome())
  place.hidden = false
  return crowd
}

/** Draws the bars; the rows stay as long as the servers are the same. */
function roomsOf (
  document: CrowdDocument, ownPort: string
): (rooms: readonly Room[]) => void {
  const figure = document.getElementById('rooms')
  const list = document.getElementById('rooms-list')
  if (!figure || !list) return () => {}
  let ports = ''
  let rows: Row[] = []

  return rooms => {
    const nextPorts = rooms.map(room => room.port).join()
    if (nextPorts !== ports) {
      const made = rooms.map((room, index) => makeRow(document, room.port, index, ownPort))
      list.replaceChildren(...made.map(({ item }) => item))
      rows = made
      ports = nextPorts
      const title = document.getElementById('rooms-title')
      if (title) title.textContent = titleOf(rooms.length)
    }
    const scale = barScale(rooms)
    for (const [index, { bar, figure }] of rows.entries()) {
      const { peopleCount } = rooms[index]!
      bar.setAttribute('width', (peopleCount / scale * 100).toFixed(2))
      figure.textContent = peopleCount.toLocaleString('en')
    }
    figure.hidden = false
  }
}

function titleOf (count: number): string {
  return count === 1 ? 'The only room' : `The ${NUMBER_WORDS[count] ?? count} rooms`
}

/** `Server 8000`, a bar, a number; drawn by attributes, since a policy may forbid style. */
function makeRow (
  document: CrowdDocument, port: number, index: number, ownPort: string
): Row & { readonly item: Element } {
  const name = document.createElement('span')
  name.className = 'name'
  name.textContent = `Server ${port}`
  if (String(port) === ownPort) {
    const you = document.createElement('span')
    you.className = 'here'
    you.textContent = 'you'
    name.append(' ', you)
  }
  const picture = document.createElementNS(SVG, 'svg')
  picture.setAttribute('class', `bar bar-${index % COLOUR_COUNT + 1}`)
  picture.setAttribute('viewBox', '0 0 100 10')
  picture.setAttribute('preserveAspectRatio', 'none')
  picture.setAttribute('aria-hidden', 'true')
  const bar = document.createElementNS(SVG, 'rect')
  bar.setAttribute('height', '10')
  picture.append(bar)
  const figure = document.createElement('b')
  const item = document.createElement('li')
  item.append(name, picture, figure)
  return { item, bar, figure }
}
