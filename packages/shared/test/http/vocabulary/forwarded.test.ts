import t from 'tap'
import { formatAddress } from '@usher/shared/client.ts'
import { peerReader, sourceReader } from '@usher/shared/http/vocabulary/forwarded.ts'

interface Given {
  readonly trust?: readonly string[]
  readonly peer?: string | undefined
  readonly isTls?: boolean
  readonly headers?: Record<string, string>
}

/** Address, authority and scheme, as one text. */
function read ({ trust = [], peer = '10.0.0.1', isTls = false, headers = {} }: Given): string {
  const { address, authority, isSecure } =
    sourceReader(trust, isTls)({ host: 'direct.org', ...headers }, peerReader(trust)(peer))
  return `${isSecure ? 'https' : 'http'} ${authority} ${formatAddress(address)}`
}

const FIELDS = {
  'x-forwarded-for': '1.2.3.4',
  'x-forwarded-host': 'public.org:443',
  'x-forwarded-proto': 'https'
}
const PROXY = { trust: ['10.0.0.0/8', '::1'] }

t.test('forwarded: believes trusted peers only', async t => {
  const cases: ReadonlyArray<[given: Given, expected: string]> = [
    [{}, 'http direct.org 10.0.0.1'],
    [{ isTls: true }, 'https direct.org 10.0.0.1'],
    [{ headers: FIELDS }, 'http direct.org 10.0.0.1'],
    [{ ...PROXY, headers: FIELDS }, 'https public.org:443 1.2.3.4'],
    [{ ...PROXY, peer: '11.0.0.1', headers: FIELDS }, 'http direct.org 11.0.0.1'],
    [{ ...PROXY, peer: '::ffff:10.0.0.1', headers: FIELDS }, 'https public.org:443 1.2.3.4'],
    [{ ...PROXY, peer: '::1', headers: FIELDS }, 'https public.org:443 1.2.3.4'],
    [{ ...PROXY, peer: '::2', headers: FIELDS }, 'http direct.org ::2'],
    [{ ...PROXY }, 'http direct.org 10.0.0.1']
  ]
  for (const [given, expected] of cases) t.equal(read(given), expected, JSON.stringify(given))
})

t.test('forwarded: takes the rightmost address that is not a proxy\'s', async t => {
  const cases: ReadonlyArray<[list: string, expected: string]> = [
    ['6.6.6.6, 1.2.3.4', '1.2.3.4'],
    ['6.6.6.6, 1.2.3.4, 10.9.9.9', '1.2.3.4'],
    ['10.1.1.1, 10.2.2.2', '10.1.1.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['1.2.3.4, unknown', '10.0.0.1'],
    ['', '10.0.0.1'],
    ['1.2.3.4:51234', '1.2.3.4'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['6.6.6.6, 1.2.3.4:80 , 10.9.9.9:4711', '1.2.3.4'],
    ['<script>, 10.9.9.9', '10.9.9.9'],
    ['1.2.3.4:', '10.0.0.1'],
    ['1.2.3.4:123456', '10.0.0.1'],
    ['[1.2.3.4', '10.0.0.1'],
    ['2001:db8::1]:443', '10.0.0.1'],
    ['<script>', '10.0.0.1']
  ]
  for (const [list, expected] of cases) {
    const headers = { 'x-forwarded-for': list }
    t.equal(read({ ...PROXY, headers }), `http direct.org ${expected}`, list)
  }
})

t.test('forwarded: passes over malformed hosts and schemes', async t => {
  const cases: ReadonlyArray<[field: string, value: string, expected: string]> = [
    ['x-forwarded-host', 'a@b', 'http direct.org'],
    ['x-forwarded-host', '', 'http direct.org'],
    ['x-forwarded-host', 'evil.org, public.org', 'http public.org'],
    ['x-forwarded-proto', 'HTTPS', 'https direct.org'],
    ['x-forwarded-proto', 'http, https', 'https direct.org'],
    ['x-forwarded-proto', 'ftp', 'http direct.org'],
    ['x-forwarded-proto', '', 'http direct.org']
  ]
  for (const [field, value, expected] of cases) {
    t.equal(read({ ...PROXY, headers: { [field]: value } }), `${expected} 10.0.0.1`, `${field}: ${value}`)
  }
  const behindTls = { ...PROXY, isTls: true, headers: { 'x-forwarded-proto': 'http' } }
  t.equal(read(behindTls), 'http direct.org 10.0.0.1', 'the client speaks http to its proxy')
})

t.test('forwarded: a connection that is gone has the unknown address', async t => {
  for (const trust of [[], ['::1']]) {
    const source = sourceReader(trust, false)({}, peerReader(trust)(undefined))
    t.equal(formatAddress(source.address), '::')
    t.equal(source.authority, undefined)
  }
})

t.test('forwarded: says which proxy is no address', async t => {
  t.throws(() => sourceReader(['nonsense'], false), { message: /nonsense/ })
  t.throws(() => peerReader(['nonsense']), { message: /nonsense/ })
})

t.test('forwarded: a peer is a proxy when its address is trusted', async t => {
  const isProxy = (peer: string | undefined): boolean => peerReader(PROXY.trust)(peer).isProxy
  const peers = ['10.1.2.3', '::ffff:10.1.2.3', '::1', '11.1.2.3', '::2', undefined]
  t.same(peers.map(isProxy), [true, true, true, false, false, false])
  t.same(peers.map(peer => peerReader([])(peer).isProxy), peers.map(() => false), 'nobody is by default')
})

t.test('forwarded: a peer that comes back is the same, and is so after many others', async t => {
  const readPeer = peerReader(PROXY.trust)
  const peer = readPeer('10.1.2.3')
  t.equal(readPeer('10.1.2.3'), peer)
  for (let other = 0; other < 5000; other++) readPeer(`11.0.${other >> 8}.${other & 255}`)
  t.strictSame(readPeer('10.1.2.3'), peer)
})
