import t from 'tap'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'
import { fewestUsers, portOrder } from '../src/balancer.ts'

interface Case {
  readonly because: string
  readonly ports?: readonly number[]
  /** Users per server, the visitor left out, in the order of the ports. */
  readonly loads: readonly number[]
  /** The port of the server that the visitor is on. */
  readonly on?: number
  readonly unavailable?: readonly number[]
  /** A port; undefined when nobody can be chosen. */
  readonly expected: number | undefined
}

const POOL = [8000, 8001, 8002]

const CASES: readonly Case[] = [
  { because: 'an empty pool goes to the lowest port', loads: [0, 0, 0], expected: 8000 },
  { because: 'the fewest users, first', loads: [1, 2, 3], expected: 8000 },
  { because: 'the fewest users, in the middle', loads: [2, 1, 2], expected: 8001 },
  { because: 'the fewest users, last', loads: [3, 2, 1], expected: 8002 },
  { because: 'a tie of two goes to the lower port', loads: [5, 1, 1], expected: 8001 },
  { because: 'a tie without the lowest port', loads: [0, 1, 0], expected: 8000 },
  { because: 'one less is enough', loads: [1000, 999, 1000], expected: 8001 },

  { because: 'on a tie the visitor stays: last', loads: [4, 4, 4], on: 8002, expected: 8002 },
  { because: 'on a tie the visitor stays: middle', loads: [4, 4, 4], on: 8001, expected: 8001 },
  { because: 'on a tie the visitor stays: first', loads: [4, 4, 4], on: 8000, expected: 8000 },
  { because: 'a tie of others is not theirs', loads: [1, 1, 2], on: 8002, expected: 8000 },
  { because: 'one user more and they move', loads: [3, 4, 4], on: 8002, expected: 8000 },
  { because: 'one user less and they stay', loads: [4, 4, 3], on: 8002, expected: 8002 },

  {
    because: 'the lowest port wins although it is listed last',
    ports: [8002, 8001, 8000],
    loads: [0, 0, 0],
    expected: 8000
  },
  {
    because: 'the order of the list changes nothing about loads',
    ports: [9000, 80, 8080],
    loads: [1, 2, 1],
    expected: 8080
  },
  {
    because: 'ports are compared as numbers, not as text',
    ports: [10000, 9999],
    loads: [0, 0],
    expected: 9999
  },

  { because: 'unavailable, though empty', loads: [0, 2, 1], unavailable: [8000], expected: 8002 },
  { because: 'only one is left', loads: [0, 0, 9], unavailable: [8000, 8001], expected: 8002 },
  {
    because: 'a visitor on an unavailable server is placed anew',
    loads: [2, 2, 0],
    on: 8002,
    unavailable: [8002],
    expected: 8000
  },
  { because: 'none is available', loads: [0, 0, 0], unavailable: POOL, expected: undefined },
  {
    because: 'none is available, not even the own one',
    loads: [0, 0, 0],
    on: 8001,
    unavailable: POOL,
    expected: undefined
  },
  { because: 'a pool of one', ports: [8000], loads: [7], expected: 8000 }
]

t.test('balancer: chooses the fewest users, the own server on a tie, then the lowest port', async t => {
  for (const one of CASES) t.equal(choose(one), one.expected, one.because)
})

t.test('balancer: sorts servers by port and leaves the list alone', async t => {
  const ports = [8002, 80, 10000]
  t.strictSame(portOrder(ports), [1, 0, 2])
  t.strictSame(ports, [8002, 80, 10000])
})

function choose ({ ports = POOL, loads, on, unavailable = [] }: Case): number | undefined {
  const choice = fewestUsers(portOrder(ports), server => !unavailable.includes(ports[server]!))
  const current = on === undefined ? NO_SERVER : ports.indexOf(on)
  const server = choice({ loads: Int32Array.from(loads), current })
  return server === NO_SERVER ? undefined : ports[server]!
}
