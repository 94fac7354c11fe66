import t from 'tap'
import { RiseAndFall } from '../../src/health/rise-and-fall.ts'

/** A letter for each check, g for a good one; and what the server is after each: up or down. */
const CASES: ReadonlyArray<[given: boolean | undefined, checks: string, states: string]> = [
  [undefined, 'g', 'u'],
  [undefined, 'b', 'd'],
  [undefined, 'gbbgbbb', 'uuuuuud'],
  [undefined, 'bgbgg', 'ddddu'],
  [true, 'bbgbbbb', 'uuuuudd'],
  [false, 'gbggb', 'ddduu']
]

t.test('rise and fall: two good checks in a row raise, three bad ones drop, the first one decides', async t => {
  for (const [given, checks, states] of CASES) {
    const state = new RiseAndFall({ rise: 2, fall: 3 }, given)
    const seen = [...checks].map(check => {
      state.note({ isGood: check === 'g', what: check })
      return state.isUp === true ? 'u' : 'd'
    })
    t.equal(seen.join(''), states, checks)
  }
})

t.test('rise and fall: the reason is that of the latest bad check', async t => {
  const state = new RiseAndFall({ rise: 2, fall: 1 }, undefined)
  t.equal(state.isUp, undefined)
  state.note({ isGood: false, what: 'status 500' })
  state.note({ isGood: false, what: 'timeout' })
  state.note({ isGood: true, what: 'status 200' })
  t.strictSame([state.isUp, state.reason], [false, 'timeout'])
})
