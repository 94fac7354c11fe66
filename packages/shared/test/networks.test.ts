import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { formatNetwork, networkOf, widthsOf } from '@usher/shared/networks.ts'

t.test('networks: those an address lies in, the narrowest first', async t => {
  const cases: ReadonlyArray<[address: string, networks: string[]]> = [
    ['203.0.113.7', ['203.0.113.7', '203.0.113.0/24']],
    ['255.255.255.255', ['255.255.255.255', '255.255.255.0/24']],
    ['2001:db8:1:203::7', ['2001:db8:1:203::/64', '2001:db8:1:200::/56', '2001:db8:1::/48']],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      ['ffff:ffff:ffff:ffff::/64', 'ffff:ffff:ffff:ff00::/56', 'ffff:ffff:ffff::/48']]
  ]
  for (const [text, networks] of cases) {
    const address = parseAddress(text)!
    const found = Array.from({ length: widthsOf(address) }, (_, width) =>
      formatNetwork(networkOf(address, width), width))
    t.strictSame(found, networks, text)
  }
})
