import { BlockList } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { isInRange, makeRange, overlap, type AddressRange } from '@usher/shared/address-range.ts'
import { formatAddress, parseAddress } from '@usher/shared/client.ts'
import { rangeFrom } from '@usher/shared/deny-list.ts'

/** @param text the address in colons also where it is a mapped one, and the bits of 128 */
function rangeOf (text: string, isIpv4: boolean): AddressRange {
  const [network, bits] = text.split('/') as [string, string]
  return makeRange(parseAddress(network)!, Number(bits), isIpv4)
}

type Cases = ReadonlyArray<[range: string, inside: string[], outside: string[]]>

t.test('address range: the first address, the last, and one beyond each', async t => {
  const ipv4: Cases = [
    ['192.0.2.0/120', ['192.0.2.0', '192.0.2.255'], ['192.0.1.255', '192.0.3.0', '::c000:200']],
    ['192.0.2.77/120', ['192.0.2.0', '192.0.2.255'], ['192.0.3.0']],
    ['192.0.2.7/128', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['128.0.0.0/97', ['128.0.0.0', '255.255.255.255'], ['127.255.255.255', '::1', '8000::1']],
    ['0.0.0.0/96', ['0.0.0.0', '255.255.255.255'], ['::', '::1', '::fffe:0:0', '::1:0:0:0']]
  ]
  const ipv6: Cases = [
    ['::/0', ['::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], ['192.0.2.1', '0.0.0.0']],
    ['::/80', ['::1', '::fffe:0:1'], ['192.0.2.1', '0:0:0:0:1::']],
    ['2001:db8::/32', ['2001:db8::', '2001:db8:ffff::1'], ['2001:db7::', '2001:db9::']],
    ['2001:db8::/33', ['2001:db8:7fff::'], ['2001:db8:8000::']],
    ['2001:db8::/64', ['2001:db8::ffff:ffff:ffff:ffff'], ['2001:db8:0:1::']],
    ['2001:db8::1/128', ['2001:db8::1'], ['2001:db8::', '2001:db8::2']]
  ]
  for (const cases of [ipv4, ipv6]) {
    for (const [text, inside, outside] of cases) {
      const range = rangeOf(text, cases === ipv4)
      const isIn = (address: string): boolean => isInRange(parseAddress(address)!, range)
      for (const address of inside) t.ok(isIn(address), `${address} is in ${text}`)
      for (const address of outside) t.notOk(isIn(address), `${address} is not in ${text}`)
    }
  }
})

t.test('address range: agrees with node:net', async t => {
  const word = fc.oneof(fc.integer(), fc.constant(0), fc.constant(0xffff))
  const words = fc.record({ w0: word, w1: word, w2: word, w3: word })
  fc.assert(fc.property(words, fc.nat({ max: 128 }), fc.nat({ max: 127 }), (network, bits, bit) => {
    const text = formatAddress(network)
    const family = text.includes(':') ? 'ipv6' : 'ipv4'
    const bitsOfFamily = family === 'ipv4' ? bits % 33 : bits
    const blocks = new BlockList()
    blocks.addSubnet(text, bitsOfFamily, family)
    const isIpv4 = family === 'ipv4'
    const range = makeRange(network, isIpv4 ? 96 + bitsOfFamily : bitsOfFamily, isIpv4)
    // One bit beside the network's own: at the edge of the mask, as often as not.
    const key = `w${bit >> 5}` as 'w0'
    const address = { ...network, [key]: network[key] ^ (1 << (31 - (bit & 31))) }
    for (const one of [network, address]) {
      const oneText = formatAddress(one)
      const isSameFamily = oneText.includes(':') === (family === 'ipv6')
      const expected = isSameFamily && blocks.check(oneText, family)
      if (isInRange(one, range) !== expected) throw new Error(`${oneText} in ${text}/${bitsOfFamily}`)
    }
  }), { numRuns: 2000 })
})

t.test('address range: two overlap when one lies in the other', async t => {
  const check = (a: string, b: string, expected: boolean): void => {
    t.equal(overlap(rangeFrom(a), rangeFrom(b)), expected, `${a} and ${b}`)
    t.equal(overlap(rangeFrom(b), rangeFrom(a)), expected, `${b} and ${a}`)
  }
  check('10.0.0.0/8', '10.9.8.7', true)
  check('10.0.0.0/8', '11.0.0.0', false)
  check('2001:db8::/64', '2001:db8::1', true)
  check('2001:db8::1', '2001:db8::2', false)
  check('::/0', '10.0.0.1', false)
})
