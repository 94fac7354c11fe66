/** Addresses found on words: the same answer as by comparing each with each. */
import fc from 'fast-check'
import t from 'tap'
import { rangeFrom } from '@usher/shared/deny-list.ts'
import {
  clientOfAddress, formatAddress, parseAddress, type Address, type Client
} from '@usher/shared/client.ts'
import { addressTest, rangeTest } from '@usher/shared/memory/address-test.ts'
import { SLOT } from '@usher/shared/memory/layout.ts'
import { clientNumber, HOME, reserveFor, testTable } from './test-table.ts'

/** The words of a slot, as the table itself writes them. */
function slotWords (client: Client, address: Address): Int32Array {
  const { table, view } = testTable({ users: 16 })
  table.touch(client, 0, address)
  const here = view.layout.shardsAt + view.layout.slotsAt
  return view.words.slice(here, here + SLOT.WORDS)
}

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
  t.equal(addressTest([parseAddress('::')!])(words, here), false)
})

t.test('address test: agrees with the texts, also where two have the same key', async t => {
  const word = fc.constantFrom(0, 1, 2, 3, 0xffff, -1)
  const address = fc.record({ w0: word, w1: word, w2: word, w3: word })
  fc.assert(fc.property(fc.array(address, { maxLength: 8 }), address, (wanted, seen) => {
    const isThere = wanted.map(formatAddress).includes(formatAddress(seen))
    return addressTest(wanted)(slotWords(clientNumber(1), seen), 0) === isThere
  }), { numRuns: 300 })
})

t.test('range test: of who has an id, and of who is known by address', async t => {
  for (const client of [clientNumber(1), clientOfAddress(HOME)]) {
    const words = slotWords(client, HOME)
    t.equal(rangeTest(rangeFrom('192.0.2.0/24'))(words, 0), true)
    t.equal(rangeTest(rangeFrom('192.0.3.0/24'))(words, 0), false)
    t.equal(rangeTest(rangeFrom('192.0.2.1'))(words, 0), true)
  }
  const cluster = testTable({ users: 16 })
  reserveFor(cluster, clientNumber(1), { address: parseAddress('::')! })
  const { layout, words } = cluster.view
  t.equal(rangeTest(rangeFrom('::/0'))(words, layout.shardsAt + layout.slotsAt), false)
})
