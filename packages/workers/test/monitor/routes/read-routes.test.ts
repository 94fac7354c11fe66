/** What a viewer reads, and the bounds of each query. */
import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { testApp } from '../fixtures/test-app.ts'

const as = 'viewer'

t.test('stats: takes a limit, and tells the total in a header', async t => {
  const { ask, calls } = await testApp(t)
  const { headers, json } = await ask('GET', '/stats', { as })
  t.equal(headers['x-active-users'], '3')
  t.match(json, { total_users: 3, servers: {} })
  await ask('GET', '/stats?limit=0', { as })
  t.strictSame(calls, [['stats', 1000], ['stats', 0]])
  for (const query of ['limit=-1', 'limit=1.5', 'limit=', 'limit=10001', 'limit=1&limit=1', 'x=1']) {
    t.equal((await ask('GET', `/stats?${query}`, { as })).status, 400, query)
  }
})

t.test('users: in a fleet a node, or a server of one, is asked for by its name', async t => {
  const { ask, calls } = await testApp(t, { node: 'oak' })
  const search = {
    server: undefined, q: undefined, sort: 'place', cursor: undefined, offset: undefined, limit: 100
  }
  const check = async (query: string, node: string | undefined, server?: string): Promise<void> => {
    await ask('GET', `/users?${query}`, { as })
    t.strictSame(calls.pop(), ['users', node, { ...search, server }], query)
  }
  await check('', undefined)
  await check('node=elm', 'elm')
  await check('server=blue', 'oak', 'blue')
  await check('server=oak/blue', 'oak', 'blue')
  await check('server=elm/8000', 'elm', '8000')
  t.equal((await ask('GET', '/users?server=oak/8009', { as })).status, 400, 'none of this node')
})

t.test('users: every part of the query reaches the search', async t => {
  const { ask, calls } = await testApp(t)
  await ask('GET', '/users', { as })
  await ask('GET', '/users?server=blue&q=6f1c&sort=last_seen&cursor=abc&limit=7', { as })
  await ask('GET', '/users?q=', { as })
  await ask('GET', '/users?offset=90000', { as })
  const first = {
    server: undefined, q: undefined, sort: 'place', cursor: undefined, offset: undefined, limit: 100
  }
  t.strictSame(calls, [
    ['users', undefined, first],
    ['users', undefined, { ...first, server: 'blue', q: '6f1c', sort: 'last_seen', cursor: 'abc', limit: 7 }],
    ['users', undefined, first],
    ['users', undefined, { ...first, offset: 90_000 }]
  ])
  for (const query of [
    'server=8009', 'server=x', 'server=oak/blue', 'node=oak', 'server=oak/', 'node=Oak', 'sort=name', 'limit=0', 'limit=1001', `q=${'x'.repeat(65)}`, 'nope=1',
    'q=a&q=b', 'offset=-1', 'offset=12345678', 'offset=5&cursor=0.5'
  ]) {
    const { status, json } = await ask('GET', `/users?${query}`, { as })
    t.equal(status, 400, query)
    t.match(json, { error: 'bad_request', message: /\w/ })
  }
})

t.test('sharing: one address or many, each of them valid', async t => {
  const { ask, calls } = await testApp(t)
  t.strictSame((await ask('GET', '/users/sharing?address=192.0.2.1', { as })).json, { users: 44 })
  await ask('GET', '/users/sharing?address=2001:db8::1&address=192.0.2.1', { as })
  t.strictSame(calls, [
    ['sharing', [parseAddress('192.0.2.1')]],
    ['sharing', [parseAddress('2001:db8::1'), parseAddress('192.0.2.1')]]
  ])
  const many = (count: number): string => Array(count).fill('address=2001:db8:1111:2222:3333:4444:5555:6666').join('&')
  t.equal((await ask('GET', `/users/sharing?${many(100)}`, { as })).status, 200)
  for (const query of ['', 'address=', 'address=x', 'address=192.0.2.0/24', 'address=192.0.2.1&address=x',
    'address=192.0.2.1&x=1', many(101), `address=${'1'.repeat(65)}`]) {
    const { status, json } = await ask('GET', `/users/sharing?${query}`, { as })
    t.equal(status, 400, query.slice(0, 60))
    t.match(json, { error: 'bad_request', message: /\w/ }, query.slice(0, 60))
  }
  t.equal((await ask('GET', '/users/sharing?address=::1', { as: 'nobody' })).status, 403)
})

t.test('reach: says what would be denied, and how many come from there', async t => {
  const { ask, calls } = await testApp(t)
  const check = async (address: string, denied: string, target: object): Promise<void> => {
    calls.length = 0
    const path = `/users/reach?${new URLSearchParams({ address })}`
    t.strictSame((await ask('GET', path, { as })).json, { address: denied, users: 55 }, address)
    t.strictSame(calls, [['reach', target]])
  }
  await check('192.0.2.99/24', '192.0.2.0/24', { kind: 'range', text: '192.0.2.0/24' })
  await check('::ffff:192.0.2.9', '192.0.2.9', { kind: 'address', text: '192.0.2.9' })
  await check('2001:db8::1', '2001:db8::/64', { kind: 'range', text: '2001:db8::/64' })
  await check('2001:db8::1/128', '2001:db8::1/128', { kind: 'address', text: '2001:db8::1' })
  for (const query of ['', '?address=', '?address=nonsense', '?address=192.0.2.0/33']) {
    t.equal((await ask('GET', `/users/reach${query}`, { as })).status, 400, query)
  }
  t.equal((await ask('GET', '/users/reach?address=::1', { as: 'nobody' })).status, 403)
})

t.test('history: points and gaps come out as they are', async t => {
  const history = {
    from: '2026-11-23T12:00:00.000Z',
    step_seconds: 5,
    servers: {
      red: { index: 0, removed: false, active_users: [3, null, 0], reserved: [0, null, 1] }
    },
    events: [
      { at: '2026-11-23T12:00:01.000Z', type: 'down', server: 'red' },
      { at: '2026-11-23T12:00:02.000Z', type: 'reload', server: null }
    ]
  }
  const { ask } = await testApp(t, { history: async () => history })
  t.strictSame((await ask('GET', '/history', { as })).json, JSON.parse(JSON.stringify(history)))
})

t.test('history: from a minute to a day', async t => {
  const { ask, calls } = await testApp(t)
  await ask('GET', '/history', { as })
  await ask('GET', '/history?minutes=1440', { as })
  t.strictSame(calls, [['history', undefined, 60], ['history', undefined, 1440]])
  for (const minutes of ['0', '1441', 'x']) {
    t.equal((await ask('GET', `/history?minutes=${minutes}`, { as })).status, 400, minutes)
  }
})

t.test('history: in a fleet of all nodes, or of one', async t => {
  const { ask, calls } = await testApp(t, { node: 'oak' })
  await ask('GET', '/history?node=elm&minutes=5', { as })
  t.strictSame(calls, [['history', 'elm', 5]])
  t.equal((await ask('GET', '/history?node=Elm', { as })).status, 400)
  const alone = await testApp(t)
  t.match((await alone.ask('GET', '/history?node=elm', { as })).json, { error: 'bad_request', message: /alone/ })
})

t.test('denied: ids and addresses, until when and for good', async t => {
  const rows = [
    { kind: 'id', text: 'an-id', reason: '<b>', by: 'ana', sinceMs: 0, untilMs: 60_000 },
    { kind: 'range', text: '192.0.2.0/24', reason: '', by: 'ana', sinceMs: 0, untilMs: undefined }
  ]
  const { ask } = await testApp(t, { denials: { list: async () => rows } as never })
  const since = '1970-01-01T00:00:00.000Z'
  t.strictSame((await ask('GET', '/denied', { as })).json, {
    denied: [
      { userId: 'an-id', reason: '<b>', by: 'ana', since, until: '1970-01-01T00:01:00.000Z' },
      { address: '192.0.2.0/24', reason: '', by: 'ana', since, until: null }
    ]
  })
})

t.test('metrics: Prometheus text', async t => {
  const { ask } = await testApp(t)
  const { headers, text } = await ask('GET', '/metrics', { as })
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(text, 'usher_up 1\n')
})
