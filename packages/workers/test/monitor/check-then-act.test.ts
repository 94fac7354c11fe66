/**
 * Every check that awaits before it acts, walked through the bad interleaving step by step: what
 * was checked ends while something is waited for, and then nothing is done. Real stores over one
 * file, a verifier that the test holds, and the account command's own opening of the file.
 */
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { silentLog } from '@usher/shared/log.ts'
import { Accounts, type Account } from '../../src/accounts/accounts.ts'
import type { CurrentSession } from '../../src/accounts/session-store.ts'
import { hashToken, sessionHandle } from '../../src/accounts/session-token.ts'
import { DrainOrders } from '../../src/monitor/operator/drain-orders.ts'
import { Actions, type ActionsParts, type Operator } from '../../src/monitor/operator/operator-actions.ts'
import { Logins, type LoginsParts } from '../../src/monitor/operator/logins.ts'
import { openStores, type Stores } from '../../src/monitor/stores.ts'
import { testServers } from '../../../shared/test/settings/test-servers.ts'
import { testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const ADDRESS = parseAddress('192.0.2.7')!
const FROM = { address: ADDRESS, userAgent: 'a browser' }
const ORIGIN = { address: '192.0.2.7', userAgent: 'a browser' }
const HASH = 'hash of the old password'
const CHANGE = { current: 'the old password', next: 'correct horse battery' }
const ENDED = { code: 'USHER_SESSION_ENDED' }
const WITHDRAWN = { code: 'USHER_RIGHT_WITHDRAWN' }
const UNKNOWN = { code: 'USHER_TOKEN_UNKNOWN' }
const CHANGED = { code: 'USHER_ACCOUNT_CHANGED' }

const UNBOUNDED: LoginsParts['throttle'] = { begin: () => ({ kind: 'go', end () {} }) }

interface Steps extends TestDatabase {
  readonly stores: Stores
  readonly logins: Logins
  readonly actions: Actions
  readonly anna: Account
  /** The account command: another process with the same file. */
  readonly command: Accounts
  /** What the coordinator was asked for. */
  readonly asked: string[]
  /** Each lets what is under way go on: verifications, and answers of the coordinator. */
  readonly held: Array<() => void>
  /** A session of Anna's, and its token. */
  logIn (): Promise<{ token: string, session: CurrentSession, operator: Operator }>
  audited (): Promise<string[]>
}

const SERVERS = testServers([8000], [{ name: 'red' }])

async function steps (t: Test): Promise<Steps> {
  const opened = testDatabase(t)
  const stores = await openStores(opened.database, {
    sessionIdleTimeoutMs: 1_800_000,
    sessionLifetimeMs: 43_200_000,
    servers: SERVERS,
    log: silentLog(),
    wallNow: Date.now,
    now: () => performance.now()
  })
  t.teardown(() => stores.close())
  const { accounts, sessions, denials, drains, audit, permit } = stores
  const anna = await accounts.add('Anna', HASH, 1, false)
  const held: Array<() => void> = []
  const asked: string[] = []
  const hold = async <T>(value: T): Promise<T> => {
    await new Promise<void>(resolve => { held.push(resolve) })
    return value
  }
  const ask = async ({ type }: { type: string }): Promise<unknown> => {
    asked.push(type)
    return await hold({ outcome: 'done', removedUsers: 0 })
  }
  const logins = new Logins({
    accounts,
    sessions,
    audit,
    credentials: {
      verify: async (hash, password) => await hold(hash === `hash of ${password}`),
      hash: async password => `hash of ${password}`
    },
    throttle: UNBOUNDED,
    passwordThrottle: UNBOUNDED,
    lines: {
      logIn: (_attempt, work) => work(), withSession: (_attempt, work) => work(), remember () {}
    },
    count: () => {},
    now: stores.steadyNow
  })
  const table: ActionsParts['table'] = {
    find: () => ({ address: ADDRESS, server: 0 }) as never, serverState: () => 'up'
  }
  const actions = new Actions({
    table,
    servers: SERVERS,
    trustedProxies: [],
    denials,
    fleet: undefined,
    drainOrders: new DrainOrders({
      table, servers: SERVERS, drains, ask: ask as unknown as ActionsParts['ask']
    }),
    audit,
    permit,
    ask: ask as unknown as ActionsParts['ask'],
    inTurn: stores.inTurn,
    canSharePorts: false
  })
  return {
    ...opened,
    stores,
    logins,
    actions,
    anna,
    command: new Accounts(opened.reopen()),
    asked,
    held,
    async logIn () {
      const token = await sessions.open((await accounts.find('anna'))!, ORIGIN)
      const session = (await sessions.current(token))!
      return { token, session, operator: { caller: session, address: ADDRESS } }
    },
    audited: async () => (await audit.page(undefined, 100)).entries.map(({ action }) => action)
  }
}

/** Until so many wait. */
async function waiting (held: readonly unknown[], count = 1): Promise<void> {
  while (held.length < count) await setImmediate()
}

function release (held: Array<() => void>): void {
  for (const goOn of held.splice(0)) goOn()
}

t.test('a password that is reset while a change is verified stays as it was reset', async t => {
  const { stores, logins, command, anna, held, logIn, audited } = await steps(t)
  const { session } = await logIn()
  const changing = logins.changePassword(session, CHANGE, FROM)
  await waiting(held)
  await command.setPassword(anna.id, 'the reset one', false)
  release(held)
  await t.rejects(changing, CHANGED)
  t.match(await stores.accounts.find('anna'), { passwordHash: 'the reset one' })
  t.same(await stores.sessions.list(anna.id), [])
  t.same(await audited(), [])
})

t.test('of two changes with the same old password one succeeds', async t => {
  const { stores, logins, held, logIn, anna } = await steps(t)
  const [first, second] = [await logIn(), await logIn()]
  const changes = [
    logins.changePassword(first.session, CHANGE, FROM),
    logins.changePassword(second.session, { ...CHANGE, next: 'another horse battery' }, FROM)
  ] as const
  await waiting(held, 2)
  release(held)
  const next = await changes[0]
  await t.rejects(changes[1], CHANGED)
  t.match(await stores.accounts.find('anna'), { passwordHash: `hash of ${CHANGE.next}` })
  t.match(await stores.sessions.current(next), { username: 'Anna' })
  for (const { token } of [first, second]) t.equal(await stores.sessions.current(token), undefined)
  t.equal((await stores.sessions.list(anna.id)).length, 1)
})

t.test('a session that is ended while its change of password is verified changes nothing', async t => {
  const { stores, logins, held, logIn } = await steps(t)
  const { token, session } = await logIn()
  const changing = logins.changePassword(session, CHANGE, FROM)
  await waiting(held)
  await stores.sessions.close(token)
  release(held)
  await t.rejects(changing, ENDED)
  t.match(await stores.accounts.find('anna'), { passwordHash: HASH })
})

t.test('a login that is verified while the password is reset, or the account removed, opens nothing', async t => {
  const { stores, logins, command, anna, held, audited } = await steps(t)
  const changes = [
    () => command.setPassword(anna.id, HASH + ' again', false),
    () => command.remove(anna.id, { isForced: true })
  ]
  for (const [at, change] of changes.entries()) {
    const password = at === 0 ? CHANGE.current : `${CHANGE.current} again`
    const loggingIn = logins.logIn('anna', password, FROM)
    await waiting(held)
    await change()
    release(held)
    await waiting(held) // It is verified against what stands now.
    release(held)
    t.equal(await loggingIn, undefined)
    t.same(await stores.sessions.list(anna.id), [])
  }
  t.same([...new Set(await audited())], ['login-failed'])
})

t.test('an administrator is removed in one step with the look for others', async t => {
  const { command, stores, anna, other } = await steps(t)
  const bert = await command.add('Bert', HASH, 1, false)
  // Both wait for the same lock, as two commands do that were started together.
  other.exec('BEGIN IMMEDIATE')
  const demoting = command.setPermission(bert.id, 0, false)
  const removing = stores.accounts.remove(anna.id, { isForced: false })
  other.exec('COMMIT')
  const outcomes = await Promise.allSettled([demoting, removing])
  t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.equal((await stores.accounts.list()).filter(({ permission }) => permission === 1).length, 1)
})

type Act = (actions: Actions, who: Operator) => Promise<unknown>
type End = (steps: Steps, token: string) => Promise<unknown>

/** What an operator may do. */
const ACTS: ReadonlyArray<[what: string, act: Act]> = [
  ['deny', (actions, who) => actions.deny(who, { userId: ID })],
  ['disconnect', (actions, who) => actions.disconnect(who, { userId: ID })],
  ['disconnect without a denial', (actions, who) => actions.disconnect(who, { userId: ID, deny: false })],
  ['drain', (actions, who) => actions.drain(who, 'red', { force: true })],
  ['ready', (actions, who) => actions.ready(who, 'red')]
]

/** What ends what an operator was allowed when the request came. */
const ENDS: ReadonlyArray<[what: string, end: End, error: { code: string }]> = [
  ['demoted', ({ command, anna }) => command.setPermission(anna.id, 0, true), WITHDRAWN],
  ['removed', ({ command, anna }) => command.remove(anna.id, { isForced: true }), ENDED],
  ['given another password', ({ command, anna }) => command.setPassword(anna.id, 'x', false), ENDED],
  ['logged out', ({ stores }, token) => stores.sessions.close(token), ENDED]
]

for (const [what, end, error] of ENDS) {
  t.test(`whoever is ${what} meanwhile does nothing more: queued behind another action`, async t => {
    for (const [name, act] of ACTS) {
      const given = await steps(t)
      const { actions, stores, asked, held, logIn } = given
      const { token, operator } = await logIn()
      const earlier = actions.deny(operator, { address: '203.0.113.9' })
      await waiting(held)
      const queued = act(actions, operator)
      await end(given, token)
      release(held)
      await earlier
      await t.rejects(queued, error, name)
      t.same(asked, ['set-deny-list'], name)
      t.match(await stores.denials.list(), [{ text: '203.0.113.9' }], name)
      t.equal((await given.audited()).filter(action => action !== 'deny').length, 0, name)
    }
  })

  t.test(`whoever is ${what} meanwhile does nothing more: its body came last`, async t => {
    for (const [name, act] of [...ACTS, ['allow', (actions: Actions, who: Operator) =>
      actions.allow(who, { address: '203.0.113.9' })] as const]) {
      const given = await steps(t)
      const { actions, stores, asked, logIn } = given
      const { token, operator } = await logIn()
      await stores.denials.deny([
        { kind: 'address', text: '203.0.113.9', reason: '', by: 'x', forMs: undefined }
      ], () => {})
      await end(given, token)
      await t.rejects(act(actions, operator), error, name)
      t.same(asked, [], name)
      t.equal((await stores.denials.list()).length, 1, name)
    }
  })
}

t.test('a denial that waits for a locked database is not done by who is demoted until then', async t => {
  const { actions, stores, other, anna, asked, logIn } = await steps(t)
  const { operator } = await logIn()
  other.exec('BEGIN IMMEDIATE')
  const denying = actions.deny(operator, { userId: ID })
  other.prepare('UPDATE UserPassPerm SET Perm = 0 WHERE ID = ?').run(anna.id)
  other.exec('COMMIT')
  await t.rejects(denying, WITHDRAWN)
  t.same(await stores.denials.list(), [])
  t.same(asked, [])
})

type TokenEnd = (steps: Steps, id: number) => Promise<unknown>

const TOKEN_ENDS: ReadonlyArray<[what: string, end: TokenEnd, error: { code: string }]> = [
  ['revoked', ({ stores }, id) => stores.tokens.revoke(id, () => {}), UNKNOWN],
  ['of one who is demoted', ({ command, anna }) => command.setPermission(anna.id, 0, true), WITHDRAWN],
  ['of one who is removed', ({ command, anna }) => command.remove(anna.id, { isForced: true }), UNKNOWN]
]

for (const [what, end, error] of TOKEN_ENDS) {
  t.test(`a program whose token is ${what} meanwhile does nothing more`, async t => {
    for (const [name, act] of ACTS) {
      const given = await steps(t)
      const { actions, stores, anna, asked, held, logIn } = given
      const { token, id } = await stores.tokens.make(
        anna.id, { name: 'a', scopes: ['disconnect', 'drain'] }, () => {})
      const caller = await stores.tokens.find(token, '192.0.2.7')
      const earlier = actions.deny((await logIn()).operator, { address: '203.0.113.9' })
      await waiting(held)
      const queued = act(actions, { caller, address: ADDRESS })
      await end(given, id)
      release(held)
      await earlier
      await t.rejects(queued, error, name)
      t.same(asked, ['set-deny-list'], name)
      t.equal((await given.audited()).filter(action => action !== 'deny').length, 0, name)
    }
  })
}

t.test('a program does what its token is for, and nothing else', async t => {
  const { actions, stores, anna, asked, held, audited } = await steps(t)
  const { token } = await stores.tokens.make(anna.id, { name: 'a', scopes: ['drain'] }, () => {})
  const who = { caller: await stores.tokens.find(token, '192.0.2.7'), address: ADDRESS }
  await t.rejects(actions.deny(who, { userId: ID }), WITHDRAWN)
  const draining = actions.drain(who, 'red', { force: true })
  await waiting(held)
  release(held)
  await draining
  t.same(asked, ['set-drain'])
  t.same(await audited(), ['drain'])
})

t.test('a session that has ended ends no other', async t => {
  const { stores, logins, logIn, audited } = await steps(t)
  const [asking, other] = [await logIn(), await logIn()]
  await stores.sessions.close(asking.token)
  await t.rejects(
    logins.endSession(asking.session, sessionHandle(hashToken(other.token)), FROM), ENDED)
  t.ok(await stores.sessions.current(other.token))
  t.same(await audited(), [])
})
