/** The range around an address. */
import t from 'tap'
import { denialOf, rangeOf } from '../../../monitor-script/actions/address-ranges.ts'

t.test('address ranges: /24 of IPv4, /64 of IPv6', async t => {
  const check = (address: string, range: string | undefined): void => {
    t.equal(rangeOf(address), range, address)
  }
  check('203.0.113.24', '203.0.113.0/24')
  check('127.0.0.1', '127.0.0.0/24')
  check('2001:db8:77:1::c3', '2001:db8:77:1::/64')
  check('2001:db8::c3', '2001:db8::/64')
  check('2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64')
  check('2001:db8::1:2:3:4:5', '2001:db8:0:1::/64')
  check('fe80::', 'fe80::/64')
  check('::1', '::/64')
  check('::', undefined)
  check('', undefined)
})

t.test('address ranges: what the monitor denies for an address', async t => {
  t.equal(denialOf('203.0.113.24'), '203.0.113.24')
  t.equal(denialOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  t.equal(denialOf('::'), undefined)
})
