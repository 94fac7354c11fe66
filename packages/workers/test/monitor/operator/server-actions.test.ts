/** External servers of the console: what is stored, what the coordinator hears, what is refused. */
import t, { type Test } from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { OrderTimedOut, RightWithdrawn } from '@usher/shared/errors.ts'
import { SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import type { Ask } from '@usher/shared/messages.ts'
import { replaceServers } from '@usher/shared/settings/server-list.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import { CHECK, testExternal, testServers } from '../../../../shared/test/settings/test-servers.ts'
import type { CurrentSession } from '../../../src/accounts/session-store.ts'
import { ServerActions } from '../../../src/monitor/operator/server-actions.ts'
import { ServerStore } from '../../../src/records/server-store.ts'
import { testDatabase } from '../../fixtures/test-database.ts'

const FROM = { address: parseAddress('192.0.2.7')!, userAgent: '' }
const ANA: CurrentSession = {
  sessionHash: '', accountId: 3, username: 'ana', permission: 5, canView: true, canDisconnect: true, mustChange: false, address: '::1', createdMs: 0, lastUsedMs: 0
}
const URL = 'https://shop.example'

function start (t: Test, {
  mayStill = true, up = [0, 1] as readonly number[], referred = [] as readonly number[],
  late = [] as readonly string[], isAnswered = true
} = {}) {
  const { database } = testDatabase(t)
  const store = new ServerStore(database)
  const servers: readonly Slot[] = [
    ...testServers([8000], [{ name: 'red' }]), ...testExternal(1, ['fixed'])
  ]
  const asked: Ask[] = []
  const audited: unknown[] = []
  const forgotten: string[] = []
  const actions = new ServerActions({
    store,
    servers,
    table: {
      serverState: server => up.includes(server) ? 'up' : 'down',
      isReferred: server => referred.includes(server)
    },
    drains: { forget: name => { forgotten.push(name) } },
    audit: { add: async event => { audited.push(event) } },
    permit: { check: () => { if (!mayStill) throw new RightWithdrawn() } },
    ask: (async (ask: Ask) => {
      asked.push(ask)
      if (ask.type !== 'set-servers') throw new Error(ask.type)
      if (!isAnswered) throw new OrderTimedOut('the coordinator', ask.type)
      replaceServers(servers, [...servers.slice(0, 2), ...ask.stored.map((one, at) => ({
        kind: 'external' as const, ...one, check: { ...CHECK, ...one.check }, source: 'console' as const, index: 2 + at, place: at
      }))])
      return { servers, leftOut: [], late }
    }) as never
  })
  return { actions, store, servers, asked, audited, forgotten }
}

t.test('server actions: one is stored, told to the coordinator and recorded, in this order', async t => {
  const { actions, store, asked, audited } = start(t)
  await actions.add(ANA, {
    name: 'shop', url: `${URL}/base//`, weight: 3, health: { interval: 0.5, status: '200', rise: null }
  }, FROM)
  const stored = [{
    name: 'shop',
    publicUrl: `${URL}/base`,
    weight: 3,
    capacity: undefined,
    check: { intervalMs: 500, statuses: { min: 200, max: 200 } }
  }]
  t.strictSame(await store.list(), stored)
  t.strictSame(asked, [{ type: 'set-servers', stored, isStart: false }])
  t.match(audited, [{ who: 'ana', action: 'server-added', target: 'shop', detail: { url: `${URL}/base//`, weight: 3 }, address: '192.0.2.7' }])
})

t.test('server actions: a change leaves what it does not name, and null takes back', async t => {
  const { actions, store, audited } = start(t)
  await actions.add(ANA, { name: 'shop', url: URL, weight: 3, capacity: 9, health: { path: '/up', fall: 7 } }, FROM)
  await actions.change(ANA, 'shop', { weight: null, health: { fall: 2 } }, FROM)
  t.strictSame(await store.list(), [
    { name: 'shop', publicUrl: URL, weight: undefined, capacity: 9, check: { path: '/up', fall: 2 } }
  ])
  await actions.change(ANA, 'shop', { url: 'https://other.example', capacity: null, health: { path: null } }, FROM)
  t.strictSame(await store.list(), [
    { name: 'shop', publicUrl: 'https://other.example', weight: undefined, capacity: undefined, check: { fall: 2 } }
  ])
  t.match(audited.at(-1), { action: 'server-changed', target: 'shop' })
})

t.test('server actions: one that is removed is gone with its drain', async t => {
  const { actions, store, forgotten, audited } = start(t)
  await actions.add(ANA, { name: 'shop', url: URL }, FROM)
  await actions.remove(ANA, 'shop', false, FROM)
  t.strictSame(await store.list(), [])
  t.strictSame(forgotten, ['shop'])
  t.match(audited.at(-1), { action: 'server-removed', target: 'shop' })
})

t.test('server actions: what is refused changes nothing, and is said in words', async t => {
  const { actions, store, asked, audited } = start(t)
  await actions.add(ANA, { name: 'shop', url: URL }, FROM)
  const before = [await store.list(), asked.length, audited.length]
  const refused: ReadonlyArray<[what: () => Promise<unknown>, code: string, message: RegExp]> = [
    [() => actions.add(ANA, { name: 'Shop', url: URL }, FROM), 'bad_request', /^name is "Shop"; allowed/],
    [() => actions.add(ANA, { name: 'a', url: 'shop' }, FROM), 'bad_request', /^url is "shop"; allowed/],
    [() => actions.add(ANA, { name: 'a', url: URL, health: { path: '' } }, FROM), 'bad_request', /^health.path/],
    [() => actions.add(ANA, { name: 'a', url: URL, health: { status: '1' } }, FROM), 'bad_request', /^health.status/],
    [() => actions.add(ANA, { name: 'shop', url: URL }, FROM), 'not_acceptable_here', /^There is a server shop already/],
    [() => actions.add(ANA, { name: 'red', url: URL }, FROM), 'not_acceptable_here', /in use are red, fixed, shop/],
    [() => actions.add(ANA, { name: '8000', url: URL }, FROM), 'not_acceptable_here', /^8000 is the port of the server red/],
    [() => actions.change(ANA, 'fixed', { weight: 2 }, FROM), 'not_acceptable_here', /named by EXTERNAL_SERVERS/],
    [() => actions.remove(ANA, 'red', true, FROM), 'not_acceptable_here', /^red is an own server/],
    [() => actions.change(ANA, 'nobody', { weight: 2 }, FROM), 'not_found', /there are red, fixed, shop/],
    [() => actions.remove(ANA, 'nobody', true, FROM), 'not_found', /there are red, fixed, shop/]
  ]
  for (const [what, code, message] of refused) await t.rejects(what(), { code, message })
  t.strictSame([await store.list(), asked.length, audited.length], before)
})

t.test('server actions: the last available one is removed by force only', async t => {
  const { actions, store } = start(t, { up: [2] })
  await actions.add(ANA, { name: 'shop', url: URL }, FROM)
  await t.rejects(actions.remove(ANA, 'shop', false, FROM), { code: 'not_acceptable_here', message: /last available/ })
  t.equal((await store.list()).length, 1)
  await actions.remove(ANA, 'shop', true, FROM)
  t.strictSame(await store.list(), [])
})

t.test('server actions: there is room for 256, those included whose users have not gone', async t => {
  const given = start(t, { referred: [255] })
  replaceServers(given.servers, [
    ...given.servers, ...testExternal(2, Array.from({ length: SERVERS_MAX - 3 }, (_, at) => `s${at}`)),
    { kind: 'removed', index: SERVERS_MAX - 1, name: 'gone' }
  ])
  await t.rejects(given.actions.add(ANA, { name: 'shop', url: URL }, FROM), {
    code: 'not_acceptable_here', message: /^There are 256 servers.*1 of them removed/
  })
  await given.actions.add(ANA, { name: 'gone', url: URL }, FROM)
  const free = start(t)
  replaceServers(free.servers, [
    ...free.servers, ...testExternal(2, Array.from({ length: SERVERS_MAX - 3 }, (_, at) => `s${at}`)),
    { kind: 'removed', index: SERVERS_MAX - 1, name: 'gone' }
  ])
  await free.actions.add(ANA, { name: 'shop', url: URL }, FROM)
})

t.test('server actions: what is stored and not in every thread is done and recorded, and says who is late', async t => {
  for (const [given, expected] of [
    [{ late: ['server 8000', 'monitor'] }, ['server 8000', 'monitor']], [{ isAnswered: false }, ['coordinator']]
  ] as const) {
    const { actions, store, audited } = start(t, given)
    t.strictSame(await actions.add(ANA, { name: 'shop', url: URL }, FROM), expected)
    t.strictSame(await actions.change(ANA, 'shop', { weight: 2 }, FROM), expected)
    t.match(await store.list(), [{ name: 'shop', weight: 2 }])
    t.strictSame(await actions.remove(ANA, 'shop', true, FROM), expected)
    t.strictSame([(await store.list()).length, audited.length], [0, 3])
  }
  const { actions } = start(t)
  t.strictSame(await actions.add(ANA, { name: 'shop', url: URL }, FROM), [])
})

t.test('server actions: who may no longer does nothing', async t => {
  const { actions, store, asked } = start(t, { mayStill: false })
  for (const work of [
    () => actions.add(ANA, { name: 'shop', url: URL }, FROM), () => actions.remove(ANA, 'shop', true, FROM)
  ]) await t.rejects(work(), { code: 'USHER_RIGHT_WITHDRAWN' })
  t.strictSame([await store.list(), asked], [[], []])
})

t.test('server actions: the list says who names each, and what is not in force', async t => {
  const { actions, store, servers } = start(t)
  await actions.add(ANA, { name: 'shop', url: URL, weight: 3, health: { timeout: 0.25 } }, FROM)
  await store.add({ name: 'fixed', url: 'https://mine.example' }, () => {})
  t.match(await actions.list(), [
    { name: 'red', kind: 'own', source: 'settings', health: null, in_force: true },
    { name: 'fixed', kind: 'external', source: 'settings', url: 'https://fixed.example', health: { path: '/', interval: 2, status: '200-399' } },
    { name: 'shop', source: 'console', weight: 3, capacity: null, health: { path: null, timeout: 0.25 }, in_force: true },
    { name: 'fixed', source: 'console', url: 'https://mine.example', in_force: false }
  ])
  t.equal(servers.length, 3)
})
