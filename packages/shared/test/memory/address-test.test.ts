/** Addresses found on words: the same answer as by comparing each with each. */
import fc from 'fast-check'
import t from 'tap'
import { rangeFrom } from '@usher/shared/deny-list.ts'
import { clientOfAddress, formatAddress, parseAddress } from '@usher/shared/client.ts'
import { addressTest, rangeTest } from '@usher/shared/memory/address-test.ts'
import { clientNumber, HOME, reserveFor, slotWords, testTable } from './test-table.ts'

const NOWHERE = parseAddress('::')!

t.test('address test: of who has an id, and of who is known by address', async t => {
  const words = slotWords(clientNumber(1), HOME)
  t.equal(addressTest([HOME])(words, 0), true)
  t.equal(addressTest([parseAddress('::1')!, HOME])(words, 0), true)
  t.equal(addressTest([parseAddress('192.0.2.2')!])(words, 0), false)
  t.equal(addressTest([])(words, 0), false)
  t.equal(addressTest([HOME])(slotWords(clientOfAddress(HOME), HOME), 0), true)
  const { w0, w1, w2, w3 } = clientNumber(1)
  t.equal(addressTest([{ w0, w1, w2, w3 }])(words, 0), false, 'an id is no address')
})

t.test('address test: who was never seen from anywhere is at no address', async t => {
  const cluster = testTable({ users: 16 })
  reserveFor(cluster, clientNumber(1))
  const { layout, words } = cluster.view
  const here = layout.shardsAt + layout.slotsAt
  t.equal(addressTest([NOWHERE])(words, here), false)
})

t.test('address test: agrees with the texts, also where two have the same key', async t => {
  const word = fc.constantFrom<number[]>(0, 1, 2, 3, 0xffff, -1)
  const address = fc.record({ w0: word, w1: word, w2: word, w3: word })
  fc.assert(fc.property(fc.array(address, { maxLength: 8 }), address, (wanted, seen) => {
    // `::` is nobody's address: it says that a user was never seen from anywhere.
    const isThere = formatAddress(seen) !== '::' &&
      wanted.map(formatAddress).includes(formatAddress(seen))
    return addressTest(wanted)(slotWords(clientNumber(1), seen), 0) === isThere
  }), { numRuns: 300, examples: [[[NOWHERE], NOWHERE]] })
})

t.test('range test: of who has an id, and of who is known by address', async t => {
  for (const client of [clientNumber(1), clientOfAddress(HOME)]) {
    const words = slotWords(client, HOME)
    t.equal(rangeTest(rangeFrom('192.0.2.0/24'))(words, 0), true)
    t.equal(rangeTest(rangeFrom('192.0.3.0/24'))(words, 0), false)
    t.equal(rangeTest(rangeFrom('192.0.2.1'))(words, 0), true)
  }
  const cluster = testTable({ users: 16 })
  reserveFor(cluster, clientNumber(1), { address: NOWHERE })
  const { layout, words } = cluster.view
  t.equal(rangeTest(rangeFrom('::/0'))(words, layout.shardsAt + layout.slotsAt), false)
})
