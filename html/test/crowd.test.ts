/** The crowd of a room: who comes, what is said of them, and that all of them go home. */
import t from 'tap'
import { GUESTS_PER_CLICK } from '../room-script/crowd.ts'
import { FakeHouse, settled, type HouseOptions } from './fixtures/fake-house.ts'

const DOOR = 'http://house.example:8080/'
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const COUNT = '/heartbeat?servers'

t.test('crowd: 30 guests come in by the front door, each with an id of their own', async t => {
  const house = new FakeHouse()
  t.strictSame(house.take(), [], 'nothing is asked before the click')
  await house.crowd.bringIn()
  const asked = house.take()
  t.strictSame([asked[0], asked.at(-1)], [COUNT, COUNT])
  const comings = asked.slice(1, -1)
  t.equal(new Set(comings).size, GUESTS_PER_CLICK)
  for (const url of comings) t.match(url, new RegExp(`^${DOOR}heartbeat\\?client_id=${UUID}$`))
  t.match(house.options[1], { mode: 'no-cors', credentials: 'omit', cache: 'no-store' })
  t.match(house.options[0], { credentials: 'same-origin', cache: 'no-store' })
  t.strictSame(house.counts, [11, 10, 10])
  t.match(house.state, {
    guestCount: 30,
    canBringIn: true,
    sentence: '30 people came in by the front door: 10, 10 and 10.',
    rooms: [
      { port: 8000, peopleCount: 11 },
      { port: 8001, peopleCount: 10 },
      { port: 8002, peopleCount: 10 }
    ]
  })
})

t.test('crowd: a click while they are coming changes nothing', async t => {
  const house = new FakeHouse()
  const first = house.crowd.bringIn()
  t.match(house.state, { canBringIn: false, sentence: '' })
  await Promise.all([first, house.crowd.bringIn()])
  t.equal(house.state.guestCount, 30)
})

t.test('crowd: is counted every second while it is here, and no more after', async t => {
  const house = new FakeHouse()
  await house.crowd.bringIn()
  house.take()
  await house.pass(5_000)
  t.strictSame(house.take(), Array(5).fill(COUNT))
  house.crowd.look()
  t.strictSame(house.take(), [], 'it looks by itself')
  house.crowd.sendHome()
  house.take()
  await house.pass(60_000)
  t.strictSame(house.take(), [COUNT], 'once more, to see them gone')
  t.match(house.state.rooms, [{ peopleCount: 1 }, { peopleCount: 0 }, { peopleCount: 0 }])
  t.equal(house.pendingTimerCount, 0)
  house.crowd.look()
  t.strictSame(house.take(), [COUNT], 'from now on when told to')
})

t.test('crowd: does not look before anybody has come', async t => {
  const house = new FakeHouse()
  house.crowd.look()
  t.strictSame(house.take(), [])
})

t.test('crowd: a count that is late is not asked for again meanwhile', async t => {
  const house = new FakeHouse()
  await house.crowd.bringIn()
  house.take()
  house.counting = 'silent'
  await house.pass(10_999)
  t.strictSame(house.take(), [COUNT])
  house.counting = 'right'
  await house.pass(1_001)
  t.strictSame(house.take(), [COUNT], 'but when it is given up')
})

t.test('crowd: each guest leaves at every server, the own one by its path', async t => {
  const house = new FakeHouse()
  await house.crowd.bringIn()
  house.take()
  house.crowd.sendHome()
  const asked = house.take()
  t.equal(asked.length, 90)
  for (const port of [8000, 8001, 8002]) {
    const place = new RegExp(`^http://house\\.example:${port}/leave\\?client_id=${UUID}$`)
    t.equal(asked.filter(url => place.test(url)).length, 30)
  }
  t.strictSame(house.counts, [1, 0, 0])
  t.match(house.state, { guestCount: 0, canBringIn: true, sentence: 'Your guests were sent home.' })
  house.crowd.sendHome()
  t.strictSame(house.take(), [], 'twice is once')
})

t.test('crowd: behind a port that the servers do not know, the own one is told as well', async t => {
  const house = new FakeHouse({ ownPort: '' })
  await house.crowd.bringIn()
  house.take()
  house.crowd.sendHome()
  t.equal(house.take().length, 4 * 30)
})

t.test('crowd: goes home after a minute, and not before', async t => {
  const house = new FakeHouse()
  await house.crowd.bringIn()
  await house.pass(30_000)
  await house.crowd.bringIn()
  await house.pass(29_999)
  t.strictSame(house.counts, [21, 20, 20])
  await house.pass(1)
  t.equal(house.state.guestCount, 30, 'those of the second click stay')
  await house.pass(29_999)
  t.equal(house.state.guestCount, 30)
  await house.pass(1)
  t.strictSame(house.counts, [1, 0, 0])
})

t.test('crowd: goes home with the page', async t => {
  const house = new FakeHouse()
  await house.crowd.bringIn()
  await house.hide()
  t.strictSame(house.counts, [1, 0, 0])
  t.equal(house.state.guestCount, 0)
  house.take()
  await house.pass(120_000)
  t.strictSame(house.take(), [], 'nothing is asked by a page that has gone')
})

t.test('crowd: who is sent home on the way stays away', async t => {
  const house = new FakeHouse()
  house.frontDoor = 'silent'
  void house.crowd.bringIn()
  await settled()
  t.equal(house.state.guestCount, 30)
  house.crowd.sendHome()
  await settled()
  t.match(house.state, { guestCount: 0, canBringIn: true, sentence: 'Your guests were sent home.' })
  house.frontDoor = 'open'
  await house.crowd.bringIn()
  t.match(house.state, { guestCount: 30, sentence: '30 people came in by the front door: 10, 10 and 10.' })
})

t.test('crowd: a page that goes before the first count brings nobody in', async t => {
  const house = new FakeHouse()
  house.counting = 'silent'
  const coming = house.crowd.bringIn()
  await house.hide()
  t.equal(house.options[0]?.signal?.aborted, true, 'a late beat would count who has left')
  house.counting = 'right'
  await house.pass(10_000)
  await coming
  t.strictSame(house.take(), [COUNT])
  t.match(house.state, { guestCount: 0, canBringIn: true })
})

t.test('crowd: as many as one page can send home, and no more', async t => {
  const clicksUntilFull = async (
    options: HouseOptions
  ): Promise<[clicks: number, guests: number]> => {
    const house = new FakeHouse(options)
    let clicks = 0
    do {
      await house.crowd.bringIn()
      clicks++
    } while (house.state.canBringIn && clicks < 10)
    t.match(house.state.sentence, /That is as many as one page brings in\.$/)
    const { guestCount } = house.state
    house.take()
    await house.crowd.bringIn()
    t.strictSame(house.take(), [], 'another click asks nothing')
    return [clicks, guestCount]
  }
  const ports = (count: number): number[] =>
    Array.from({ length: count }, (_, index) => 8000 + index)
  t.strictSame(await clicksUntilFull({ ports: ports(1) }), [3, 90])
  t.strictSame(await clicksUntilFull({}), [2, 60])
  t.strictSame(await clicksUntilFull({ ports: ports(8) }), [1, 30])
  t.strictSame(await clicksUntilFull({ ports: ports(32) }), [1, 7])
})

t.test('crowd: a front door that cannot be reached is said, and holds nobody', async t => {
  const house = new FakeHouse()
  house.frontDoor = 'unreachable'
  await house.crowd.bringIn()
  t.match(house.state, {
    guestCount: 0, canBringIn: true, sentence: `The front door, ${DOOR}, cannot be reached from here. Nobody came in.`
  })
  house.frontDoor = 'silent'
  const coming = house.crowd.bringIn()
  await settled()
  await house.pass(60_000)
  await coming
  t.match(house.state.sentence, /cannot be reached/)
})

t.test('crowd: counts those who came when the door closes on the others', async t => {
  const house = new FakeHouse()
  house.admitMax = 6
  await house.crowd.bringIn()
  t.equal(house.state.sentence, '6 people came in by the front door: 2, 2 and 2.')
  await house.pass(60_000)
  t.strictSame(house.counts, [1, 0, 0])
})

t.test('crowd: a server that does not count brings nobody in', async t => {
  for (const counting of ['wordless', 'refused', 'unreachable'] as const) {
    const house = new FakeHouse()
    house.counting = counting
    await house.crowd.bringIn()
    t.strictSame(house.take(), [COUNT])
    t.match(house.state, {
      guestCount: 0,
      canBringIn: true,
      rooms: undefined,
      sentence: 'The server does not say how many people are here. Nobody was brought in.'
    })
  }
})

t.test('crowd: a count that is missing afterwards is no number', async t => {
  const house = new FakeHouse()
  const arriving = house.crowd.bringIn()
  house.counting = 'wordless'
  await arriving
  t.match(house.state, {
    guestCount: 30, sentence: '', rooms: [{ peopleCount: 1 }, { peopleCount: 0 }, { peopleCount: 0 }]
  })
  await house.pass(60_000)
  t.strictSame(house.counts, [1, 0, 0], 'and they go home all the same')
})

t.test('crowd: a browser without beacons, or one that forbids them, throws nothing', async t => {
  for (const beacon of ['missing', 'throwing'] as const) {
    const house = new FakeHouse({ beacon })
    await house.crowd.bringIn()
    t.doesNotThrow(() => house.crowd.sendHome())
    t.equal(house.state.guestCount, 0)
  }
})
