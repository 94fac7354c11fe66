/** What a node keeps of places and moves, and for how long, by a clock of the test's. */
import t from 'tap'
import { NO_INDEX } from '@usher/shared/fleet/packed-texts.ts'
import { clientNumber } from '../../../shared/test/memory/test-table.ts'
import { FleetPlaces } from '../../src/fleet/fleet-places.ts'

const ANA = clientNumber(1)
const HOLD_MS = 10_000
const MOVES_MS = 120_000
const OWN = 7
const OTHER = 'oak/8000'

/** A node to whose only server ANA comes; what its reports say of that. */
function testPlaces () {
  const clock = { nowMs: 1000 }
  const indexes = new Map([[OTHER, 3]])
  const places = new FleetPlaces(() => clock.nowMs)
  const indexOf = (server: string): number | undefined => indexes.get(server)
  return {
    clock,
    indexes,
    places,
    tellMovesAgain: () => { places.tellMovesAgain(indexOf) },
    arrive (from: string | undefined) {
      const chosenMs = clock.nowMs
      places.expect({ client: ANA, ownIndex: 0, from, chosenMs, untilMs: chosenMs + HOLD_MS })
      places.findArrived(() => true)
    },
    report () {
      const { arrived, settle } = places.news(() => false, {
        fleetIndex: () => OWN, indexOf, engineMs: ms => ms
      })
      settle()
      return arrived.map(({ from, index, chosenMs }) => ({ from, index, chosenMs }))
    }
  }
}

t.test('fleet places: a move is told once, and again where its server has another index', async t => {
  const { indexes, tellMovesAgain, places, arrive, report } = testPlaces()
  arrive(OTHER)
  t.strictSame(report(), [{ from: 3, index: OWN, chosenMs: 1000 }])
  tellMovesAgain()
  t.strictSame(report(), [], 'the same index')
  indexes.delete(OTHER)
  tellMovesAgain()
  t.strictSame(report(), [], 'a server that is gone')
  indexes.set(OTHER, 9)
  tellMovesAgain()
  const again = { from: 9, index: NO_INDEX, chosenMs: 1000 }
  t.strictSame(report(), [again], 'without the arrival, which is no news')
  tellMovesAgain()
  t.strictSame(report(), [])
  places.tellMovesAgain()
  t.strictSame(report(), [again], 'to an engine that may have forgotten')
})

t.test('fleet places: where it was before is told as soon as that is known', async t => {
  const { indexes, arrive, report } = testPlaces()
  indexes.clear()
  arrive(OTHER)
  t.strictSame(report(), [{ from: NO_INDEX, index: OWN, chosenMs: 1000 }])
  t.strictSame(report(), [])
  indexes.set(OTHER, 5)
  t.strictSame(report(), [{ from: 5, index: NO_INDEX, chosenMs: 1000 }])
})

t.test('fleet places: moves are told for two minutes, the last one of each', async t => {
  const { clock, indexes, tellMovesAgain, arrive, report } = testPlaces()
  arrive(OTHER)
  report()
  clock.nowMs += 5000
  arrive(OTHER)
  indexes.set(OTHER, 9)
  tellMovesAgain()
  t.strictSame(report(), [{ from: 9, index: OWN, chosenMs: 6000 }])
  clock.nowMs += HOLD_MS + MOVES_MS
  indexes.set(OTHER, 10)
  report()
  tellMovesAgain()
  t.strictSame(report().length, 1)
  clock.nowMs++
  indexes.set(OTHER, 11)
  report()
  tellMovesAgain()
  t.strictSame(report(), [])
})

t.test('fleet places: who has come here is known for as long as an older move may be told', async t => {
  const { clock, places, arrive } = testPlaces()
  const olderMs = clock.nowMs
  clock.nowMs += 1000
  arrive(undefined)
  t.ok(places.isChosenSince(ANA, olderMs))
  clock.nowMs = olderMs + HOLD_MS + MOVES_MS
  places.findArrived(() => false)
  t.ok(places.isChosenSince(ANA, olderMs))
  clock.nowMs += 1001
  places.findArrived(() => false)
  t.notOk(places.isChosenSince(ANA, olderMs))
})
