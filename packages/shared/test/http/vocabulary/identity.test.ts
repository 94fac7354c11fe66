import t from 'tap'
import { formatClient, parseClientId, UNKNOWN_ADDRESS } from '@usher/shared/client.ts'
import {
  clientCookie, cookieClient, countsAsVisit, isForeign, newClient, queryClient, requestClient
} from '@usher/shared/http/vocabulary/identity.ts'
import { NO_BODY } from '@usher/shared/http/vocabulary/values.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const OTHER = '11111111-2222-4333-8444-555555555555'

t.test('identity: finds the first well-formed client_id cookie', async t => {
  const cases: ReadonlyArray<[cookie: string | undefined, expected: string | undefined]> = [
    [undefined, undefined],
    ['', undefined],
    [`client_id=${ID}`, ID],
    [`client_id=${ID.toUpperCase()}`, ID],
    [`a=b; client_id=${ID}; c=d`, ID],
    [`a=b;client_id=${ID}`, ID],
    [` client_id = ${ID} `, ID],
    [`client_id=bad; client_id=${ID}; client_id=${OTHER}`, ID],
    ['client_id=00000000-0000-0000-0000-000000000000', undefined],
    ['client_id=', undefined],
    ['client_id', undefined],
    [`xclient_id=${ID}`, undefined],
    [`client_idx=${ID}`, undefined],
    [`Client_Id=${ID}`, undefined],
    [`a=client_id=${ID}`, undefined],
    [`client_id="${ID}"`, undefined],
    [`client_id=${ID}x`, undefined],
    ['client_id=%', undefined],
    [';;=;client_id=;', undefined]
  ]
  for (const [cookie, expected] of cases) {
    const client = cookieClient(cookie === undefined ? {} : { cookie })
    t.equal(client && formatClient(client), expected, String(cookie))
  }
})

t.test('identity: a query names one client, nobody, or is malformed', async t => {
  const cases: ReadonlyArray<[query: string, expected: string | undefined]> = [
    ['', undefined],
    ['?', undefined],
    ['?servers', undefined],
    ['?Client_Id=x', undefined],
    [`?client_id=${ID}`, ID],
    [`?client_id=${ID.toUpperCase()}`, ID],
    [`?a=b&client_id=${ID}&c`, ID],
    ['?client_id', 'malformed'],
    ['?client_id=', 'malformed'],
    ['?client_id=nonsense', 'malformed'],
    ['?client_id=00000000-0000-0000-0000-000000000000', 'malformed'],
    [`?client_id=${ID}&client_id=${OTHER}`, 'malformed']
  ]
  for (const [query, expected] of cases) {
    const client = queryClient(query)
    t.equal(typeof client === 'object' ? formatClient(client) : client, expected, query)
  }
})

t.test('identity: a new client is a random UUID of version 4', async t => {
  const texts = new Set(Array.from({ length: 100 }, () => formatClient(newClient())))
  t.equal(texts.size, 100)
  for (const text of texts) t.match(text, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

t.test('identity: the cookie is as promised', async t => {
  const plain = `client_id=${ID}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000`
  t.equal(clientCookie(parseClientId(ID)!, false), plain)
  t.equal(clientCookie(parseClientId(ID)!, true), `${plain}; Secure`)
})

t.test('identity: only a navigation counts when another site caused it', async t => {
  type Case = [site: string | undefined, mode: string | undefined, expected: boolean]
  const cases: readonly Case[] = [
    [undefined, undefined, true],
    ['cross-site', 'navigate', true],
    ['cross-site', 'no-cors', false],
    ['cross-site', undefined, false],
    ['same-site', 'no-cors', true],
    ['same-origin', 'cors', true],
    ['none', 'navigate', true]
  ]
  for (const [site, mode, expected] of cases) {
    const headers = {
      ...(site === undefined ? {} : { 'sec-fetch-site': site }),
      ...(mode === undefined ? {} : { 'sec-fetch-mode': mode })
    }
    t.equal(countsAsVisit(headers), expected, `${site} ${mode}`)
  }
})

t.test('identity: a beat is foreign by Sec-Fetch-Site or by its Origin\'s scheme and host', async t => {
  const own = { authority: 'Example.org:8000' as string | undefined, isSecure: false }
  const check = (expected: boolean, headers: Record<string, string>, given = own) => {
    const value = { method: 'POST', path: '/leave', query: '', body: NO_BODY, address: UNKNOWN_ADDRESS }
    t.equal(isForeign({ ...value, ...given, headers }), expected, JSON.stringify([headers, given]))
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

t.test('identity: a query names one client, or none, or is malformed', async t => {
  const cases: ReadonlyArray<[query: string, expected: string | undefined]> = [
    ['', undefined],
    ['?', undefined],
    ['?a=b', undefined],
    [`?client_id=${ID}`, ID],
    [`?a=b&client_id=${ID.toUpperCase()}`, ID],
    ['?client_id=', 'malformed'],
    ['?client_id=x', 'malformed'],
    [`?client_id=${ID}&client_id=${ID}`, 'malformed']
  ]
  for (const [query, expected] of cases) {
    const named = queryClient(query)
    t.equal(typeof named === 'object' ? formatClient(named) : named, expected, query)
  }
})

t.test('identity: beats and leaves name their client in the query first, others by cookie', async t => {
  const cookie = `client_id=${OTHER}`
  const cases: ReadonlyArray<[url: string | undefined, expected: string]> = [
    [undefined, OTHER],
    ['/', OTHER],
    ['/heartbeat', OTHER],
    [`/heartbeat?client_id=${ID}`, ID],
    [`/leave?client_id=${ID}`, ID],
    ['/leave?client_id=nobody', OTHER],
    [`/page?client_id=${ID}`, OTHER],
    [`/heartbeat/?client_id=${ID}`, OTHER]
  ]
  for (const [url, expected] of cases) {
    const named = requestClient({ ...(url === undefined ? {} : { url }), headers: { cookie } })
    t.equal(formatClient(named!), expected, String(url))
  }
  t.equal(requestClient({ url: '/leave', headers: {} }), undefined)
})
