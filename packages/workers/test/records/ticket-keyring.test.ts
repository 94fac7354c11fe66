/** The keys for tickets: made once, kept, and each published for long enough before and after. */
import t, { type Test } from 'tap'
import { sharedTicketKeys } from '@usher/shared/tickets/shared-keys.ts'
import type { TicketKeys } from '@usher/shared/tickets/ticket.ts'
import {
  PUBLISHED_AFTER_MS, PUBLISHED_BEFORE_MS, SIGNS_FOR_MS, TicketKeyring
} from '../../src/records/ticket-keyring.ts'
import { readOnly, testDatabase } from '../fixtures/test-database.ts'

const NOW_MS = 1_800_000_000_000

function testKeyring (t: Test) {
  const opened = testDatabase(t)
  const clock = { nowMs: NOW_MS }
  const told: TicketKeys[] = []
  const errors: unknown[] = []
  const outcome: { failure: Error | undefined } = { failure: undefined }
  const keyringOf = (database = opened.database): TicketKeyring => {
    const keyring = new TicketKeyring({
      database,
      now: () => clock.nowMs,
      tell: keys => {
        told.push(keys)
        return outcome.failure === undefined ? Promise.resolve() : Promise.reject(outcome.failure)
      },
      log: { debug () {}, error: (...line: unknown[]) => { errors.push(line) } }
    })
    t.teardown(() => { keyring.close() })
    return keyring
  }
  return { ...opened, clock, told, errors, outcome, keyringOf, keyring: keyringOf() }
}

t.test('keyring: in a fleet it tells the keys of the fleet, and stores nothing', async t => {
  const { database, clock, told } = testKeyring(t)
  const fleet = { clusterSecret: 'a'.repeat(32), clusterName: 'usher' }
  const keyring = new TicketKeyring({
    database,
    sharedKeys: nowMs => sharedTicketKeys(fleet, nowMs),
    now: () => clock.nowMs,
    tell: async keys => { told.push(keys) },
    log: { debug () {}, error () {} }
  })
  t.teardown(() => { keyring.close() })
  await keyring.start()
  await keyring.look()
  t.strictSame(told, [sharedTicketKeys(fleet, clock.nowMs)])
  clock.nowMs += SIGNS_FOR_MS
  await keyring.look()
  t.strictSame(told.slice(1), [sharedTicketKeys(fleet, clock.nowMs)])
  t.strictSame(await database.read(sql => sql.ticketKeys()), [])
})

const namesOf = ({ signing, published }: TicketKeys): [string, string[]] =>
  [signing.kid, published.map(({ kid }) => kid)]

t.test('keyring: the first start makes one, and the next finds it', async t => {
  const { keyring, keyringOf, told, reopen } = testKeyring(t)
  await keyring.start()
  const [first] = told
  t.equal(first!.published.length, 1)
  t.equal(first!.signing.kid, first!.published[0]!.kid)
  t.notOk('d' in first!.published[0]!)
  await keyring.look()
  t.equal(told.length, 1, 'is told once')
  await keyringOf(reopen()).start()
  t.strictSame(told[1], first)
})

t.test('keyring: a key is published an hour before it signs, and an hour after', async t => {
  const { keyring, clock, told } = testKeyring(t)
  await keyring.start()
  const first = told[0]!.signing.kid
  const at = async (ms: number): Promise<[string, string[]]> => {
    clock.nowMs = NOW_MS + ms
    await keyring.look()
    return namesOf(told.at(-1)!)
  }
  t.strictSame(await at(SIGNS_FOR_MS - PUBLISHED_BEFORE_MS - 1), [first, [first]])
  const [, [, second = '']] = await at(SIGNS_FOR_MS - PUBLISHED_BEFORE_MS)
  t.not(second, first)
  t.strictSame(await at(SIGNS_FOR_MS - 1), [first, [first, second]])
  t.strictSame(await at(SIGNS_FOR_MS), [second, [first, second]])
  t.strictSame(await at(SIGNS_FOR_MS + PUBLISHED_AFTER_MS - 1), [second, [first, second]])
  t.strictSame(await at(SIGNS_FOR_MS + PUBLISHED_AFTER_MS), [second, [second]])
  for (let day = 2; day < 30; day++) await at(day * SIGNS_FOR_MS + PUBLISHED_AFTER_MS)
  t.ok(namesOf(told.at(-1)!)[1].length <= 2, 'they do not pile up')
})

t.test('keyring: after a long stop the old key signs until the new one is known', async t => {
  const { keyring, keyringOf, clock, told, reopen } = testKeyring(t)
  await keyring.start()
  const first = told[0]!.signing.kid
  clock.nowMs += 10 * SIGNS_FOR_MS
  const restarted = keyringOf(reopen())
  await restarted.start()
  const [signing, published] = namesOf(told.at(-1)!)
  t.equal(signing, first)
  t.equal(published.length, 2)
  clock.nowMs += PUBLISHED_BEFORE_MS
  await restarted.look()
  t.strictSame(namesOf(told.at(-1)!), [published[1], published])
})

t.test('keyring: keys that a wrong clock has made are dropped', async t => {
  const { keyring, keyringOf, clock, told, reopen } = testKeyring(t)
  clock.nowMs += 365 * SIGNS_FOR_MS
  await keyring.start()
  const wrong = told[0]!.signing.kid
  clock.nowMs = NOW_MS
  const restarted = keyringOf(reopen())
  await restarted.start()
  const [signing, published] = namesOf(told.at(-1)!)
  t.strictSame(published, [signing])
  t.not(signing, wrong)
})

t.test('keyring: while the database takes nothing, a key of this thread signs', async t => {
  const { path, keyringOf, told, errors, reopen } = testKeyring(t)
  const restrained = keyringOf(readOnly(t, path))
  await restrained.start()
  await restrained.look()
  t.equal(told.length, 1)
  t.strictSame(errors, [])
  await keyringOf().start()
  await keyringOf(reopen()).start()
  t.strictSame(told[2], told[1])
  t.not(told[1]!.signing.kid, told[0]!.signing.kid)
})

t.test('keyring: who could not be told is told again', async t => {
  const { keyring, told, errors, outcome } = testKeyring(t)
  outcome.failure = new Error('too slow')
  await keyring.start()
  t.equal(errors.length, 1)
  outcome.failure = undefined
  await keyring.look()
  t.strictSame(told[1], told[0])
  await keyring.look()
  t.equal(told.length, 2)
})

t.test('keyring: a stop in the midst of it is no error', async t => {
  const { keyring, database, errors } = testKeyring(t)
  const starting = keyring.start()
  keyring.close()
  database.close()
  await starting
  t.strictSame(errors, [])
})
