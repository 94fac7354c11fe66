import t from 'tap'
import { formatClient, parseClientId } from '@usher/shared/client.ts'
import {
  clientCookie, cookieClient, namedServer, newClient, queryClient, requestClient, serverCookie,
  withCookie
} from '@usher/shared/http/vocabulary/identity.ts'
import { NO_BODY } from '@usher/shared/http/vocabulary/values.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const OTHER = '11111111-2222-4333-8444-555555555555'
const PLAIN = { isSecure: false, authority: 'localhost' }
const NO_DOMAIN = { cookieDomain: '' }

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
    [`client_id="${ID}"`, ID],
    [`client_id="${ID}`, undefined],
    ['client_id=""', undefined],
    [`client_id='${ID}'`, undefined],
    [`$Version=1; client_id="${ID}"; $Path="/"`, ID],
    [`$Version="1"; a="b"; client_id="${ID}";$Path="/";$Domain="example.org"`, ID],
    [`client_id=${OTHER}; client_id="${ID}"`, OTHER],
    [`$client_id=${OTHER}; client_id=${ID}`, ID],
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
  t.equal(clientCookie(parseClientId(ID)!, PLAIN, NO_DOMAIN), plain)
  t.equal(clientCookie(parseClientId(ID)!, { ...PLAIN, isSecure: true }, NO_DOMAIN), `${plain}; Secure`)
})

t.test('identity: a cookie of its own says where in a fleet a visitor was sent', async t => {
  const attributes = 'Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000'
  t.equal(serverCookie('oak/8000', PLAIN, NO_DOMAIN), `client_server=oak/8000; ${attributes}`)
  const cases: ReadonlyArray<readonly [cookie: string | undefined, name: string | undefined]> = [
    ['client_server=oak/8000', 'oak/8000'], ['a=b; client_server=0.a_-/red ; c=d', '0.a_-/red'],
    ['client_server=x; client_server=oak/a', 'oak/a'], ['xclient_server=oak/a', undefined],
    [undefined, undefined], ['client_server=', undefined], ['client_server=oak', undefined],
    ['client_server=oak/', undefined], ['client_server=oak/a/b', undefined], ['client_server=Oak/a', undefined],
    [`client_server=${'a'.repeat(64)}/a`, undefined], ['client_server=oak/%0a', undefined]
  ]
  for (const [cookie, name] of cases) {
    t.equal(namedServer(cookie === undefined ? {} : { cookie }), name, String(cookie))
  }
})

t.test('identity: the cookie is for the domain that names share, where the visitor uses one', async t => {
  const cases: ReadonlyArray<readonly [authority: string | undefined, isShared: boolean]> = [
    ['example.org', true], ['a.example.org:8080', true], ['A.Example.Org', true],
    ['b.a.example.org', true], ['badexample.org', false], ['example.org.evil.example', false],
    ['192.0.2.1:8080', false], ['org', false], [undefined, false]
  ]
  for (const [authority, isShared] of cases) {
    const cookie = clientCookie(
      parseClientId(ID)!, { isSecure: false, authority }, { cookieDomain: 'example.org' })
    t.equal(cookie.includes('; Domain=example.org; '), isShared, String(authority))
  }
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

t.test('identity: an answer that gives an id is for no cache', async t => {
  const reply = {
    status: 304, headers: ['ETag', '"1"', 'Cache-Control', 'no-cache'], body: NO_BODY, isKept: true
  }
  const client = parseClientId(ID)!
  t.strictSame(withCookie(reply, client, PLAIN, NO_DOMAIN), {
    status: 304,
    headers: [
      'ETag', '"1"', 'Cache-Control', 'private, no-store', 'Set-Cookie', clientCookie(client, PLAIN, NO_DOMAIN)
    ],
    body: NO_BODY,
    newClient: client,
    isKept: false
  })
  t.equal(reply.headers.length, 4, 'the stored reply is untouched')
})

t.test('identity: a reply with the cookie says nothing else to caches, however it is spelt', async t => {
  const names = [
    'cache-control', 'CDN-Cache-Control', 'Cloudflare-CDN-Cache-Control', 'Surrogate-Control', 'Expires', 'pragma', 'X-Cache-Control-Of'
  ]
  const reply = { status: 200, headers: names.flatMap(name => [name, 'max-age=60']), body: NO_BODY }
  const { headers } = withCookie(reply, newClient(), PLAIN, NO_DOMAIN)
  t.strictSame(headers.filter((_, at) => at % 2 === 0), ['X-Cache-Control-Of', 'Cache-Control', 'Set-Cookie'])
})
