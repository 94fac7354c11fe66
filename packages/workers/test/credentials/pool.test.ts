import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { hashPassword } from '../../src/credentials/password-hash.ts'
import {
  CredentialsPool, QUEUE_MAX, type CredentialsPoolOptions
} from '../../src/credentials/pool.ts'
import { hasChrt } from '../fixtures/has-chrt.ts'

const PASSWORD = 'correct horse battery'
const RUNNING = 1

function fileOf (path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}

const ENTRY = fileOf('../../src/credentials/main.ts')
const CRASHING = fileOf('fixtures/crashing-credentials.mjs')

function testPool (
  t: Test, file = ENTRY, options: CredentialsPoolOptions = {}
): CredentialsPool {
  const pool = new CredentialsPool(file, options)
  t.teardown(() => pool.close())
  return pool
}

/** How each came out: its value, or its code. */
async function outcomesOf (tasks: ReadonlyArray<Promise<unknown>>): Promise<readonly unknown[]> {
  const settled = await Promise.allSettled(tasks)
  return settled.map(outcome =>
    outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as { code: string }).code)
}

/** For the tests that do not harm it: under the test runner a thread's start takes seconds. */
const lines: unknown[] = []
const shared = testPool(t, ENTRY, { log: { error: (...line: unknown[]) => { lines.push(line) } } })

t.test('credentials pool: right, wrong and nobody', async t => {
  const hash = await shared.hash(PASSWORD)
  t.match(hash, /^\$argon2id\$/)
  t.equal(await shared.verify(hash, PASSWORD), true)
  t.equal(await shared.verify(hash, 'another one altogether'), false)
  t.equal(await shared.verify(undefined, PASSWORD), false)
  t.same(lines, [])
})

t.test('credentials pool: a damaged hash is a wrong password, and a line in the log', async t => {
  t.equal(await shared.verify('damaged', PASSWORD, 'anna'), false)
  t.match(lines, [[{ username: 'anna' }, /a stored password hash is damaged/]])
  t.notMatch(JSON.stringify(lines), new RegExp(PASSWORD))
})

t.test('credentials pool: of 200 at once, what the queue holds is done, the rest refused', async t => {
  const hash = hashPassword(PASSWORD)
  let done = 0
  const all = Array.from({ length: 200 }, async () => {
    const isRight = await shared.verify(hash, PASSWORD)
    done++
    return isRight
  })
  const refused = await outcomesOf(all.slice(RUNNING + QUEUE_MAX))
  t.same(new Set(refused), new Set(['USHER_CREDENTIALS_BUSY']))
  t.equal(done, 0, 'who is refused waits for nobody')
  const taken = await outcomesOf(all.slice(0, RUNNING + QUEUE_MAX))
  t.equal(taken.length, 33)
  t.same(new Set(taken), new Set([true]))
  t.equal(await shared.verify(hash, PASSWORD), true, 'and there is room again')
})

t.test('credentials pool: the queue is first come, first served', async t => {
  const pool = testPool(t, CRASHING)
  const order: number[] = []
  await Promise.all(Array.from({ length: 5 }, async (_, each) => {
    await pool.verify('x', PASSWORD)
    order.push(each)
  }))
  t.same(order, [0, 1, 2, 3, 4])
})

t.test('credentials pool: busy and failed are of status 503', async t => {
  const pool = testPool(t, CRASHING)
  const all = Array.from({ length: RUNNING + QUEUE_MAX }, () => pool.verify('x', 'x'))
  await t.rejects(pool.verify('x', 'x'), { code: 'USHER_CREDENTIALS_BUSY', statusCode: 503 })
  await Promise.all(all)
  await t.rejects(pool.verify('throw', 'x'), {
    code: 'USHER_CREDENTIALS_FAILED', statusCode: 503, message: /as told/
  })
})

t.test('credentials pool: a thread that dies fails one login, the next in the queue go on', async t => {
  const pool = testPool(t, CRASHING)
  const before = await pool.hash('')
  const logins = [pool.verify('die', 'x'), pool.verify('a', 'a'), pool.verify('a', 'b')]
  t.same(await outcomesOf(logins), ['USHER_CREDENTIALS_FAILED', true, false])
  t.not(await pool.hash(''), before, 'by another thread')
})

t.test('credentials pool: a thread that hangs is ended when the time is over', async t => {
  const deadlines: AbortController[] = []
  const pool = testPool(t, CRASHING, {
    newDeadline () {
      const deadline = new AbortController()
      deadlines.push(deadline)
      return deadline.signal
    }
  })
  for (const how of ['hang', 'wait']) {
    const before = await pool.hash('')
    const [hung, behind] = [pool.verify(how, 'x'), pool.verify('a', 'a')]
    deadlines.at(-2)!.abort()
    t.same(await outcomesOf([hung, behind]), Array(2).fill('USHER_CREDENTIALS_FAILED'))
    t.not(await pool.hash(''), before, 'by another thread')
  }
})

t.test('credentials pool: a thread that cannot start fails its logins, and so do later ones', async t => {
  const pool = testPool(t, fileOf('fixtures/there-is-none.mjs'))
  for (let each = 0; each < 3; each++) {
    t.same(await outcomesOf([pool.verify('a', 'a')]), ['USHER_CREDENTIALS_FAILED'])
  }
})

t.test('credentials pool: tells where a thread keeps its slices, as chrt does not work',
  async t => {
    const newsOf = async (file: string): Promise<number> => {
      let news = 0
      const pool = testPool(t, file, { onKeepsSlices () { news++ } })
      t.equal(await pool.verify(undefined, PASSWORD), false)
      return news
    }
    t.equal(await newsOf(fileOf('fixtures/chrtless-worker.ts')), 1)
    t.equal(await newsOf(ENTRY), hasChrt() ? 0 : 1)
  })

t.test('credentials pool: closes with work under way, which fails', async t => {
  for (const how of ['a', 'hang', 'wait']) {
    const pool = testPool(t, CRASHING)
    await pool.hash('')
    const logins = outcomesOf([pool.verify(how, 'x'), pool.verify('a', 'x'), pool.hash('')])
    await Promise.all([pool.close(), pool.close()])
    t.same(await logins, Array(3).fill('USHER_CREDENTIALS_FAILED'), how)
  }
})

t.test('credentials pool: closes before its threads have started, and without any', async t => {
  const pool = testPool(t)
  const login = outcomesOf([pool.verify(undefined, PASSWORD)])
  await pool.close()
  t.same(await login, ['USHER_CREDENTIALS_FAILED'])
  const unused = testPool(t)
  await unused.close()
  await t.rejects(unused.verify(undefined, PASSWORD), { code: 'USHER_CREDENTIALS_FAILED' })
})

t.test('credentials pool: works inside of a worker thread, which ends by itself', async t => {
  const worker = new Worker(new URL('fixtures/pool-worker.ts', import.meta.url), {
    workerData: { file: ENTRY, password: PASSWORD }
  })
  const exited = once(worker, 'exit')
  t.same(await once(worker, 'message'), [true])
  t.same(await exited, [0])
})
