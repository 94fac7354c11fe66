/** What an operator does: written down, applied everywhere, put on record, in this order. */
import t from 'tap'
import { parseAddress, parseClientId } from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import type { CurrentSession } from '../../../src/accounts/session-store.ts'
import { testExternal, testServers } from '../../../../shared/test/settings/test-servers.ts'
import type { ServerState } from '@usher/shared/memory/layout.ts'
import type { Server } from '@usher/shared/settings/servers.ts'
import { oneAtATime } from '@usher/shared/turns.ts'
import type { Sql } from '../../../src/database/statements.ts'
import {
  DrainOrders, type DrainOrdersParts
} from '../../../src/monitor/operator/drain-orders.ts'
import { Actions, type ActionsParts } from '../../../src/monitor/operator/operator-actions.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const CLIENT = parseClientId(ID)!
const SESSION = { username: 'ana' } as CurrentSession
const OPERATOR = { caller: SESSION, address: parseAddress('192.0.2.7')! }
const USER = {
  client: CLIENT,
  address: parseAddress('198.51.100.3')!,
  server: 1,
  reservedServer: undefined,
  isConfirmed: true,
  isLeaving: false,
  firstSeenAgoMs: 0,
  lastSeenAgoMs: 0
}

const DRAIN = { movesFromMs: 7000 }

function tableWith (
  find: ActionsParts['table']['find'], states: readonly ServerState[] = ['up', 'up']
): ActionsParts['table'] {
  return { find, serverState: server => states[server]! }
}

type Given = Partial<ActionsParts> & Partial<Pick<DrainOrdersParts, 'drains'>>

function testActions ({ drains, ...given }: Given = {}) {
  const calls: unknown[][] = []
  const noteDrain = (what: string) => async (server: Server, ...given: unknown[]) => {
    const check = given.pop() as (sql: Sql) => void
    check({} as Sql)
    calls.push([what, server.name, ...given])
  }
  const servers = testServers([8000, 8001], [{ name: 'red' }, { name: 'blue' }])
  const table = given.table ?? tableWith(client => client.w0 === CLIENT.w0 ? USER : undefined)
  const ask = given.ask ?? (async (ask: object) => {
    calls.push(['ask', ask])
    return { removedUsers: 3 }
  }) as unknown as ActionsParts['ask']
  const actions = new Actions({
    servers,
    trustedProxies: [],
    table,
    fleet: undefined,
    drainOrders: new DrainOrders({
      table,
      servers: given.servers ?? servers,
      ask,
      drains: drains ?? {
        of: () => undefined, put: noteDrain('put'), remove: noteDrain('remove'), order: () => DRAIN
      }
    }),
    denials: {
      deny: async denials => {
        calls.push(['deny', ...denials])
        return denials.map(({ kind, text, forMs: untilMs }): DenyEntry => ({ kind, text, untilMs }))
      },
      allow: async (kind, text) => {
        calls.push(['allow', kind, text])
        return text === '203.0.113.9' ? undefined : []
      }
    },
    inTurn: oneAtATime(),
    permit: { check: () => {}, act: async (_session, _needs, act) => await act() },
    audit: { add: async event => { calls.push(['audit', event]) } },
    ask,
    canSharePorts: false,
    ...given
  })
  return { actions, calls }
}

t.test('disconnect: denies first, then removes everywhere, then is on record', async t => {
  const { actions, calls } = testActions()
  await actions.disconnect(OPERATOR, { userId: ID.toUpperCase(), reason: 'rude', minutes: 2 })
  t.strictSame(calls, [
    ['deny', { kind: 'id', text: ID, reason: 'rude', by: 'ana', forMs: 120_000 }],
    ['ask', {
      type: 'disconnect', client: CLIENT, entries: [{ kind: 'id', text: ID, untilMs: 120_000 }]
    }],
    ['audit', {
      who: 'ana',
      action: 'disconnect',
      target: ID,
      detail: { reason: 'rude', minutes: 2, deny: true, server: 'blue' },
      address: '192.0.2.7'
    }]
  ])
})

t.test('disconnect: without a denial the visitor may come back at once', async t => {
  const { actions, calls } = testActions()
  await actions.disconnect(OPERATOR, { userId: ID, deny: false, address: true })
  t.match(calls, [
    ['ask', { type: 'disconnect', entries: undefined }],
    ['audit', { action: 'disconnect', detail: { deny: false } }]
  ])
})

t.test('disconnect: denies the address in one step with the id, since a new id is easy to get', async t => {
  const { actions, calls } = testActions()
  await actions.disconnect(OPERATOR, { userId: ID, address: true })
  t.match(calls.filter(([name]) => name === 'deny'), [
    ['deny', { kind: 'id', text: ID, forMs: undefined }, { kind: 'address', text: '198.51.100.3' }]
  ])
  t.match(calls.at(-1), ['audit', { detail: { address: '198.51.100.3', users: 3 } }])
})

t.test('disconnect: of IPv6 the address is its /64', async t => {
  const { actions, calls } = testActions({
    table: tableWith(() => ({ ...USER, address: parseAddress('2001:db8:1:2:3:4:5:6')! }))
  })
  const reached = await actions.disconnect(OPERATOR, { userId: ID, address: true })
  t.strictSame(reached, { denied: [ID, '2001:db8:1:2::/64'], users: 3 })
  t.match(calls.at(-1), ['audit', { detail: { address: '2001:db8:1:2::/64', users: 3 } }])
})

t.test('disconnect: not with a trusted proxy\'s address, nor with one\'s own unless forced', async t => {
  const seenFrom = (address: string) => testActions({
    trustedProxies: ['10.0.0.0/8', '2001:db8:1:2::1'],
    table: tableWith(() => ({ ...USER, address: parseAddress(address)! }))
  })
  for (const address of ['10.9.8.7', '2001:db8:1:2::99']) {
    for (const force of [false, true]) {
      const { actions, calls } = seenFrom(address)
      await t.rejects(actions.disconnect(OPERATOR, { userId: ID, address: true, force }),
        { code: 'not_acceptable_here', message: /trusted proxy/ }, address)
      t.strictSame(calls, [])
      await actions.disconnect(OPERATOR, { userId: ID })
      t.equal(calls.length, 3, 'the id alone can be denied')
    }
  }
  const { actions, calls } = seenFrom('192.0.2.7')
  await t.rejects(actions.disconnect(OPERATOR, { userId: ID, address: true }),
    { code: 'not_acceptable_here', message: /"force": true/ })
  t.strictSame(calls, [])
  await actions.disconnect(OPERATOR, { userId: ID, address: true, deny: false })
  await actions.disconnect(OPERATOR, { userId: ID, address: true, force: true })
  t.equal(calls.length, 5, 'not denied, or meant')
})

t.test('disconnect: who is malformed is 400, who is not here is 404, and nothing is done', async t => {
  const { actions, calls } = testActions()
  for (const [userId, code] of [
    ['nonsense', 'bad_request'],
    ['00000000-0000-0000-0000-000000000000', 'bad_request'],
    ['192.0.2.0/24', 'bad_request'],
    ['11111111-93d4-4c11-8a77-0b9e5d2f4a61', 'not_found'],
    ['203.0.113.5', 'not_found']
  ] as const) {
    await t.rejects(actions.disconnect(OPERATOR, { userId }), { code }, userId)
  }
  t.strictSame(calls, [])
})

t.test('deny: ids, addresses and ranges, here or not', async t => {
  const cases: Array<[target: object, kind: string, text: string]> = [
    [{ userId: ID }, 'id', ID],
    [{ userId: '203.0.113.9' }, 'address', '203.0.113.9'],
    [{ address: '::ffff:203.0.113.9' }, 'address', '203.0.113.9'],
    [{ address: '203.0.113.0/24' }, 'range', '203.0.113.0/24'],
    [{ address: '203.0.113.9/24' }, 'range', '203.0.113.0/24'],
    [{ address: '2001:DB8::9:1' }, 'range', '2001:db8::/64'],
    [{ userId: '2001:db8::9:1' }, 'range', '2001:db8::/64'],
    [{ address: '2001:db8::9:1/128' }, 'address', '2001:db8::9:1']
  ]
  for (const [target, kind, text] of cases) {
    const { actions, calls } = testActions()
    const told = kind === 'address' && text.includes(':') ? `${text}/128` : text
    t.strictSame(await actions.deny(OPERATOR, { ...target, minutes: 1 }),
      { denied: [told], users: 3 })
    t.match(calls, [
      ['deny', { kind, text, by: 'ana', forMs: 60_000 }],
      ['ask', { type: 'set-deny-list', entries: [{ kind, text }] }],
      ['audit', { action: 'deny', target: told, detail: { minutes: 1, users: 3 } }]
    ], text)
  }
})

t.test('deny: the address one acts from only with force', async t => {
  for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '192.0.2.0/24', '0.0.0.0/0']) {
    const { actions, calls } = testActions()
    await t.rejects(actions.deny(OPERATOR, { address }), { code: 'not_acceptable_here' }, address)
    t.strictSame(calls, [])
    await actions.deny(OPERATOR, { address, force: true })
    t.equal(calls.length, 3)
  }
})

t.test('deny: one target, and a well-formed one', async t => {
  const { actions, calls } = testActions()
  await t.rejects(actions.deny(OPERATOR, {}), { code: 'bad_request' })
  await t.rejects(actions.deny(OPERATOR, { userId: ID, address: '::1' }), { code: 'bad_request' })
  await t.rejects(actions.deny(OPERATOR, { address: 'nonsense' }), { code: 'USHER_DENY_ENTRY_INVALID' })
  t.strictSame(calls, [])
})

t.test('allow: takes a denial back; one that is not there is 404', async t => {
  const { actions, calls } = testActions()
  await actions.allow(OPERATOR, { userId: ID })
  t.match(calls, [
    ['allow', 'id', ID], ['ask', { type: 'set-deny-list' }], ['audit', { action: 'allow', target: ID }]
  ])
  await t.rejects(actions.allow(OPERATOR, { address: '203.0.113.9' }), { code: 'not_found' })
})

t.test('allow: an IPv6 address is what the same text denies, else the one address', async t => {
  const allowed: string[] = []
  const denied = new Set(['2001:db8::/64', '2001:db8::9'])
  const { actions, calls } = testActions({
    denials: {
      deny: async () => [],
      allow: async (_kind, text) => {
        if (!denied.delete(text)) return undefined
        allowed.push(text)
        return []
      }
    }
  })
  await actions.allow(OPERATOR, { address: '2001:db8::9' })
  await actions.allow(OPERATOR, { address: '2001:db8::9' })
  t.strictSame(allowed, ['2001:db8::/64', '2001:db8::9'])
  t.match(calls.at(-1), ['audit', { target: '2001:db8::9/128' }])
  await t.rejects(actions.allow(OPERATOR, { address: '2001:db8::9' }), { code: 'not_found' })
})

t.test('drain and ready: by name; stored, then applied, then on record', async t => {
  const { actions, calls } = testActions()
  const order = { note: 'new disk', minutes: 0 }
  await actions.drain(OPERATOR, 'blue', order)
  await actions.drain(OPERATOR, 'blue', { note: '', force: true })
  await actions.ready(OPERATOR, 'blue')
  t.strictSame(calls, [
    ['put', 'blue', order],
    ['ask', { type: 'set-drain', server: 1, drain: DRAIN }],
    ['audit', { who: 'ana', action: 'drain', target: 'blue', detail: order, address: '192.0.2.7' }],
    ['put', 'blue', { note: '', force: true }],
    ['ask', { type: 'set-drain', server: 1, drain: DRAIN }],
    ['audit', { who: 'ana', action: 'drain', target: 'blue', detail: {}, address: '192.0.2.7' }],
    ['remove', 'blue'],
    ['ask', { type: 'set-drain', server: 1, drain: DRAIN }],
    ['audit', { who: 'ana', action: 'ready', target: 'blue', detail: {}, address: '192.0.2.7' }]
  ])
  for (const act of [actions.drain(OPERATOR, '9', {}), actions.ready(OPERATOR, '9')]) {
    await t.rejects(act, { code: 'not_found', message: 'No server has the name 9; there are red, blue.' })
  }
})

t.test('drain: the last available server only when forced, or when it drains already', async t => {
  const check = async (
    states: readonly ServerState[], isDrained: boolean, force: boolean, isRefused: boolean
  ): Promise<void> => {
    const given = testActions({ table: tableWith(() => undefined, states) })
    const { calls } = given
    const drains = {
      of: () => isDrained ? { note: '', sinceMs: 0, movesFromMs: undefined } : undefined,
      order: () => DRAIN,
      remove: async () => {},
      put: async (_server: Server, _terms: object, check: (sql: Sql) => void) => {
        check({} as Sql)
      }
    }
    const { actions } = testActions({
      table: tableWith(() => undefined, states),
      drains,
      ask: (async (ask: object) => { calls.push(['ask', ask]) }) as unknown as ActionsParts['ask']
    })
    const drained = actions.drain(OPERATOR, 'red', { force })
    const what = [...states, isDrained, force].join()
    if (isRefused) {
      await t.rejects(drained, { code: 'not_acceptable_here', message: /last available/ }, what)
    } else await drained
    t.equal(calls.length, isRefused ? 0 : 1, what)
  }
  for (const other of ['starting', 'draining', 'down'] as const) {
    await check(['up', other], false, false, true)
    await check(['up', other], false, true, false)
    await check(['draining', other], true, false, false)
  }
  await check(['up', 'up'], false, false, false)
  await check(['down', 'up'], false, false, false)
  await check(['down', 'down'], false, false, true)
})

t.test('restart: on record once it is done; of the last server by force, if nobody serves meanwhile', async t => {
  const { actions, calls } = testActions()
  await actions.restart(OPERATOR, 'blue', false)
  t.match(calls, [
    ['ask', { type: 'restart-server', server: 1 }],
    ['audit', { action: 'restart', target: 'blue', detail: {} }]
  ])
  await t.rejects(actions.restart(OPERATOR, '9', true), { code: 'not_found' })
  const check = async (
    states: readonly ServerState[], given: Partial<ActionsParts>, isForced: boolean,
    isRefused: boolean
  ): Promise<void> => {
    const { actions, calls } = testActions({ table: tableWith(() => undefined, states), ...given })
    const restarted = actions.restart(OPERATOR, 'red', isForced)
    if (isRefused) await t.rejects(restarted, { code: 'not_acceptable_here', message: /"force"/ })
    else await restarted
    t.equal(calls.length, isRefused ? 0 : 2, states.join())
  }
  await check(['up', 'draining'], {}, false, true)
  await check(['up', 'draining'], {}, true, false)
  await check(['up', 'draining'], { canSharePorts: true }, false, false)
  await check(['draining', 'draining'], {}, false, false)
  await check(['up', 'up'], {}, false, false)
})

t.test('drain: maintenance is of a server that runs elsewhere, and on record', async t => {
  const servers = [...testServers([8000]), ...testExternal(1, ['shop'])]
  const { actions, calls } = testActions({ servers })
  await t.rejects(actions.drain(OPERATOR, '8000', { maintenance: true }), {
    code: 'not_acceptable_here', message: /^8000 is an own server/
  })
  t.same(calls, [])
  await actions.drain(OPERATOR, 'shop', { maintenance: true, note: 'new disk' })
  t.match(calls, [
    ['put', 'shop', { maintenance: true, note: 'new disk' }],
    ['ask', { type: 'set-drain', server: 1 }],
    ['audit', { action: 'drain', target: 'shop', detail: { note: 'new disk', maintenance: true } }]
  ])
})

t.test('restart: not of a server that runs elsewhere', async t => {
  const { actions, calls } = testActions({ servers: [...testServers([8000]), ...testExternal(1, ['shop'])] })
  await t.rejects(actions.restart(OPERATOR, 'shop', true), {
    code: 'not_acceptable_here', message: /^shop is an external server/
  })
  t.same(calls, [])
})

t.test('restart: holds up no other action, and is not on record when it fails', async t => {
  let fail = (_error: Error): void => {}
  const { actions, calls } = testActions({
    ask: (async ({ type }: { type: string }) => {
      if (type === 'restart-server') await new Promise((_resolve, reject) => { fail = reject })
      return { removedUsers: 0 }
    }) as unknown as ActionsParts['ask']
  })
  const restarted = actions.restart(OPERATOR, 'blue', false)
  await actions.deny(OPERATOR, { userId: ID })
  fail(new Error('does not boot'))
  await t.rejects(restarted, { message: 'does not boot' })
  t.match(calls, [['deny'], ['audit', { action: 'deny' }]])
})

t.test('actions: one at a time, in the order of asking; one that fails holds up no other', async t => {
  const order: string[] = []
  const { actions } = testActions({
    ask: (async ({ type }: { type: string }) => {
      order.push(`begin ${type}`)
      await new Promise(resolve => setImmediate(resolve))
      order.push(`end ${type}`)
      if (type === 'set-deny-list') throw new Error('a thread is gone')
      return { outcome: 'done' }
    }) as unknown as ActionsParts['ask']
  })
  const outcomes = await Promise.allSettled([
    actions.deny(OPERATOR, { userId: ID }),
    actions.disconnect(OPERATOR, { userId: ID })
  ])
  t.strictSame(order, [
    'begin set-deny-list', 'end set-deny-list', 'begin disconnect', 'end disconnect'
  ])
  t.strictSame(outcomes.map(({ status }) => status), ['rejected', 'fulfilled'])
})

/** Another node where the user is, and what it was told. */
function testFleet (isHere: boolean) {
  const told: unknown[][] = []
  const fleet: ActionsParts['fleet'] = {
    elsewhere: name => name.startsWith('elm/') ? { node: 'elm', server: name.slice(4) } : undefined,
    locate: async () => ({
      place: isHere ? { node: 'elm', server: '8000', address: USER.address } : undefined,
      missing: ['fir']
    }),
    remove: async (node, client) => {
      told.push(['remove', node, client])
      return 1
    },
    drain: async (...given) => { told.push(['drain', ...given]) }
  }
  return { fleet, told }
}

t.test('disconnect: a user of another node is removed there, and the audit says where', async t => {
  const { fleet, told } = testFleet(true)
  const { actions, calls } = testActions({ fleet, table: tableWith(() => undefined) })
  const reach = await actions.disconnect(OPERATOR, { userId: ID, deny: false })
  t.strictSame(reach, { denied: [], users: 1 })
  t.strictSame(told, [['remove', 'elm', CLIENT]])
  t.strictSame(calls, [['audit', {
    who: 'ana', action: 'disconnect', target: ID, detail: { deny: false, server: 'elm/8000' }, address: '192.0.2.7'
  }]])
})

t.test('disconnect: with a denial it is stored here, by the address that the other node knows', async t => {
  const { fleet, told } = testFleet(true)
  const { actions, calls } = testActions({ fleet, table: tableWith(() => undefined) })
  await actions.disconnect(OPERATOR, { userId: ID, address: true })
  t.match(calls.map(([name]) => name), ['deny', 'ask', 'audit'])
  t.match(calls[0], ['deny', { kind: 'id', text: ID }, { kind: 'address', text: '198.51.100.3' }])
  t.strictSame(told, [['remove', 'elm', CLIENT]])
})

t.test('disconnect: who is nowhere may be at a node that does not answer', async t => {
  const { fleet, told } = testFleet(false)
  const { actions } = testActions({ fleet, table: tableWith(() => undefined) })
  await t.rejects(actions.disconnect(OPERATOR, { userId: ID }),
    { code: 'not_found', message: /fir did not/ }
  )
  t.strictSame(told, [])
})

t.test('drain: of another node\'s server that node is told, of an own one this one', async t => {
  const { fleet, told } = testFleet(true)
  const { actions, calls } = testActions({ fleet })
  await actions.drain(OPERATOR, 'elm/8000', { minutes: 5 })
  await actions.ready(OPERATOR, 'elm/8000')
  t.strictSame(told, [['drain', 'elm', '8000', { minutes: 5 }], ['drain', 'elm', '8000', undefined]])
  t.match(calls, [
    ['audit', { action: 'drain', target: 'elm/8000', detail: { minutes: 5 } }],
    ['audit', { action: 'ready', target: 'elm/8000' }]
  ])
  await actions.drain(OPERATOR, 'oak/red', {})
  t.strictSame(told.length, 2)
  t.match(calls.slice(2).map(([name]) => name), ['put', 'ask', 'audit'])
})

t.test('drain: nobody drains another node\'s server without the right to', async t => {
  const { fleet, told } = testFleet(true)
  const refuse = new Error('no right')
  const { actions, calls } = testActions({
    fleet, permit: { check: () => { throw refuse }, act: async () => { throw refuse } }
  })
  await t.rejects(actions.drain(OPERATOR, 'elm/8000', {}), refuse)
  t.strictSame([told, calls], [[], []])
})
