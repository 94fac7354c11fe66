import t from 'tap'
import { hashChooser } from '@usher/shared/balancing/rendezvous.ts'
import type { Client } from '@usher/shared/client.ts'
import { clientNumber } from '../memory/test-table.ts'

const CLIENTS = Array.from({ length: 9000 }, (_, number) => clientNumber(number))

function testServers (...weights: number[]) {
  return weights.map((weight, index) => ({ index, port: 8000 + index, weight }))
}

function placesOf (choose: ReturnType<typeof hashChooser>): number[] {
  return CLIENTS.map((client: Client) => choose(client)?.server ?? -1)
}

t.test('rendezvous: many clients are spread by weight', async t => {
  for (const weights of [[1, 1, 1], [1, 1, 2], [5, 1, 10]]) {
    const places = placesOf(hashChooser(testServers(...weights), () => true))
    const sum = weights.reduce((all, weight) => all + weight)
    for (const [server, weight] of weights.entries()) {
      const share = places.filter(place => place === server).length / CLIENTS.length
      t.ok(Math.abs(share - weight / sum) < 0.02, `${share} for ${weight} of ${sum}`)
    }
  }
})

t.test('rendezvous: a client stays, and a server that goes moves only its own', async t => {
  const servers = testServers(1, 1, 1)
  const before = placesOf(hashChooser(servers, () => true))
  t.same(placesOf(hashChooser(testServers(1, 1, 1), () => true)), before)
  const after = placesOf(hashChooser(servers, server => server !== 1))
  for (const [at, place] of before.entries()) {
    if (place !== 1 && after[at] !== place) return t.fail(`client ${at} moved from ${place}`)
  }
  t.notOk(after.includes(1))
  const moved = before.flatMap((place, at) => place === 1 ? [after[at]!] : [])
  const toFirst = moved.filter(place => place === 0).length / moved.length
  t.ok(Math.abs(toFirst - 0.5) < 0.05, 'and spreads them')
})

t.test('rendezvous: says why, and nothing when no server is available', async t => {
  t.match(hashChooser(testServers(1), () => true)(clientNumber(1)), { server: 0, because: 'by hash of the id' })
  t.equal(hashChooser(testServers(1, 1), () => false)(clientNumber(1)), undefined)
})
