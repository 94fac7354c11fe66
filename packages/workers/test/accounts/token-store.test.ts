/** Tokens of programs: what they stand for, and how long. */
import t, { type Test } from 'tap'
import { SCOPES, TOKEN_DAYS, type NewToken } from '@usher/shared/api/tokens.ts'
import { Accounts, type Account } from '../../src/accounts/accounts.ts'
import { hashToken, makeToken } from '../../src/accounts/session-token.ts'
import { TokenStore, TOKENS_MAX, USE_WRITE_INTERVAL_MS } from '../../src/accounts/token-store.ts'
import { CURRENT_TOKEN } from '../../src/database/statements.ts'
import { bytesOf, readOnly, testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const START_MS = 1_790_000_000_000
const DAY_MS = 86_400_000
const FROM = '192.0.2.7'
const WANTED: NewToken = { name: 'shop-a', scopes: ['report', 'view'] }
const UNKNOWN = { code: 'USHER_TOKEN_UNKNOWN' }
const EXPIRED = { code: 'USHER_TOKEN_EXPIRED' }

interface TestTokens extends TestDatabase {
  readonly clock: { nowMs: number }
  readonly tokens: TokenStore
  readonly accounts: Accounts
  readonly anna: Account
}

async function testTokens (t: Test): Promise<TestTokens> {
  const opened = testDatabase(t)
  const clock = { nowMs: START_MS }
  const accounts = new Accounts(opened.database)
  await accounts.add('Bert', 'hash', 1, false)
  const anna = await accounts.add('Anna', 'hash', 1, false)
  const tokens = new TokenStore(opened.database, () => clock.nowMs)
  return { ...opened, clock, accounts, anna, tokens }
}

async function make (
  { tokens, anna }: TestTokens, wanted: Partial<NewToken> = {}
): Promise<{ token: string, id: number }> {
  return await tokens.make(anna.id, { ...WANTED, ...wanted }, () => {})
}

function usesIn ({ other }: TestDatabase): unknown[] {
  return other.prepare('SELECT LastUsed, LastAddress FROM Tokens').all()
}

t.test('tokens: one stands for its scopes and for what its maker may, other texts for nobody', async t => {
  const given = await testTokens(t)
  const { tokens, anna, accounts } = given
  const { token, id } = await make(given)
  t.match(token, /^usher_[\w-]{43}$/)
  const expected = {
    accountId: anna.id,
    username: 'Anna',
    permission: 1,
    canView: true,
    canDisconnect: true,
    mustChange: false,
    tokenId: id,
    tokenName: 'shop-a',
    scopes: ['view', 'report']
  }
  t.strictSame(await tokens.find(token, FROM), expected)
  for (const text of ['', 'usher_', `usher_${makeToken()}`, token.slice(0, -1), `${token} `, hashToken(token)]) {
    await t.rejects(tokens.find(text, FROM), UNKNOWN, text)
  }
  await accounts.setPermission(anna.id, 0, true)
  t.match(await tokens.find(token, FROM), { permission: 0, canDisconnect: false })
  await accounts.setPassword(anna.id, 'another', false)
  t.ok(await tokens.find(token, FROM), 'a new password of its maker changes nothing')
  await accounts.remove(anna.id, { isForced: true })
  await t.rejects(tokens.find(token, FROM), UNKNOWN, 'it falls with its maker')
  t.strictSame(await tokens.list(), [])
})

t.test('tokens: the token is nowhere in the files, its hash is', async t => {
  const given = await testTokens(t)
  const { token } = await make(given)
  await given.tokens.find(token, FROM)
  const written = bytesOf(given.path)
  t.ok(written.includes(hashToken(token)), 'what is looked for can be found')
  t.notOk(written.includes(token))
  t.notOk(written.includes(token.slice(6)))
})

t.test('tokens: one is good until it expires, and is said to have expired after that', async t => {
  const given = await testTokens(t)
  const { tokens, clock } = given
  const [short, usual] = [await make(given, { days: 1 }), await make(given, { name: 'b' })]
  clock.nowMs = START_MS + DAY_MS - 1
  t.ok(await tokens.find(short.token, FROM))
  clock.nowMs++
  await t.rejects(tokens.find(short.token, FROM), { ...EXPIRED, message: /"shop-a" has expired/ })
  t.match(await tokens.list(), [{ tokenName: 'b' }, { tokenName: 'shop-a', expiresInMs: 0 }])
  clock.nowMs = START_MS + TOKEN_DAYS * DAY_MS - 1
  t.ok(await tokens.find(usual.token, FROM))
  await tokens.removeExpired()
  await t.rejects(tokens.find(short.token, FROM), UNKNOWN, 'a month later it is forgotten')
  t.match(await tokens.list(), [{ tokenName: 'b', expiresInMs: 1 }])
})

t.test('tokens: a clock that is set back between two runs extends none', async t => {
  const given = await testTokens(t)
  const { clock, database, tokens } = given
  const { token } = await make(given)
  t.equal(await database.read(sql => sql.sessionClockMs()), START_MS)
  clock.nowMs += 5000
  await tokens.find(token, FROM)
  t.equal(await database.read(sql => sql.sessionClockMs()), START_MS + 5000)
})

t.test('tokens: a use is listed at once and written once a minute, however many there are', async t => {
  const given = await testTokens(t)
  const { tokens, clock } = given
  const { token } = await make(given)
  t.match(await tokens.list(), [{ lastUse: undefined, createdAgoMs: 0 }])
  await tokens.find(token, FROM)
  t.strictSame(usesIn(given), [{ LastUsed: START_MS, LastAddress: FROM }])
  clock.nowMs += USE_WRITE_INTERVAL_MS - 1
  for (let count = 0; count < 100; count++) await tokens.find(token, '::1')
  t.strictSame(usesIn(given), [{ LastUsed: START_MS, LastAddress: FROM }])
  t.match(await tokens.list(), [{ lastUse: { agoMs: 0, address: '::1' } }])
  clock.nowMs++
  await tokens.find(token, '::2')
  const writtenMs = START_MS + USE_WRITE_INTERVAL_MS
  t.strictSame(usesIn(given), [{ LastUsed: writtenMs, LastAddress: '::2' }])
  clock.nowMs += 5
  await tokens.find(token, '::3')
  await tokens.save()
  t.strictSame(usesIn(given), [{ LastUsed: writtenMs + 5, LastAddress: '::3' }], 'and at the end')
  const later = new TokenStore(given.reopen(), () => clock.nowMs + 10)
  t.match(await later.list(), [{ lastUse: { agoMs: 10, address: '::3' } }], 'a restart keeps it')
  t.match(await later.find(token, FROM), { tokenName: 'shop-a' })
})

t.test('tokens: one is found while the database cannot be written', async t => {
  const given = await testTokens(t)
  const { token } = await make(given)
  const tokens = new TokenStore(readOnly(t, given.path), () => given.clock.nowMs)
  t.ok(await tokens.find(token, FROM))
  t.match(await tokens.list(), [{ lastUse: { address: FROM } }])
})

t.test('tokens: a revoked one is refused at once, also to what waits for its turn', async t => {
  const given = await testTokens(t)
  const { tokens, database } = given
  const [a, b] = [await make(given), await make(given, { name: 'b' })]
  await tokens.find(a.token, FROM)
  t.match(await database.read(sql => tokens.currentAt(sql, a.id)), { tokenName: 'shop-a' })
  t.equal(await tokens.revoke(a.id, () => {}), 'shop-a')
  await t.rejects(tokens.find(a.token, FROM), UNKNOWN)
  await t.rejects(database.read(sql => tokens.currentAt(sql, a.id)), UNKNOWN)
  t.ok(await tokens.find(b.token, FROM))
  t.equal(await tokens.revoke(a.id, () => {}), undefined)
  const again = await make(given)
  t.ok(again.id > b.id, 'its number is never another\'s')
})

t.test('tokens: what may not be done is not done', async t => {
  const given = await testTokens(t)
  const { tokens, anna } = given
  const { id } = await make(given)
  const refuse = (): never => { throw new Error('no') }
  await t.rejects(tokens.make(anna.id, { ...WANTED, name: 'b' }, refuse), { message: 'no' })
  await t.rejects(tokens.revoke(id, refuse), { message: 'no' })
  t.match(await tokens.list(), [{ tokenName: 'shop-a' }])
})

t.test('tokens: no two have one name, whatever its case', async t => {
  const given = await testTokens(t)
  await make(given, { name: 'Straße' })
  for (const name of ['Straße', 'STRAßE', 'straße']) {
    await t.rejects(make(given, { name }), { code: 'USHER_TOKEN_EXISTS', message: /a token ".*" already/ }, name)
  }
  await make(given, { name: 'Straßen' })
})

t.test('tokens: there are so many at most, and a revoked one makes room', async t => {
  const given = await testTokens(t)
  for (let at = 0; at < TOKENS_MAX; at++) await make(given, { name: `token ${at}`, scopes: SCOPES })
  await t.rejects(make(given), { code: 'USHER_TOKENS_FULL', message: /there are 200 tokens/ })
  const [first] = await given.tokens.list()
  await given.tokens.revoke(first!.tokenId, () => {})
  await make(given)
})

t.test('tokens: one is looked up by its key, not by reading through them', async t => {
  const { other } = await testTokens(t)
  const plan = other.prepare(`EXPLAIN QUERY PLAN ${CURRENT_TOKEN}`).all('x') as Array<{ detail: string }>
  for (const { detail } of plan) t.match(detail, /^SEARCH/)
})
