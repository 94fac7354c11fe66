/**
 * The scanner and the parser agree on where requests end: the cases that keep their connection, in
 * any order on one connection and in any pieces, reach the handler as each does alone.
 */
import t from 'tap'
import { ALL_CASES } from '../cases/all-cases.ts'
import { RawClient } from '../fixtures/raw-client.ts'
import { testDoor } from '../fixtures/test-door.ts'

const CONNECTIONS = 60
const REQUESTS = 12
const PIECES = 20

/** Those that wait for a 100 would have to be waited for. */
const KEPT = ALL_CASES.filter(({ isKept, statuses, bytes }) =>
  isKept && bytes.length < 3_000 && statuses.every(status => status === 200))

t.test('scanned sequences: each request is seen, and nothing else', async t => {
  const door = await testDoor(t)
  for (let round = 0; round < CONNECTIONS; round++) {
    door.seen.length = 0
    const random = seeded(round)
    const cases = Array.from({ length: REQUESTS }, () => KEPT[random(KEPT.length)]!)
    const bytes = cases.map(given => given.bytes).join('')
    const cuts = Array.from({ length: PIECES }, () => random(bytes.length)).sort((a, b) => a - b)
    const client = await RawClient.connect(door.port)
    for (const [at, cut] of [...cuts, bytes.length].entries()) {
      client.send(bytes.slice(cuts[at - 1] ?? 0, cut))
      if (at % 2 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    client.send('GET /last HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n')
    const text = await client.end()
    const expected = [...cases.flatMap(given => given.seen), 'GET /last']
    t.strictSame(door.seen, expected, `connection ${round}: ${cases.map(({ name }) => name).join('; ')}`)
    t.equal(text.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, expected.length, 'all are answered')
    client.close()
  }
})

/** The same numbers each time; mulberry32. */
function seeded (seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
