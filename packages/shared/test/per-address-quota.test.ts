import t from 'tap'
import { areSameWords, parseAddress } from '@usher/shared/client.ts'
import { networkOf } from '@usher/shared/networks.ts'
import { addressQuota } from '@usher/shared/per-address-quota.ts'

t.test('per-address quota: is a twentieth, and never so little that an office is turned away', async t => {
  const quotas = [16, 320, 340, 1000, 131_072].map(places => addressQuota(places))
  t.strictSame(quotas, [16, 16, 17, 50, 6553])
  t.strictSame([0, 1, 2].map(width => addressQuota(1000, width)), [50, 100, 200])
})

t.test('per-address quota: is for one IPv4 address, or one /64 of IPv6', async t => {
  const cases: ReadonlyArray<[one: string, other: string, isSame: boolean]> = [
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['::1', '::2', true],
    ['::1', '127.0.0.1', false]
  ]
  for (const [one, other, isSame] of cases) {
    const [a, b] = [one, other].map(text => networkOf(parseAddress(text)!))
    t.equal(areSameWords(a!, b!), isSame, `${one} and ${other}`)
  }
})
