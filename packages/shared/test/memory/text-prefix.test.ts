/** A prefix of a text, found on words: the same answer as on the text itself. */
import fc from 'fast-check'
import t from 'tap'
import {
  areSameWords, clientOfAddress, formatAddress, formatClient, parseAddress, parseClientId,
  UNKNOWN_ADDRESS
} from '@usher/shared/client.ts'
import { prefixTest } from '@usher/shared/memory/text-prefix.ts'
import { clientNumber, slotWords } from './test-table.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'

t.test('text prefix: the start of an id or an address, any case', async t => {
  const check = (prefix: string, isMatch: boolean, address = '192.0.2.17'): void => {
    const words = slotWords(parseClientId(ID)!, parseAddress(address)!)
    t.equal(prefixTest(prefix)(words, 0), isMatch, `"${prefix}" ${address}`)
  }
  for (let length = 0; length <= ID.length; length++) check(ID.slice(0, length), true)
  check(ID.toUpperCase(), true)
  for (const prefix of ['6f1c2b0f', '6f1c2b0e93', '6f1c-', '7', `${ID}0`, 'g', ' 6f', '6f1c2b0e-93d5']) {
    check(prefix, false)
  }
  for (const prefix of ['1', '19', '192', '192.', '192.0.2.1', '192.0.2.17']) check(prefix, true)
  for (const prefix of ['192.0.2.18', '192.0.2.17.', '2.', '92', '::ffff:192']) check(prefix, false)
  for (const prefix of ['2', '20', '2001', '2001:', '2001:DB8', '2001:db8::1']) {
    check(prefix, true, '2001:db8::1')
  }
  for (const prefix of ['201', '200:', '2001:db9', '2001:db8::1:']) check(prefix, false, '2001:db8::1')
  for (const prefix of [':', '::', '::1']) check(prefix, true, '::1')
  check('::2', false, '::1')
})

t.test('text prefix: a client known by address is found by it, not by its words', async t => {
  const address = parseAddress('198.51.100.7')!
  const words = slotWords(clientOfAddress(address), address)
  t.equal(prefixTest('198.51')(words, 0), true)
  t.equal(prefixTest('0000')(words, 0), false, 'its words are no id')
})

t.test('text prefix: agrees with the text, whatever the address and the prefix', async t => {
  const word = fc.oneof(fc.constant(0), fc.integer(), fc.constant(0xffff))
  // All zeros are no address: nobody comes from there.
  const address = fc.record({ w0: word, w1: word, w2: word, w3: word })
    .filter(words => !areSameWords(words, UNKNOWN_ADDRESS))
  fc.assert(fc.property(address, fc.nat(40), fc.string(), (words, length, noise) => {
    const text = formatAddress(words)
    const slot = slotWords(clientNumber(2), words)
    const own = text.slice(0, length)
    for (const prefix of [own, own + noise, text.slice(1, length + 1)]) {
      const isMatch = text.startsWith(prefix.toLowerCase()) ||
        formatClient(clientNumber(2)).startsWith(prefix.toLowerCase())
      if (prefixTest(prefix)(slot, 0) !== isMatch) throw new Error(`${prefix} of ${text}`)
    }
  }), { numRuns: 1000 })
  t.pass('1000 addresses')
})
