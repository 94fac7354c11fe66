import type { NetworkInterfaceInfo } from 'node:os'
import t from 'tap'
import { detectIp } from '@usher/shared/settings/detect-ip.ts'

t.test('detect-ip: prefers what other machines can reach, IPv4 first', async t => {
  const lo = [ipv4('127.0.0.1', true), ipv6('::1', 0, true)]
  const cases: ReadonlyArray<[string, Parameters<typeof detectIp>[0], string]> = [
    ['no interface at all', {}, '127.0.0.1'],
    ['an interface without a list', { eth0: undefined }, '127.0.0.1'],
    ['loopback only', { lo }, '127.0.0.1'],
    ['one IPv4', { lo, eth0: [ipv4('192.0.2.7')] }, '192.0.2.7'],
    ['the first of two IPv4', { a: [ipv4('192.0.2.7')], b: [ipv4('192.0.2.8')] }, '192.0.2.7'],
    ['IPv4 after IPv6', { a: [ipv6('2001:db8::1'), ipv4('192.0.2.7')] }, '192.0.2.7'],
    ['IPv6 only', { lo, eth0: [ipv6('2001:db8::1')] }, '2001:db8::1'],
    ['IPv6 after link scope', { a: [ipv6('fe80::1', 2), ipv6('2001:db8::1')] }, '2001:db8::1'],
    ['link scope only', { a: [ipv6('fe80::1', 2)] }, '127.0.0.1']
  ]
  for (const [name, interfaces, expected] of cases) t.equal(detectIp(interfaces), expected, name)
})

function ipv4 (address: string, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv4', address, internal, netmask: '', mac: '', cidr: null }
}

function ipv6 (address: string, scopeid = 0, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv6', address, internal, scopeid, netmask: '', mac: '', cidr: null }
}
