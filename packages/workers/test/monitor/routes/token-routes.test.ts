/** The tokens of programs, as the interface tells of them. */
import t from 'tap'
import type { ListedToken } from '../../../src/accounts/token-store.ts'
import { testApp } from '../fixtures/test-app.ts'

const as = 'operator'
const TOKEN: ListedToken = {
  tokenId: 7,
  tokenName: 'shop-a',
  scopes: ['view', 'report'],
  accountId: 3,
  username: 'ana',
  permission: 1,
  canView: true,
  canDisconnect: true,
  mustChange: false,
  createdAgoMs: 9000,
  expiresInMs: 5000,
  lastUse: { agoMs: 1000, address: '192.0.2.7' }
}

t.test('token routes: lists what each may, who made it and when it was used', async t => {
  const list = async () => [
    TOKEN, { ...TOKEN, lastUse: undefined }, { ...TOKEN, expiresInMs: 0 },
    { ...TOKEN, canDisconnect: false }, { ...TOKEN, mustChange: true }
  ]
  const { ask } = await testApp(t, { tokens: { list }, wallNow: () => 10_000 })
  const { status, json } = await ask('GET', '/tokens', { as })
  t.equal(status, 200)
  t.equal(json?.['max'], 200)
  const [first, ...others] = json?.['tokens'] as Array<Record<string, unknown>>
  t.strictSame(first, {
    id: 7,
    name: 'shop-a',
    scopes: ['view', 'report'],
    in_force: ['view', 'report'],
    made_by: 'ana',
    created: '1970-01-01T00:00:01.000Z',
    expires: '1970-01-01T00:00:15.000Z',
    last_used: '1970-01-01T00:00:09.000Z',
    last_address: '192.0.2.7'
  })
  const [unused, expired, demoted, unripe] = others
  t.match(unused, { last_used: null, last_address: null })
  t.match(expired, { in_force: [], expires: '1970-01-01T00:00:10.000Z' })
  t.match(demoted, { in_force: ['view'], scopes: ['view', 'report'] })
  t.match(unripe, { in_force: [] })
})

t.test('token routes: the answer to who makes one has the token, and is kept by no cache', async t => {
  const { ask, calls } = await testApp(t)
  const body = { name: 'shop-a', scopes: ['report'], days: 7 }
  const { status, json, headers } = await ask('POST', '/tokens', { as, body })
  t.equal(status, 200)
  t.strictSame(json, {
    token: 'usher_new', id: 7, name: 'shop-a', scopes: ['report'], expires: '1970-01-01T00:00:01.000Z'
  })
  t.equal(headers['cache-control'], 'no-store')
  t.match(calls, [['makeToken', { username: 'operator' }, body, { address: { w2: 0xffff } }]])
})

t.test('token routes: one is revoked by its number', async t => {
  const { ask, calls } = await testApp(t)
  t.match(await ask('POST', '/tokens/revoke', { as, body: { id: 7 } }),
    { status: 200, json: { response: 'token revoked' } })
  t.match(calls, [['revokeToken', { username: 'operator' }, 7, {}]])
})

t.test('token routes: what is no order is refused, and nothing done', async t => {
  const { ask, calls } = await testApp(t)
  const good = { name: 'a', scopes: ['view'] }
  for (const wrong of [
    {}, { name: 'a' }, { scopes: ['view'] }, { ...good, name: '' }, { ...good, name: 'x'.repeat(65) },
    { ...good, name: 7 }, { ...good, name: 'a\nb' }, { ...good, scopes: [] }, { ...good, scopes: 'view' },
    { ...good, scopes: ['view', 'view'] }, { ...good, scopes: ['admin'] }, { ...good, scopes: ['tokens'] },
    { ...good, days: 0 }, { ...good, days: 367 }, { ...good, days: 1.5 }, { ...good, days: '7' },
    { ...good, days: null }, { ...good, expires: 'never' }
  ]) {
    t.match(await ask('POST', '/tokens', { as, body: wrong }), { status: 400 }, JSON.stringify(wrong))
  }
  for (const wrong of [{}, { id: '7' }, { id: 0 }, { id: -1 }, { id: 1.5 }, { id: 7, all: true }]) {
    t.match(await ask('POST', '/tokens/revoke', { as, body: wrong }), { status: 400 }, JSON.stringify(wrong))
  }
  t.strictSame(calls, [])
})
