/** Whether a link came from another site, and where it goes on to. */
import type { IncomingHttpHeaders } from 'node:http'
import t from 'tap'
import { UNKNOWN_ADDRESS } from '@usher/shared/client.ts'
import { continuation, isFromAnotherSite } from '../../../src/monitor/access/cross-site-link.ts'
import { testApp } from '../fixtures/test-app.ts'

t.test('cross-site link: told by Sec-Fetch-Site, else by the Referer', async t => {
  const cases: Array<[headers: IncomingHttpHeaders, is: boolean]> = [
    [{}, false],
    [{ 'sec-fetch-site': 'cross-site' }, true],
    [{ 'sec-fetch-site': 'same-site', referer: 'http://elsewhere.example/' }, false],
    [{ 'sec-fetch-site': 'same-origin' }, false],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ referer: 'https://elsewhere.example/' }, true],
    [{ referer: 'http://192.168.1.5:8000/' }, false],
    [{ referer: 'nonsense' }, true]
  ]
  for (const [headers, is] of cases) {
    const source = { authority: '192.168.1.5:8081', isSecure: false, address: UNKNOWN_ADDRESS }
    t.equal(isFromAnotherSite(headers, source), is, JSON.stringify(headers))
  }
})

t.test('cross-site link: goes on to the same page and query, and only once', async t => {
  t.equal(continuation('/', '/'), '/?')
  t.equal(continuation('/tracker.html', '/tracker.html?a=//b.example'), '/tracker.html?a=//b.example&')
  t.equal(continuation('/tracker.html', '//b.example?a'), '/tracker.html?a&')
  for (const url of ['/?', '/?a&', '/?&']) t.equal(continuation('/', url), undefined, url)
})

t.test('cross-site link: without a cookie a page goes on, and then there is the login', async t => {
  const { ask } = await testApp(t)
  const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  const first = await ask('GET', '/tracker.html?a=%22', { headers })
  t.match(first, { status: 200, text: '<p>go on to /tracker.html?a=%22&', headers: { 'cache-control': 'no-store' } })
  for (const [path, options] of [
    ['/tracker.html?a=%22&', { headers }],
    ['/tracker.html', {}],
    ['/tracker.html', { as: 'expired', headers }]
  ] as const) {
    t.match(await ask('GET', path, options), { status: 302, headers: { location: '/login.html' } }, path)
  }
  t.equal((await ask('GET', '/tracker.html', { as: 'viewer', headers })).text, 'the console')
  t.equal((await ask('GET', '/stats', { headers })).status, 401, 'pages alone')
})
