import t, { type Test } from 'tap'
import { foldCase } from '@usher/shared/fold-case.ts'
import { quote } from '@usher/shared/quote.ts'
import { Accounts, USERNAME_LENGTH_MAX } from '../../src/accounts/accounts.ts'
import { SessionStore } from '../../src/accounts/session-store.ts'
import { onFullDisk, readOnly, testDatabase, type TestDatabase } from '../fixtures/test-database.ts'

const HASH = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA'
/** Whoever else is left. */
const FORCED = { isForced: true }
const ORIGIN = { address: '192.0.2.7', userAgent: 'Browser/1.0' }

function testAccounts (t: Test): TestDatabase & { accounts: Accounts, sessions: SessionStore } {
  const opened = testDatabase(t)
  const options = { idleTimeoutMs: 1_800_000, lifetimeMs: 43_200_000, now: () => 1_790_000_000_000 }
  return {
    ...opened,
    accounts: new Accounts(opened.database),
    sessions: new SessionStore(opened.database, options)
  }
}

/** How many sessions the file holds. */
function sessionCount ({ other }: TestDatabase): unknown {
  return other.prepare('SELECT COUNT(*) FROM Sessions').pluck().get()
}

t.test('accounts: come back as they were added, also by another opening', async t => {
  const { accounts, reopen } = testAccounts(t)
  const anna = await accounts.add('Anna', HASH, 1, true)
  t.same(anna, {
    id: anna.id,
    username: 'Anna',
    passwordHash: HASH,
    permission: 1,
    mustChange: true,
    passwordUntilMs: undefined
  })
  const bert = await accounts.add('bert', 'other', -1, false)
  for (const store of [accounts, new Accounts(reopen())]) {
    t.same(await store.find('Anna'), anna)
    t.same(await store.list(), [anna, bert])
  }
})

t.test('accounts: are found and unique without regard to case', async t => {
  const { accounts } = testAccounts(t)
  const cases: ReadonlyArray<[added: string, same: string[], others: string[]]> = [
    ['Anna', ['anna', 'ANNA', 'aNNa'], ['Ann', 'Annaa', 'Änna', 'An%', 'A_na']],
    ['Jürgen Öz', ['jürgen öz', 'JÜRGEN ÖZ', 'Ju\u0308rgen O\u0308z'], ['Jurgen Oz']],
    ['ΟΔΥΣΣΕΥΣ', ['οδυσσευς', 'οδυσσευσ'], ['οδυσσευ']],
    ['Straße', ['STRASSE', 'straße'], ['Strase']],
    ['用户', ['用户'], ['用']],
    ["o'b -- ;", ["O'B -- ;"], ["o'b"]]
  ]
  for (const [added, same, others] of cases) {
    const { id } = await accounts.add(added, HASH, 0, false)
    for (const name of same) {
      await t.rejects(accounts.add(name, HASH, 1, false), { code: 'USHER_ACCOUNT_EXISTS', statusCode: 409 })
      t.equal(foldCase(name), foldCase(added))
      if (!/^[ -~]*$/.test(name) || /^[ -~]*$/.test(added)) t.equal((await accounts.find(name))?.id, id, name)
    }
    for (const name of others) t.equal(await accounts.find(name), undefined, name)
  }
})

t.test('accounts: names are printable and not too long', async t => {
  const { accounts } = testAccounts(t)
  const refused = ['', ' ', ' anna', 'anna ', 'anna\n', 'an\u0000na', 'an\u001bna', 'an\u007fna',
    'an\u0085na', 'an\u2028na', 'an\u202ena', 'an\u200bna', '\ud800anna', '\u00a0anna',
    'x'.repeat(USERNAME_LENGTH_MAX + 1), '😀'.repeat(USERNAME_LENGTH_MAX + 1)]
  for (const name of refused) {
    await t.rejects(accounts.add(name, HASH, 0, false), {
      code: 'USHER_ACCOUNT_NAME_INVALID', statusCode: 400
    })
    t.equal(await accounts.find(name), undefined)
  }
  for (const name of ['an\u3164na', 'an\u115fna', 'an\u034fna', 'an\ufe0fna', 'an\u2800na', 'an\u{e0100}na',
    'an\u2066na', 'an\u200fna', 'an\u00a0na', 'an\u3000na']) {
    await t.rejects(accounts.add(name, HASH, 0, false), { code: 'USHER_ACCOUNT_NAME_INVALID' }, quote(name))
  }
  for (const name of ['x', 'x'.repeat(USERNAME_LENGTH_MAX), '😀'.repeat(USERNAME_LENGTH_MAX),
    '<b>anna</b>', '__proto__', 'a b']) {
    t.equal((await accounts.add(name, HASH, 0, false)).username, name)
    t.equal((await accounts.find(name))?.username, name)
  }
})

t.test('accounts: a permission that does not exist is refused, a new one counts at once', async t => {
  const { accounts, sessions, other } = testAccounts(t)
  const anna = await accounts.add('Anna', HASH, 1, false)
  const token = await sessions.open(anna, ORIGIN)
  for (const number of [2, -2, 0.5, NaN]) {
    const expected = { code: 'USHER_PERMISSION_UNKNOWN', statusCode: 400 }
    await t.rejects(accounts.setPermission(anna.id, number, true), expected)
    await t.rejects(accounts.add('bert', HASH, number, false), expected)
  }
  t.equal(await accounts.find('bert'), undefined)
  const cases = [[0, true, false], [-1, false, false], [1, true, true]] as const
  for (const [number, canView, canDisconnect] of cases) {
    await accounts.setPermission(anna.id, number, true)
    t.match(await sessions.current(token), { permission: number, canView, canDisconnect })
  }
  other.exec('INSERT INTO Permissions VALUES (2, 0, 1)')
  await accounts.setPermission(anna.id, 2, true)
  t.match(await sessions.current(token), { permission: 2, canView: false, canDisconnect: true })
  other.pragma('foreign_keys = OFF')
  other.exec('DELETE FROM Permissions')
  t.match(await sessions.current(token), { permission: 2, canView: false, canDisconnect: false })
})

t.test('accounts: another password ends the sessions', async t => {
  const opened = testAccounts(t)
  const { accounts, sessions } = opened
  const anna = await accounts.add('Anna', HASH, 1, true)
  const bert = await accounts.add('Bert', HASH, 0, false)
  const tokens = [await sessions.open(anna, ORIGIN), await sessions.open(anna, ORIGIN)]
  const berts = await sessions.open(bert, ORIGIN)
  await accounts.setPassword(anna.id, 'second', false)
  for (const token of tokens) t.equal(await sessions.current(token), undefined)
  t.match(await accounts.find('anna'), { passwordHash: 'second', mustChange: false })
  await accounts.setPassword(anna.id, 'third', true)
  t.match(await sessions.current(berts), { username: 'Bert' })
  t.match(await accounts.find('anna'), { passwordHash: 'third', mustChange: true })
  t.equal(sessionCount(opened), 1)
})

t.test('accounts: the last administrator stays unless forced, whoever asks first', async t => {
  const { accounts, reopen } = testAccounts(t)
  const elsewhere = new Accounts(reopen())
  const [anna, bert] = [await accounts.add('Anna', HASH, 1, false), await accounts.add('Bert', HASH, 1, false)]
  const last = { code: 'USHER_LAST_ADMINISTRATOR', statusCode: 409, message: /"Bert"/ }
  t.equal(await accounts.setPermission(anna.id, 0, false), 1, 'tells what it had')
  await t.rejects(elsewhere.remove(bert.id, { isForced: false }), last)
  await t.rejects(elsewhere.setPermission(bert.id, 0, false), last)
  t.match(await accounts.list(), [{ permission: 0 }, { permission: 1 }], 'nothing is half done')
  t.equal(await elsewhere.setPermission(bert.id, 1, false), 1, 'one that stays is no loss')
  await accounts.remove(anna.id, { isForced: false })
  await elsewhere.setPermission(bert.id, 0, true)
  await elsewhere.remove(bert.id, { isForced: false })
  t.same(await accounts.list(), [], 'where there is none, none is lost')
})

t.test('accounts: the first is put where there is none, or where its password has expired unchanged', async t => {
  const { accounts, sessions, reopen } = testAccounts(t)
  const elsewhere = new Accounts(reopen())
  const first = { username: 'admin', passwordHash: 'one', permission: 1, madeUpUntilMs: 1000 }
  const again = { ...first, passwordHash: 'two', madeUpUntilMs: undefined }
  t.equal(await accounts.needsFirst(0), true)
  const admin = (await accounts.putFirst(first, 0))!
  t.match(admin, { passwordHash: 'one', mustChange: true, passwordUntilMs: 1000 })
  t.equal(await elsewhere.putFirst(again, 0), undefined, 'whoever comes second makes none')
  const token = await sessions.open(admin, ORIGIN)
  for (const [nowMs, isNeeded] of [[999, false], [1000, true]] as const) {
    t.equal(await accounts.needsFirst(nowMs), isNeeded, `${nowMs}`)
  }
  const bert = await elsewhere.add('Bert', HASH, 1, false)
  t.equal(await accounts.needsFirst(1000), false, 'another administers')
  t.equal(await accounts.putFirst(again, 1000), undefined)
  await elsewhere.setPermission(bert.id, 0, false)
  t.match(await accounts.putFirst(again, 1000),
    { id: admin.id, passwordHash: 'two', mustChange: false, passwordUntilMs: undefined })
  t.match(await accounts.find('admin'), { passwordHash: 'two', mustChange: false })
  t.equal(await sessions.current(token), undefined)
  t.equal(await accounts.needsFirst(Number.MAX_SAFE_INTEGER), false)
})

t.test('accounts: one that is removed for its password is so while that stands', async t => {
  const { accounts } = testAccounts(t)
  const { id } = await accounts.add('Anna', HASH, 1, true)
  const removal = { isForced: true, checkedHash: HASH }
  await accounts.setPassword(id, 'theirs', false)
  await t.rejects(accounts.remove(id, removal), { code: 'USHER_ACCOUNT_CHANGED' })
  t.match(await accounts.list(), [{ passwordHash: 'theirs' }])
})

t.test('accounts: what another process changes is seen at once', async t => {
  const { accounts, sessions, reopen } = testAccounts(t)
  const anna = await accounts.add('Anna', HASH, 1, false)
  const token = await sessions.open(anna, ORIGIN)
  const outside = new Accounts(reopen())
  await outside.setPermission(anna.id, 0, true)
  t.match(await sessions.current(token), { permission: 0, canDisconnect: false })
  await outside.setPassword(anna.id, 'new', false)
  t.equal(await sessions.current(token), undefined)
  const next = await sessions.open({ ...anna, passwordHash: 'new' }, ORIGIN)
  await outside.remove(anna.id, FORCED)
  t.equal(await sessions.current(next), undefined)
  t.equal(await accounts.find('Anna'), undefined)
})

t.test('accounts: a removed one takes its sessions along and never comes back', async t => {
  const opened = testAccounts(t)
  const { accounts, sessions } = opened
  const anna = await accounts.add('Anna', HASH, 1, false)
  const token = await sessions.open(anna, ORIGIN)
  await accounts.remove(anna.id, FORCED)
  t.equal(sessionCount(opened), 0)
  const again = await accounts.add('Anna', HASH, 1, false)
  t.not(again.id, anna.id)
  t.equal(await sessions.current(token), undefined)
  const gone = { code: 'USHER_ACCOUNT_UNKNOWN', statusCode: 404 }
  await t.rejects(accounts.remove(anna.id, FORCED), gone)
  await t.rejects(accounts.setPassword(anna.id, 'x', false), gone)
  await t.rejects(accounts.setPermission(anna.id, 0, true), gone)
})

t.test('accounts: a change and the end of the sessions are one, or none', async t => {
  const opened = testAccounts(t)
  const { accounts, sessions, other } = opened
  const anna = await accounts.add('Anna', HASH, 1, false)
  const token = await sessions.open(anna, ORIGIN)
  other.exec("CREATE TRIGGER Stuck BEFORE DELETE ON Sessions BEGIN SELECT RAISE(ABORT, 'stuck'); END")
  await t.rejects(accounts.setPassword(anna.id, 'second', true), { message: 'stuck' })
  await t.rejects(accounts.remove(anna.id, FORCED), { message: 'stuck' })
  t.match(await accounts.find('Anna'), { passwordHash: HASH, mustChange: false })
  t.match(await sessions.current(token), { username: 'Anna' })
})

t.test('accounts: on a full disk or one to read only a change is 503 and nothing changes', async t => {
  const { path, accounts } = testAccounts(t)
  const anna = await accounts.add('Anna', HASH, 1, false)
  const disk = onFullDisk(t, path)
  const onFull = new Accounts(disk.database)
  const failed = { code: 'USHER_DATABASE_FAILED', statusCode: 503 }
  const long = 'x'.repeat(10_000)
  await t.rejects(onFull.add('Bert', long, 0, false), failed)
  await t.rejects(onFull.setPassword(anna.id, long, false), failed)
  t.same(await onFull.list(), [anna], 'who is there can log in')
  disk.makeRoom()
  await onFull.add('Bert', long, 0, false)
  const readonly = new Accounts(readOnly(t, path))
  await t.rejects(readonly.setPermission(anna.id, 0, true), failed)
  await t.rejects(readonly.remove(anna.id, FORCED), failed)
  t.same(await readonly.find('Anna'), anna)
})
