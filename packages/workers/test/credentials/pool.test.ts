/** Passwords verified by threads of their own, with an end to the queue. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { hashPassword } from '../../src/credentials/password-hash.ts'
import { CredentialsPool, QUEUE_MAX } from '../../src/credentials/pool.ts'

const ENTRY = fileURLToPath(new URL('../../src/credentials/main.ts', import.meta.url))
const FIXTURE = fileURLToPath(new URL('./fixtures/mortal-entry.mjs', import.meta.url))
const PASSWORD = 'correct horse battery'

t.test('credentials pool: right, wrong, unknown and damaged', async t => {
  const pool = new CredentialsPool(ENTRY)
  t.teardown(() => pool.close())
  const hash = await pool.hash(PASSWORD)
  t.match(hash, /^\$argon2id\$/)
  t.equal(await pool.verify(hash, PASSWORD), true)
  t.equal(await pool.verify(hash, 'another one altogether'), false)
  t.equal(await pool.verify(undefined, PASSWORD), false)
  t.equal(await pool.verify('damaged', PASSWORD), false)
})

t.test('credentials pool: of 200 at once the queue takes its share, the rest is told at once', async t => {
  const pool = new CredentialsPool(ENTRY)
  t.teardown(() => pool.close())
  const hash = hashPassword(PASSWORD)
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, () => pool.verify(hash, PASSWORD)))
  const taken = outcomes.filter(({ status }) => status === 'fulfilled')
  t.equal(taken.length, QUEUE_MAX + 1)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') t.match(outcome.reason, { code: 'USHER_CREDENTIALS_BUSY' })
  }
  t.equal(await pool.verify(hash, PASSWORD), true, 'and afterwards all is well')
})

t.test('credentials pool: a thread that dies fails its login and is replaced', async t => {
  const pool = new CredentialsPool(FIXTURE)
  t.teardown(() => pool.close())
  await t.rejects(pool.verify('die', PASSWORD))
  t.equal(await pool.verify('live', PASSWORD), true)
})

t.test('credentials pool: a close ends what is under way, and one that never began', async t => {
  const pool = new CredentialsPool(ENTRY)
  const running = pool.verify(hashPassword(PASSWORD), PASSWORD)
  const settled = running.then(() => 'done', () => 'rejected')
  await pool.close()
  t.ok(['done', 'rejected'].includes(await settled))
  await new CredentialsPool(ENTRY).close()
})
