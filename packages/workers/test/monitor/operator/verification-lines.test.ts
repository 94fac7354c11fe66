/** Whose password is verified next, while strangers flood the login. */
import t from 'tap'
import { setImmediate } from 'node:timers/promises'
import { parseAddress } from '@usher/shared/client.ts'
import { FAMILIAR_MAX, VerificationLines, type Attempt } from '../../../src/monitor/operator/verification-lines.ts'

const OWNER = attempt('198.51.100.7', 'admin')

function attempt (address: string, username: string): Attempt {
  return { address: parseAddress(address)!, username }
}

/** The one thread that verifies: takes what was posted in its order, one at a time, when told. */
function testThread () {
  const posted: Array<{ name: string, done: () => void }> = []
  return {
    posted,
    work: (name: string) => () => new Promise<string>(resolve => {
      posted.push({ name, done: () => { resolve(name) } })
    }),
    /** The names of the next so many, in the order in which they are verified. */
    async run (count: number): Promise<string[]> {
      const names: string[] = []
      while (names.length < count) {
        await setImmediate()
        const next = posted.shift()
        if (next === undefined) return names
        names.push(next.name)
        next.done()
      }
      return names
    }
  }
}

function outcomeOf (work: Promise<string>): Promise<string> {
  return work.catch(error => (error as { code: string }).code)
}

type Flood = (
  lines: VerificationLines, work: (name: string) => () => Promise<string>
) => Array<Promise<string>>

/** Three hundred at once, from addresses of one kind or another. */
function flood (addressOf: (each: number) => string): Flood {
  return (lines, work) => Array.from({ length: 300 }, (_, each) =>
    outcomeOf(lines.logIn(attempt(addressOf(each), `name ${each}`), work('flood'))))
}

const FLOODS: Readonly<Record<string, Flood>> = {
  'one address': flood(() => '203.0.113.9'),
  'one /24': flood(each => `203.0.113.${each % 250}`),
  'one /48 of IPv6': flood(each => `2001:db8:1:${each.toString(16)}::1`),
  'ten addresses': flood(each => `203.0.${each % 10}.1`)
}

for (const [name, start] of Object.entries(FLOODS)) {
  void t.test(`verification lines: a flood from ${name} keeps no stranger out`, async t => {
    const lines = new VerificationLines()
    const thread = testThread()
    const flooded = start(lines, thread.work)
    const owner = outcomeOf(lines.logIn(OWNER, thread.work('owner')))
    const verified = await thread.run(100)
    t.equal(await owner, 'owner')
    t.ok(verified.length <= 34, 'the line is as long as it may be')
    t.equal((await Promise.all(flooded)).filter(outcome => outcome === 'USHER_CREDENTIALS_BUSY').length,
      300 - verified.length + 1, 'the rest is told to come back')
  })
}

t.test('verification lines: whoever logged in from there before is next, even from everywhere', async t => {
  const lines = new VerificationLines()
  const thread = testThread()
  lines.remember(OWNER)
  const flooded = flood(each => `203.${each}.113.9`)(lines, thread.work)
  const same = flood(() => '198.51.100.7')(lines, thread.work)
  const owner = outcomeOf(lines.logIn(OWNER, thread.work('owner')))
  t.strictSame(await thread.run(2), ['flood', 'owner'])
  t.equal(await owner, 'owner')
  await thread.run(100)
  await Promise.all([...flooded, ...same])
})

t.test('verification lines: whoever has a session is in no line of logins', async t => {
  const lines = new VerificationLines()
  const thread = testThread()
  const flooded = flood(each => `203.${each}.113.9`)(lines, thread.work)
  const familiar = Array.from({ length: 20 }, (_, each) => {
    const from = attempt(`192.0.2.${each}`, 'admin')
    lines.remember(from)
    return outcomeOf(lines.logIn(from, thread.work('familiar')))
  })
  const change = outcomeOf(lines.withSession(OWNER, thread.work('change')))
  t.strictSame(await thread.run(3), ['flood', 'familiar', 'change'])
  t.equal(await change, 'change')
  await thread.run(100)
  await Promise.all([...flooded, ...familiar])
})

t.test('verification lines: a name in another case is the same account; what was used longest ago is forgotten', async t => {
  const lines = new VerificationLines()
  const thread = testThread()
  const isNext = async (from: Attempt): Promise<boolean> => {
    const flooded = flood(() => '203.0.113.9')(lines, thread.work)
    const one = outcomeOf(lines.logIn(from, thread.work('one')))
    const [, second] = await thread.run(2)
    await thread.run(100)
    await Promise.all([...flooded, one])
    return second === 'one'
  }
  lines.remember(OWNER)
  t.equal(await isNext({ ...OWNER, username: 'ADMIN' }), true)
  t.equal(await isNext({ ...OWNER, username: 'ben' }), false, 'another account from there')
  for (let each = 1; each < FAMILIAR_MAX; each++) lines.remember({ ...OWNER, username: `n${each}` })
  t.equal(await isNext(OWNER), true)
  lines.remember({ ...OWNER, username: 'one more' })
  t.equal(await isNext(OWNER), false)
})
