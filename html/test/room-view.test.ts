/** The room's page with and without news from the server; elements are plain objects. */
import t from 'tap'
import { showRoom, type RoomPage } from '../room-script/room-view.ts'
import type { UsherEvents } from '../page-script/usher.ts'

class FakeNode {
  textContent = ''
  hidden = true
  href = '/'
  /** How often an attribute was set. */
  changeCount = 0
  readonly attributes = new Map<string, string>()

  getAttribute (name: string): string | null {
    return this.attributes.get(name) ?? null
  }

  setAttribute (name: string, value: string): void {
    this.changeCount += 1
    this.attributes.set(name, value)
  }
}

/** A room of ten seats, the third of them yours. */
function testRoom ({ port = '8000', hasUsher = true, isBare = false, hasStorage = true } = {}) {
  const time = { nowMs: 1_000_000 }
  const pageListeners = new Map<string, () => void>()
  const ids = isBare ? [] : ['server', 'crowd', 'people', 'among', 'scale', 'seats', 'freshness', 'stay']
  const byId = new Map(ids.map(id => [id, new FakeNode()]))
  const seats = isBare ? [] : Array.from({ length: 10 }, () => new FakeNode())
  seats[2]?.attributes.set('class', 'you')
  const links = [new FakeNode(), new FakeNode()]
  const keys = [new FakeNode(), new FakeNode()]
  const bySelector = new Map([
    ['a.front-door', links], ['#seats g use', seats], ['.once-counted', keys]
  ])
  const listeners: Partial<Record<string, (detail: never) => void>> = {}
  const document = {
    title: 'Blue Room · Usher',
    getElementById: (id: string) => byId.get(id) ?? null,
    querySelectorAll: (selector: string) => bySelector.get(selector) ?? []
  }
  const usher = {
    frontDoor: 'http://localhost:8080/',
    leave () {},
    on (event: string, listener: (detail: never) => void) {
      listeners[event] = listener
      return () => {}
    }
  }
  const page = {
    document,
    location: { port },
    addEventListener: (type: string, listener: () => void) => { pageListeners.set(type, listener) },
    get sessionStorage () {
      if (!hasStorage) throw new Error('SecurityError')
      return { getItem: () => null, setItem () {} }
    },
    ...(hasUsher ? { usher } : {})
  }
  showRoom(page as unknown as RoomPage, () => time.nowMs)
  return {
    document,
    time,
    hide: () => pageListeners.get('pagehide')?.(),
    links,
    keys,
    seats,
    node: (id: string) => byId.get(id)!,
    beat: (activeUsers: number) => {
      listeners['beat']?.({ activeUsers } satisfies UsherEvents['beat'] as never)
    },
    miss: () => listeners['missed']?.(undefined as never),
    taken: () => seats.filter(seat => seat.getAttribute('class') === 'taken').length,
    changes: () => seats.reduce((sum, seat) => sum + seat.changeCount, 0)
  }
}

t.test('room: names its server and the front door', async t => {
  const room = testRoom()
  t.equal(room.node('server').textContent, 'Server 8000')
  t.equal(room.document.title, 'Blue Room · server 8000 · Usher')
  t.strictSame(room.links.map(link => link.href), Array(2).fill('http://localhost:8080/'))
})

t.test('room: leaves the page as it is where there is nothing to say', async t => {
  const room = testRoom({ port: '', hasUsher: false })
  t.equal(room.node('server').textContent, '')
  t.equal(room.document.title, 'Blue Room · Usher')
  t.strictSame(room.links.map(link => link.href), ['/', '/'])
  t.equal(room.node('crowd').hidden, true)
  t.equal(room.changes(), 0)
})

t.test('room: shows no number before the first beat, and the right one after', async t => {
  const check = (people: number, text: string, among: string, takenByOthers: number): void => {
    const room = testRoom()
    t.equal(room.node('crowd').hidden, true)
    t.strictSame(room.keys.map(key => key.hidden), [true, true])
    room.beat(people)
    t.equal(room.node('crowd').hidden, false)
    t.strictSame(room.keys.map(key => key.hidden), [false, false])
    t.equal(room.node('people').textContent, text)
    t.equal(room.node('among').textContent, among)
    t.equal(room.taken(), takenByOthers)
    t.equal(room.seats[2]!.getAttribute('class'), 'you')
    t.equal(room.node('freshness').textContent, 'The number above is live.')
  }
  check(0, '0', 'people here\nthat are counted', 0)
  check(1, '1', 'person here,\nand that is you', 0)
  check(2, '2', 'people here,\nyou among them', 1)
  check(10, '10', 'people here,\nyou among them', 9)
  check(11, '11', 'people here,\nyou among them', 1)
  check(1234, '1,234', 'people here,\nyou among them', 1)
})

t.test('room: touches only the seats that changed', async t => {
  const room = testRoom()
  room.beat(5)
  t.equal(room.changes(), 9, 'the first time, all but yours')
  room.beat(5)
  t.equal(room.changes(), 9)
  room.beat(6)
  t.equal(room.changes(), 10)
  room.beat(4)
  t.equal(room.changes(), 12)
})

t.test('room: says what a seat stands for when there are more people than seats', async t => {
  const room = testRoom()
  room.beat(10)
  t.equal(room.node('scale').hidden, true)
  t.equal(room.node('seats').getAttribute('aria-label'), '10 of 10 seats taken, one is yours.')
  room.beat(11)
  t.equal(room.node('scale').hidden, false)
  t.equal(room.node('scale').textContent, 'Each seat stands for 10 people.')
  t.equal(room.node('seats').getAttribute('aria-label'),
    '2 of 10 seats taken, one is yours. Each seat stands for 10 people.')
  room.beat(10)
  t.equal(room.node('scale').hidden, true)
})

t.test('room: does not call a number live that is not', async t => {
  const room = testRoom()
  room.miss()
  t.equal(room.node('freshness').textContent, 'The server does not answer right now.')
  room.beat(3)
  room.miss()
  t.match(room.node('freshness').textContent, /the number above is the last one it gave/)
  room.beat(3)
  t.equal(room.node('freshness').textContent, 'The number above is live.')
})

t.test('room: works on a page that its owner has stripped', async t => {
  const room = testRoom({ isBare: true })
  t.doesNotThrow(() => {
    room.beat(3)
    room.miss()
  })
})

t.test('room: says for how long the visitor is here, with or without storage', async t => {
  for (const hasStorage of [true, false]) {
    const room = testRoom({ hasStorage })
    t.equal(room.node('stay').textContent, '', 'nothing before the first beat')
    room.beat(3)
    t.equal(room.node('stay').textContent, 'Here for less than a minute')
    room.time.nowMs += 240_000
    room.beat(3)
    t.equal(room.node('stay').textContent, 'Here for 4 min')
    room.hide()
    room.time.nowMs += 3_600_000
    room.beat(3)
    t.equal(room.node('stay').textContent, 'Here for less than a minute', 'brought back later')
  }
})
