import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import {
  allocateRefusals, RefusalBlock, refusedNetworks, refusedTotal
} from '@usher/shared/memory/refused-networks.ts'

const HOME = parseAddress('203.0.113.7')!
const OTHER = parseAddress('2001:db8:1:200::')!
const MINUTE_MS = 60_000

t.test('refused networks: added up over the threads, the one with most first', async t => {
  const buffer = allocateRefusals(2)
  const one = new RefusalBlock(buffer, 0)
  const two = new RefusalBlock(buffer, 1)
  t.same(refusedNetworks(buffer, 0), [])
  one.note(OTHER, 1, 1000)
  for (let times = 0; times < 3; times++) one.note(HOME, 0, 2000)
  two.note(HOME, 0, 5000)
  t.same(refusedNetworks(buffer, 6000), [
    { network: '203.0.113.7', notCounted: 4, sinceAgoMs: 4000, lastAgoMs: 1000 },
    { network: '2001:db8:1:200::/56', notCounted: 1, sinceAgoMs: 5000, lastAgoMs: 5000 }
  ])
})

t.test('refused networks: the same words at another width are another network', async t => {
  const buffer = allocateRefusals(1)
  const block = new RefusalBlock(buffer, 0)
  block.note(OTHER, 1, 0)
  block.note(OTHER, 0, 0)
  t.same(refusedNetworks(buffer, 0).map(({ network }) => network).sort(),
    ['2001:db8:1:200::/56', '2001:db8:1:200::/64'])
})

t.test('refused networks: quiet ones are forgotten after ten minutes, and begin anew', async t => {
  const buffer = allocateRefusals(1)
  const block = new RefusalBlock(buffer, 0)
  block.note(HOME, 0, 0)
  t.equal(refusedNetworks(buffer, 10 * MINUTE_MS).length, 1)
  t.equal(refusedNetworks(buffer, 10 * MINUTE_MS + 1).length, 0)
  block.note(HOME, 0, 11 * MINUTE_MS)
  t.match(refusedNetworks(buffer, 11 * MINUTE_MS), [{ notCounted: 1, sinceAgoMs: 0 }])
})

t.test('refused networks: of more than are kept the one longest quiet gives way', async t => {
  const buffer = allocateRefusals(1)
  const block = new RefusalBlock(buffer, 0)
  for (let number = 0; number < 17; number++) block.note(parseAddress(`192.0.2.${number}`)!, 0, number)
  const networks = refusedNetworks(buffer, 20).map(({ network }) => network)
  t.equal(networks.length, 16)
  t.notOk(networks.includes('192.0.2.0'))
  t.ok(networks.includes('192.0.2.16'))
  t.equal(refusedTotal(buffer), 17, 'all of them are in the total')
})

t.test('refused networks: a thread\'s replacement goes on where it stopped', async t => {
  const buffer = allocateRefusals(1)
  new RefusalBlock(buffer, 0).note(HOME, 0, 0)
  new RefusalBlock(buffer, 0).note(HOME, 0, 500)
  t.match(refusedNetworks(buffer, 1000), [{ notCounted: 2, sinceAgoMs: 1000, lastAgoMs: 500 }])
})
