/** Who runs, who waits and who is refused, step by step; time is a test's. */
import t from 'tap'
import {
  FairQueue, type FairQueueOptions, type Place, type QueueFull
} from '../../../src/monitor/access/fair-queue.ts'

type Outcome = 'waits' | 'runs' | 'refused: own' | 'refused: full'

const WIDE = { running: 2, waiting: 4 }

function testQueue (options: Partial<FairQueueOptions> = {}) {
  const timers = new Set<() => void>()
  const queue = new FairQueue({
    all: WIDE,
    perOwner: [{ running: 1, waiting: 3 }, undefined],
    waitMsMax: 1000,
    startTimer: (_ms, action) => {
      timers.add(action)
      return () => { timers.delete(action) }
    },
    ...options
  })
  return {
    timers,
    enter (...owners: string[]) {
      const place = queue.enter(owners)
      const one = { place, outcome: 'waits' as Outcome }
      place.turn.then(() => { one.outcome = 'runs' }, error => {
        one.outcome = (error as QueueFull).isOwn ? 'refused: own' : 'refused: full'
      })
      return one
    }
  }
}

interface Entered {
  readonly outcome: Outcome
  readonly place: Place
}

async function outcomes (...all: readonly Entered[]): Promise<Outcome[]> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  return all.map(({ outcome }) => outcome)
}

t.test('fair queue: one after another is never refused, whatever the bounds', async t => {
  const { enter, timers } = testQueue({
    all: { running: 1, waiting: 0 }, perOwner: [{ running: 1, waiting: 0 }, undefined]
  })
  for (let at = 0; at < 1000; at++) {
    const one = enter('anna', 'home')
    t.strictSame(await outcomes(one), ['runs'])
    one.place.leave()
    one.place.leave()
  }
  t.equal(timers.size, 0)
})

t.test('fair queue: an owner has so much running and waiting; another comes in at once', async t => {
  const { enter } = testQueue()
  const annas = Array.from({ length: 5 }, () => enter('anna', 'home'))
  t.strictSame(await outcomes(...annas), ['runs', 'waits', 'waits', 'waits', 'refused: own'])
  const ben = enter('ben', 'office')
  t.strictSame(await outcomes(ben), ['runs'])
  annas[0]!.place.leave()
  t.strictSame(await outcomes(...annas), ['runs', 'runs', 'waits', 'waits', 'refused: own'], 'oldest first')
  ben.place.leave()
  t.strictSame(await outcomes(annas[2]!), ['waits'], 'a free place of another does not raise the bound')
})

t.test('fair queue: of those who wait, who has the least running goes first', async t => {
  const { enter } = testQueue({ perOwner: [{ running: 2, waiting: 4 }, undefined] })
  const running = [enter('anna', 'home'), enter('anna', 'home')]
  const [anna, ben] = [enter('anna', 'home'), enter('ben', 'office')]
  running[0]!.place.leave()
  t.strictSame(await outcomes(anna, ben), ['waits', 'runs'])
})

t.test('fair queue: a full line is fullest of somebody, and the newest of them has to go', async t => {
  const { enter } = testQueue({ all: { running: 0, waiting: 4 }, perOwner: [undefined, undefined] })
  const flood = Array.from({ length: 3 }, () => enter('flood', 'a'))
  const other = enter('other', 'b')
  const owner = enter('owner', 'c')
  t.strictSame(await outcomes(...flood, other, owner), ['waits', 'waits', 'refused: full', 'waits', 'waits'])
  const late = enter('flood', 'a')
  t.strictSame(await outcomes(...flood, late), ['waits', 'waits', 'refused: full', 'refused: full'])
  const [third] = [enter('third', 'd')]
  t.strictSame(await outcomes(flood[0]!, flood[1]!, third), ['waits', 'refused: full', 'waits'])
  t.strictSame(await outcomes(enter('fourth', 'e')), ['refused: full'], 'among equals who comes last')
})

t.test('fair queue: within an owner the next rank is held against one another', async t => {
  const { enter } = testQueue({
    all: { running: 0, waiting: 99 }, perOwner: [{ running: 0, waiting: 3 }, undefined]
  })
  const stolen = Array.from({ length: 3 }, () => enter('admin', 'thief'))
  const own = enter('admin', 'owner')
  t.strictSame(await outcomes(...stolen, own), ['waits', 'waits', 'refused: own', 'waits'])
})

t.test('fair queue: who leaves while waiting takes nobody\'s place, and nothing waits for ever', async t => {
  const { enter, timers } = testQueue({ all: { running: 1, waiting: 2 } })
  const [first, gone, patient] = [enter('a', ''), enter('b', ''), enter('c', '')]
  gone.place.leave()
  t.equal(timers.size, 1)
  first.place.leave()
  t.strictSame(await outcomes(gone, patient), ['refused: full', 'runs'])
  t.equal(timers.size, 0)
  const late = enter('d', '')
  for (const timer of timers) timer()
  t.strictSame(await outcomes(late), ['refused: full'])
  patient.place.leave()
  t.strictSame(await outcomes(enter('e', '')), ['runs'], 'a place that nobody took is free')
})
