import type { NetworkInterfaceInfo } from 'node:os'
import t from 'tap'
import { answeringAddress, detectIp, isForAll } from '@usher/shared/settings/detect-ip.ts'

t.test('detect-ip: prefers what other machines can reach, IPv4 first', async t => {
  const lo = [ipv4('127.0.0.1', true), ipv6('::1', 0, true)]
  const cases: ReadonlyArray<[string, Parameters<typeof detectIp>[1], string]> = [
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
  for (const [name, interfaces, expected] of cases) t.equal(detectIp('::', interfaces), expected, name)
})

const BOTH = { lo: [ipv4('127.0.0.1', true)], eth0: [ipv6('2001:db8::1'), ipv4('192.0.2.7')] }
const ONLY_IPV6 = { eth0: [ipv6('2001:db8::1')] }

t.test('detect-ip: what is bound to one address is reached under that', async t => {
  const cases: ReadonlyArray<[host: string, expected: string | undefined]> = [
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.2', '127.0.0.2'],
    ['192.0.2.9', '192.0.2.9'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '192.0.2.7'],
    ['0:0:0:0:0:0:0:0', '192.0.2.7'],
    ['0.0.0.0', '192.0.2.7'],
    ['::ffff:0.0.0.0', '192.0.2.7'],
    ['localhost', undefined]
  ]
  for (const [host, expected] of cases) t.equal(detectIp(host, BOTH), expected, host)
  t.equal(detectIp('0.0.0.0', ONLY_IPV6), '127.0.0.1', 'no IPv6 address answers there')
})

t.test('detect-ip: what is announced answers', async t => {
  const cases: ReadonlyArray<[host: string, ip: string, expected: string]> = [
    ['::', '203.0.113.5', '203.0.113.5'],
    ['::', '2001:db8::5', '2001:db8::5'],
    ['0.0.0.0', '203.0.113.5', '203.0.113.5'],
    ['0.0.0.0', '::1', '192.0.2.7'],
    ['127.0.0.1', '203.0.113.5', '127.0.0.1'],
    ['::1', '192.0.2.7', '::1']
  ]
  for (const [host, ip, expected] of cases) {
    t.equal(answeringAddress(host, ip, BOTH), expected, `${host} ${ip}`)
  }
  t.strictSame(['::', '0.0.0.0', '::0', '::1', '127.0.0.1', 'localhost'].map(isForAll),
    [true, true, true, false, false, false])
})

function ipv4 (address: string, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv4', address, internal, netmask: '', mac: '', cidr: null }
}

function ipv6 (address: string, scopeid = 0, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv6', address, internal, scopeid, netmask: '', mac: '', cidr: null }
}
