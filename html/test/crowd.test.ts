/** The crowd of a room: who comes, what is said of them, and that all of them go home. */
import t from 'tap'
import { GUESTS_PER_CLICK } from '../room-script/crowd.ts'
import { FakeRooms, settled, type RoomsOptions } from './fixtures/fake-rooms.ts'

const DOOR = 'http://rooms.example:8080/'
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const COUNT = '/heartbeat?servers'

t.test('crowd: 30 guests come in by the front door, each with an id of their own', async t => {
  const fake = new FakeRooms()
  t.strictSame(fake.take(), [], 'nothing is asked before the click')
  await fake.crowd.bringIn()
  const asked = fake.take()
  t.strictSame([asked[0], asked.at(-1)], [COUNT, COUNT])
  const comings = asked.slice(1, -1)
  t.equal(new Set(comings).size, GUESTS_PER_CLICK)
  for (const url of comings) t.match(url, new RegExp(`^${DOOR}heartbeat\\?client_id=${UUID}$`))
  t.match(fake.options[1], { method: 'POST', mode: 'no-cors', credentials: 'omit', cache: 'no-store' })
  t.match(fake.options[0], { credentials: 'same-origin', cache: 'no-store' })
  t.strictSame(fake.counts, [11, 10, 10])
  t.match(fake.state, {
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
  const fake = new FakeRooms()
  const first = fake.crowd.bringIn()
  t.match(fake.state, { canBringIn: false, sentence: '' })
  await Promise.all([first, fake.crowd.bringIn()])
  t.equal(fake.state.guestCount, 30)
})

t.test('crowd: is counted every second while it is here, and no more after', async t => {
  const fake = new FakeRooms()
  await fake.crowd.bringIn()
  fake.take()
  await fake.pass(5_000)
  t.strictSame(fake.take(), Array(5).fill(COUNT))
  fake.crowd.look()
  t.strictSame(fake.take(), [], 'it looks by itself')
  fake.crowd.sendHome()
  fake.take()
  await fake.pass(60_000)
  t.strictSame(fake.take(), [COUNT], 'once more, to see them gone')
  t.match(fake.state.rooms, [{ peopleCount: 1 }, { peopleCount: 0 }, { peopleCount: 0 }])
  t.equal(fake.pendingTimerCount, 0)
  fake.crowd.look()
  t.strictSame(fake.take(), [COUNT], 'from now on when told to')
})

t.test('crowd: does not look before anybody has come', async t => {
  const fake = new FakeRooms()
  fake.crowd.look()
  t.strictSame(fake.take(), [])
})

t.test('crowd: a count that is late is not asked for again meanwhile', async t => {
  const fake = new FakeRooms()
  await fake.crowd.bringIn()
  fake.take()
  fake.counting = 'silent'
  await fake.pass(10_999)
  t.strictSame(fake.take(), [COUNT])
  fake.counting = 'right'
  await fake.pass(1_001)
  t.strictSame(fake.take(), [COUNT], 'but when it is given up')
})

t.test('crowd: each guest leaves at every server, the own one by its path', async t => {
  const fake = new FakeRooms()
  await fake.crowd.bringIn()
  fake.take()
  fake.crowd.sendHome()
  const asked = fake.take()
  t.equal(asked.length, 90)
  for (const port of [8000, 8001, 8002]) {
    const place = new RegExp(`^http://rooms\\.example:${port}/leave\\?client_id=${UUID}$`)
    t.equal(asked.filter(url => place.test(url)).length, 30)
  }
  t.strictSame(fake.counts, [1, 0, 0])
  t.match(fake.state, { guestCount: 0, canBringIn: true, sentence: 'Your guests were sent home.' })
  fake.crowd.sendHome()
  t.strictSame(fake.take(), [], 'twice is once')
})

t.test('crowd: behind a port that the servers do not know, the own one is told as well', async t => {
  const fake = new FakeRooms({ ownPort: '' })
  await fake.crowd.bringIn()
  fake.take()
  fake.crowd.sendHome()
  t.equal(fake.take().length, 4 * 30)
})

t.test('crowd: goes home after a minute, and not before', async t => {
  const fake = new FakeRooms()
  await fake.crowd.bringIn()
  await fake.pass(30_000)
  await fake.crowd.bringIn()
  await fake.pass(29_999)
  t.strictSame(fake.counts, [21, 20, 20])
  await fake.pass(1)
  t.equal(fake.state.guestCount, 30, 'those of the second click stay')
  await fake.pass(29_999)
  t.equal(fake.state.guestCount, 30)
  await fake.pass(1)
  t.strictSame(fake.counts, [1, 0, 0])
})

t.test('crowd: goes home with the page', async t => {
  const fake = new FakeRooms()
  await fake.crowd.bringIn()
  await fake.hide()
  t.strictSame(fake.counts, [1, 0, 0])
  t.equal(fake.state.guestCount, 0)
  fake.take()
  await fake.pass(120_000)
  t.strictSame(fake.take(), [], 'nothing is asked by a page that has gone')
})

t.test('crowd: who is sent home on the way stays away', async t => {
  const fake = new FakeRooms()
  fake.frontDoor = 'silent'
  void fake.crowd.bringIn()
  await settled()
  t.equal(fake.state.guestCount, 30)
  fake.crowd.sendHome()
  await settled()
  t.match(fake.state, { guestCount: 0, canBringIn: true, sentence: 'Your guests were sent home.' })
  fake.frontDoor = 'open'
  await fake.crowd.bringIn()
  t.match(fake.state, { guestCount: 30, sentence: '30 people came in by the front door: 10, 10 and 10.' })
})

t.test('crowd: a page that goes before the first count brings nobody in', async t => {
  const fake = new FakeRooms()
  fake.counting = 'silent'
  const coming = fake.crowd.bringIn()
  await fake.hide()
  t.equal(fake.options[0]?.signal?.aborted, true, 'a late beat would count who has left')
  fake.counting = 'right'
  await fake.pass(10_000)
  await coming
  t.strictSame(fake.take(), [COUNT])
  t.match(fake.state, { guestCount: 0, canBringIn: true })
})

t.test('crowd: as many as one page can send home, and no more', async t => {
  const clicksUntilFull = async (
    options: RoomsOptions
  ): Promise<[clicks: number, guests: number]> => {
    const fake = new FakeRooms(options)
    let clicks = 0
    do {
      await fake.crowd.bringIn()
      clicks++
    } while (fake.state.canBringIn && clicks < 10)
    t.match(fake.state.sentence, /That is as many as one page brings in\.$/)
    const { guestCount } = fake.state
    fake.take()
    await fake.crowd.bringIn()
    t.strictSame(fake.take(), [], 'another click asks nothing')
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
  const fake = new FakeRooms()
  fake.frontDoor = 'unreachable'
  await fake.crowd.bringIn()
  t.match(fake.state, {
    guestCount: 0, canBringIn: true, sentence: `The front door, ${DOOR}, cannot be reached from here. Nobody came in.`
  })
  fake.frontDoor = 'silent'
  const coming = fake.crowd.bringIn()
  await settled()
  await fake.pass(60_000)
  await coming
  t.match(fake.state.sentence, /cannot be reached/)
})

t.test('crowd: counts those who came when the door closes on the others', async t => {
  const fake = new FakeRooms()
  fake.admitMax = 6
  await fake.crowd.bringIn()
  t.equal(fake.state.sentence, '6 people came in by the front door: 2, 2 and 2.')
  await fake.pass(60_000)
  t.strictSame(fake.counts, [1, 0, 0])
})

t.test('crowd: a server that does not count brings nobody in', async t => {
  for (const counting of ['wordless', 'unreachable'] as const) {
    const fake = new FakeRooms()
    fake.counting = counting
    await fake.crowd.bringIn()
    t.strictSame(fake.take(), [COUNT])
    t.match(fake.state, {
      guestCount: 0,
      canBringIn: true,
      rooms: undefined,
      sentence: 'The server does not say how many people are here. Nobody was brought in.'
    })
  }
})

t.test('crowd: a count that is missing afterwards is no number', async t => {
  const fake = new FakeRooms()
  const arriving = fake.crowd.bringIn()
  fake.counting = 'wordless'
  await arriving
  t.match(fake.state, {
    guestCount: 30, sentence: '', rooms: [{ peopleCount: 1 }, { peopleCount: 0 }, { peopleCount: 0 }]
  })
  await fake.pass(60_000)
  t.strictSame(fake.counts, [1, 0, 0], 'and they go home all the same')
})

t.test('crowd: a browser without beacons, or one that forbids them, throws nothing', async t => {
  for (const beacon of ['missing', 'throwing'] as const) {
    const fake = new FakeRooms({ beacon })
    await fake.crowd.bringIn()
    t.doesNotThrow(() => fake.crowd.sendHome())
    t.equal(fake.state.guestCount, 0)
  }
})
