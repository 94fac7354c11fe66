import fc from 'fast-check'
import t from 'tap'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
import {
  POLICIES, type BalancedServer, type Choice, type Choose, type PolicyName
} from '@usher/shared/balancing/policies.ts'
import type { Loads } from '@usher/shared/balancing/tournament.ts'

interface Case {
  readonly claim: string
  /** Users per server without the visitor; the server with the first in the settings first. */
  readonly loads: readonly number[]
  readonly weights?: readonly number[]
  /** The server that the visitor is on. */
  readonly on?: number
  readonly unavailable?: readonly number[]
  /** A server and the reason; undefined when nobody can be chosen. */
  readonly expected: readonly [server: number, because: string] | undefined
}

let readings = 0

const FEWEST = 'fewest users'
const FIRST = 'fewest users, first in the settings'
const ALREADY_THERE = 'fewest users, already there'
const BY_WEIGHT = 'fewest users for its weight'
const ONLY_ONE = 'only one available'

const CASES: readonly Case[] = [
  { claim: 'nobody is here: the first in the settings', loads: [0, 0, 0], expected: [0, FIRST] },
  { claim: 'the fewest users, first', loads: [1, 2, 3], expected: [0, FEWEST] },
  { claim: 'the fewest users, in the middle', loads: [2, 1, 2], expected: [1, FEWEST] },
  { claim: 'the fewest users, last', loads: [3, 2, 1], expected: [2, FEWEST] },
  { claim: 'a tie of two: the lower port', loads: [5, 1, 1], expected: [1, FIRST] },
  { claim: 'a tie around another one', loads: [0, 1, 0], expected: [0, FIRST] },
  { claim: 'a tie that a lower one ends', loads: [2, 2, 1], expected: [2, FEWEST] },
  { claim: 'one less is enough', loads: [1000, 999, 1000], expected: [1, FEWEST] },

  { claim: 'on a tie they stay: last', loads: [4, 4, 4], on: 2, expected: [2, ALREADY_THERE] },
  { claim: 'on a tie they stay: middle', loads: [4, 4, 4], on: 1, expected: [1, ALREADY_THERE] },
  { claim: 'on a tie they stay: first', loads: [4, 4, 4], on: 0, expected: [0, ALREADY_THERE] },
  { claim: 'a tie of others is not theirs', loads: [1, 1, 2], on: 2, expected: [0, FIRST] },
  { claim: 'one user more and they move', loads: [3, 4, 4], on: 2, expected: [0, FEWEST] },
  { claim: 'one user less and they stay', loads: [4, 4, 3], on: 2, expected: [2, FEWEST] },

  { claim: 'unavailable, though empty', loads: [0, 2, 1], unavailable: [0], expected: [2, FEWEST] },
  { claim: 'only one is left', loads: [0, 0, 9], unavailable: [0, 1], expected: [2, ONLY_ONE] },
  { claim: 'only the first is left', loads: [9, 0, 0], unavailable: [1, 2], expected: [0, ONLY_ONE] },
  {
    claim: 'whoever is on an unavailable one is placed anew',
    loads: [2, 2, 0],
    on: 2,
    unavailable: [2],
    expected: [0, FIRST]
  },
  { claim: 'none is available', loads: [0, 0, 0], unavailable: [0, 1, 2], expected: undefined },
  {
    claim: 'none is available, not even their own',
    loads: [0, 0, 0],
    on: 1,
    unavailable: [0, 1, 2],
    expected: undefined
  },
  { claim: 'a pool of one', loads: [7], expected: [0, ONLY_ONE] },
  { claim: 'no server at all', loads: [], expected: undefined },

  { claim: 'weights: nobody is here', loads: [0, 0, 0], weights: [1, 1, 2], expected: [0, FIRST] },
  { claim: 'weights: half as full', loads: [1, 1, 1], weights: [1, 1, 2], expected: [2, BY_WEIGHT] },
  { claim: 'weights: as full as the others', loads: [1, 1, 2], weights: [1, 1, 2], expected: [0, FIRST] },
  {
    claim: 'weights: a tie, and they stay',
    loads: [3, 3, 6],
    weights: [1, 1, 2],
    on: 2,
    expected: [2, `${BY_WEIGHT}, already there`]
  },
  {
    claim: 'weights: a tie of heavy ones',
    loads: [9, 4, 4],
    weights: [1, 2, 2],
    expected: [1, `${BY_WEIGHT}, first in the settings`]
  },
  { claim: 'weights: fewer users, but fuller', loads: [2, 5], weights: [1, 3], expected: [1, BY_WEIGHT] },
  {
    claim: 'weights: thirds are compared without fractions',
    loads: [1_398_101, 4_194_302],
    weights: [333, 999],
    expected: [1, BY_WEIGHT]
  },
  {
    claim: 'weights: the largest table and weights',
    loads: [4_194_304, 4_194_303],
    weights: [1000, 1000],
    expected: [1, BY_WEIGHT]
  }
]

t.test('fewest-users: the smallest load by weight, the own server on a tie, the first in the settings', async t => {
  t.notOk(POLICIES['fewest-users'].hasState, 'so that the monitor may ask as well')
  for (const { claim, loads, weights = loads.map(() => 1), on, unavailable, expected } of CASES) {
    const choose = make('fewest-users', weights, unavailable)
    const withVisitor = loads.map((load, server) => server === on ? load + 1 : load)
    const choice = choose({ loads: still(withVisitor), current: on ?? NO_SERVER })
    t.strictSame(choice && [choice.server, choice.because], expected, claim)
  }
})

t.test('fewest-users: 400 newcomers over weights 1, 1, 2 are 100, 100, 200', async t => {
  t.strictSame(placed('fewest-users', [1, 1, 2], 400), [100, 100, 200])
})

const weightLists = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 32 })

t.test('fewest-users: no newcomer puts a server over its share by more than one', async t => {
  fc.assert(fc.property(weightLists, fc.integer({ min: 1, max: 3000 }), (weights, count) => {
    const sum = total(weights)
    const loads = placed('fewest-users', weights, count)
    for (const [server, load] of loads.entries()) {
      // load - 1 < count * weight / sum, in whole numbers
      if ((load - 1) * sum >= count * weights[server]!) return false
      // As even as whole users can be: one less there is never more by weight than here.
      const weight = weights[server]!
      const isEven = loads.every((other, at) => (other - 1) * weight <= load * weights[at]!)
      if (!isEven) return false
    }
    return true
  }), { numRuns: 100 })
})

t.test('fewest-users: with equal weights loads never differ by more than one', async t => {
  const counts = fc.integer({ min: 1, max: 500 })
  fc.assert(fc.property(fc.integer({ min: 1, max: 32 }), counts, (servers, count) => {
    const loads = placed('fewest-users', Array<number>(servers).fill(1), count)
    return Math.max(...loads) - Math.min(...loads) <= 1
  }))
})

const smallWeights = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 })
for (const name of ['fewest-users', 'round-robin'] as const) {
  t.test(`${name}: multiples of all weights together are spread exactly`, async () => {
    fc.assert(fc.property(smallWeights, fc.integer({ min: 1, max: 5 }), (weights, times) => {
      const loads = placed(name, weights, total(weights) * times)
      return loads.every((load, server) => load === weights[server]! * times)
    }))
  })
}

t.test('fewest-users: whoever reloads stays where they were placed', async () => {
  fc.assert(fc.property(weightLists, fc.integer({ min: 1, max: 500 }), (weights, count) => {
    const loads = placed('fewest-users', weights, count)
    const choose = make('fewest-users', weights)
    return loads.every((load, current) =>
      load === 0 || choose({ loads: still(loads), current })?.server === current)
  }), { numRuns: 50 })
})

t.test('fewest-users: keeps up with loads and servers that change, as if it looked at each', async () => {
  const steps = fc.array(fc.record({
    server: fc.nat(), by: fc.constantFrom(1, 1, -1), current: fc.nat(), isNewReading: fc.nat(9)
  }), { maxLength: 60 })
  fc.assert(fc.property(weightLists, steps, (weights, steps) => {
    const [loads, unavailable] = [new ChangingLoads(weights.length), [] as number[]]
    const choose = make('fewest-users', weights, unavailable)
    return steps.every(({ server, by, current, isNewReading }) => {
      const at = server % weights.length
      if (loads.values[at]! + by >= 0) loads.add(at, by)
      if (isNewReading === 0) {
        const down = steps.slice(0, server % 4).map(step => step.current % weights.length)
        unavailable.splice(0, Infinity, ...down)
        loads.reading = ++readings
      }
      const on = current % (weights.length + 1) - 1
      const isThere = on !== NO_SERVER && loads.values[on]! > 0
      const without = [...loads.values].map((load, at) => isThere && at === on ? load - 1 : load)
      const here = isThere ? on : NO_SERVER
      const [choice, expected] = [
        choose({ loads, current: here }), byLooking(weights, without, unavailable, here)
      ]
      return choice?.server === expected?.server && choice?.because === expected?.because
    })
  }), { numRuns: 300 })
})

t.test('round-robin: one after another whatever the loads, heavy ones not in runs', async t => {
  t.ok(POLICIES['round-robin'].hasState)
  const inTurn = (weights: number[], count: number, unavailable: number[] = []) => {
    const choose = make('round-robin', weights, unavailable)
    const loads = still(weights.map(() => 7))
    return Array.from({ length: count }, () => choose({ loads, current: 1 }))
  }
  t.strictSame(inTurn([1, 1, 1], 4).map(choice => choice?.server), [0, 1, 2, 0])
  t.strictSame(inTurn([5, 1, 1], 7).map(choice => choice?.server), [0, 0, 1, 0, 2, 0, 0],
    'the sequence in the commit message of nginx')
  t.strictSame(inTurn([1, 1, 1], 3, [1]).map(choice => choice?.server), [0, 2, 0])
  t.strictSame(inTurn([1, 1], 1, [0, 1]), [undefined])
  t.strictSame(inTurn([1], 1), [{ server: 0, because: 'round robin' }])
})

t.test('round-robin: a server that comes back takes its turn and no more', async t => {
  const unavailable = [1]
  const choose = make('round-robin', [1, 1], unavailable)
  const ask = (count: number): Array<number | undefined> =>
    Array.from({ length: count }, () =>
      choose({ loads: still([0, 0]), current: NO_SERVER })?.server)
  t.strictSame(ask(100), Array(100).fill(0))
  unavailable.pop()
  t.strictSame(ask(6), [0, 1, 0, 1, 0, 1])
})

t.test('fewest-users: who starts slowly has that part of its weight, asked anew at each reading', async t => {
  let percent = 1
  const servers = [{ index: 0, weight: 1 }, { index: 1, weight: 2 }]
  const choose = POLICIES['fewest-users'].make(
    servers, () => true, server => server === 1 ? percent : 100)
  const place = (): number => {
    const loads = [100, 0]
    for (let newcomer = 0; newcomer < 1000; newcomer++) {
      loads[choose({ loads: still(loads), current: NO_SERVER })!.server]!++
    }
    return loads[1]!
  }
  // Of 1100, by weights of 1 and 2 hundredths, 1 and 1, 1 and 2.
  t.equal(place(), 22)
  percent = 50
  t.equal(place(), 550)
  percent = 100
  t.ok(Math.abs(place() - 733) <= 1)
})

t.test('round-robin: who starts slowly gets its turn as seldom', async t => {
  const servers = [{ index: 0, weight: 1 }, { index: 1, weight: 1 }]
  const choose = POLICIES['round-robin'].make(
    servers, () => true, server => server === 1 ? 25 : 100)
  const loads = still([0, 0])
  const turns = Array.from({ length: 100 }, () => choose({ loads, current: NO_SERVER })!.server)
  t.equal(turns.filter(server => server === 1).length, 20)
})

/** @param unavailable looked at again and again */
function make (
  policy: PolicyName, weights: readonly number[], unavailable: readonly number[] = []
): Choose {
  const servers = weights.map((weight, index): BalancedServer => ({ index, weight }))
  return POLICIES[policy].make(servers, server => !unavailable.includes(server))
}

/** Loads that do not change; each time another reading. */
function still (values: readonly number[]): Loads {
  return { values: Int32Array.from(values), reading: ++readings, changes: [], isFull: () => false }
}

/** Loads that change, of one reading until told otherwise. */
class ChangingLoads implements Loads {
  readonly values: Int32Array
  reading = ++readings
  readonly changes: number[] = []

  constructor (serverCount: number) {
    this.values = new Int32Array(serverCount)
  }

  isFull (): boolean {
    return false
  }

  add (server: number, by: number): void {
    this.values[server]! += by
    this.changes.push(server)
  }
}

/** Where so many newcomers end up, one after another. */
function placed (policy: PolicyName, weights: readonly number[], count: number): number[] {
  const loads = new ChangingLoads(weights.length)
  const choose = make(policy, weights)
  for (let newcomer = 0; newcomer < count; newcomer++) {
    loads.add(choose({ loads, current: NO_SERVER })!.server, 1)
  }
  return [...loads.values]
}

function total (numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

/** The same as fewest-users by looking at every server; `loads` are without the visitor. */
function byLooking (
  weights: readonly number[], loads: readonly number[], unavailable: readonly number[],
  current: number
): Choice | undefined {
  const available = loads.flatMap((_, server) => unavailable.includes(server) ? [] : [server])
  const isLess = (a: number, b: number): boolean =>
    loads[a]! * weights[b]! < loads[b]! * weights[a]!
  const best = available.filter(a => !available.some(b => isLess(b, a)))
  if (best.length === 0) return undefined
  const server = best.includes(current) ? current : best[0]!
  if (available.length === 1) return { server, because: ONLY_ONE }
  const reason = weights[server] === 1 ? FEWEST : BY_WEIGHT
  const tie = server === current ? 'already there' : 'first in the settings'
  return { server, because: best.length === 1 ? reason : `${reason}, ${tie}` }
}
