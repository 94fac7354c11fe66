/** Which beats and leaves are caused by a page of ours. */
import t from 'tap'
import { isForeign, ownHosts } from '@usher/shared/http/vocabulary/own-origin.ts'
import { testServers } from '../../settings/test-servers.ts'

const NONE: ReadonlySet<string> = new Set()

t.test('own origin: a beat is foreign by Sec-Fetch-Site or by its Origin\'s scheme and host', async t => {
  const own = { authority: 'Example.org:8000' as string | undefined, isSecure: false }
  const check = (expected: boolean, headers: Record<string, string>, given = own) => {
    t.equal(isForeign({ ...given, headers }, NONE), expected,
      JSON.stringify([headers, given]))
  }
  check(false, {})
  check(true, { 'sec-fetch-site': 'cross-site' })
  check(true, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })
  check(false, { 'sec-fetch-site': 'same-site' })
  check(false, { origin: 'http://example.org:8000' })
  check(false, { origin: 'http://EXAMPLE.org' })
  check(false, { origin: 'http://example.org:8080', 'sec-fetch-site': 'same-site' })
  check(true, { origin: 'http://example.org', 'sec-fetch-site': 'cross-site' })
  for (const origin of [
    'https://example.org:8000', 'http://example.com:8000', 'http://example.org.evil.com', 'null', '', 'example.org',
    'http://', 'http://a@example.org', 'http://example.org/', 'ftp://example.org', 'http://example.org, http://x.org'
  ]) check(true, { origin })
  check(false, { origin: 'https://example.org' }, { ...own, isSecure: true })
  check(true, { origin: 'http://example.org' }, { ...own, isSecure: true })
  check(false, { origin: 'http://[::1]:8001' }, { ...own, authority: '[::1]:8000' })
  check(false, {}, { ...own, authority: undefined })
  check(true, { origin: 'http://example.org' }, { ...own, authority: undefined })
})

t.test('own origin: a Referer is judged like an Origin, where the browser says no more', async t => {
  const check = (expected: boolean, headers: Record<string, string>, isSecure = false): void => {
    t.equal(isForeign({ headers, authority: 'example.org:8000', isSecure }, NONE), expected,
      JSON.stringify([headers, isSecure]))
  }
  check(false, { referer: 'http://example.org:8000/a/b?c=d' })
  check(false, { referer: 'http://example.org:8001/' })
  check(false, { referer: 'http://EXAMPLE.org./' })
  check(false, { referer: 'http://example.org:8000' })
  for (const referer of [
    'http://evil.example/', 'http://evil.example/http://example.org:8000/', 'http://example.org:8000.evil.example/',
    'http://example.org@evil.example/', 'http://evil.example?http://example.org:8000/', 'https://example.org:8000/',
    'http://example.org/, http://example.org/', 'about:blank', 'android-app://example.org/', '', '/', 'http:///example.org:8000/', 'http://example.org:x/'
  ]) check(true, { referer })
  check(true, { origin: 'http://example.org', referer: 'http://evil.example/' })
  check(true, { origin: 'http://evil.example', referer: 'http://example.org/' })
  check(true, { 'sec-fetch-site': 'same-site', referer: 'http://other.example.org/' })
  check(true, { referer: 'http://example.org:8000/' }, true)
  check(false, { referer: 'https://example.org:8000/' }, true)
  // Behind a proxy that names another host, the browser's own word is enough.
  check(false, { 'sec-fetch-site': 'same-origin', referer: 'https://www.example.org/' })
  check(true, { 'sec-fetch-site': 'same-origin', origin: 'http://evil.example' })
})

t.test('own origin: "null" says nothing, and what else is said decides', async t => {
  const check = (expected: boolean, headers: Record<string, string>): void => {
    const request = { authority: 'example.org', isSecure: false }
    t.equal(isForeign({ ...request, headers: { origin: 'null', ...headers } }, NONE), expected,
      JSON.stringify(headers))
  }
  // A page with `Referrer-Policy: no-referrer` (Fetch Standard, "append a request Origin header").
  check(false, { 'sec-fetch-site': 'same-origin' })
  // A page in a frame with `sandbox`, over plain http and by browsers without Fetch Metadata.
  check(true, {})
  check(true, { 'sec-fetch-site': 'none' })
  check(true, { 'sec-fetch-site': 'same-site' })
  check(true, { 'sec-fetch-site': 'cross-site', referer: 'http://example.org/' })
  // A page of ours, whose request the router's port has sent on ("redirect-tainted origin").
  check(false, { referer: 'http://example.org:8001/', 'sec-fetch-site': 'same-site' })
  check(true, { referer: 'http://evil.example/', 'sec-fetch-site': 'same-site' })
})

t.test('own origin: names of ours are ours whatever the request calls us', async t => {
  const own = ownHosts({
    publicHosts: ['shop.example', '2001:db8::1'],
    routerUrl: 'https://www.example.org/door',
    servers: testServers([8000, 8001], [{ publicUrl: 'https://a.example.net:8443' }])
  })
  t.strictSame([...own], ['shop.example', '[2001:db8::1]', 'www.example.org', 'a.example.net'])
  t.strictSame([...ownHosts({ publicHosts: [], routerUrl: '', servers: testServers([8000]) })], [])
  const check = (expected: boolean, origin: string, isSecure = false): void => {
    const request = { authority: '10.0.0.7:8000', isSecure }
    t.equal(isForeign({ ...request, headers: { origin } }, own), expected, origin)
    t.equal(isForeign({ ...request, headers: { referer: `${origin}/page` } }, own), expected, origin)
  }
  for (const host of ['shop.example', 'Shop.Example.:81', '[2001:db8::1]:8000', 'a.example.net']) {
    check(false, `http://${host}`)
    check(false, `https://${host}`)
    check(false, `https://${host}`, true)
    check(true, `http://${host}`, true)
  }
  for (const host of ['10.0.0.8', 'example.org', 'shop.example.evil.com', '2001:db8::1', 'x.a.example.net']) {
    check(true, `http://${host}`)
  }
})
