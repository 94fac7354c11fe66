import t, { type Test } from 'tap'
import { parseOptions } from '@node-rs/argon2'
import { hashPassword, verifyPassword, type Verdict } from '../../src/credentials/password-hash.ts'

const PASSWORD = 'correct horse battery'
const HASH = hashPassword(PASSWORD)

/** The hashes that the library is really given, in place of 50 ms of work. */
async function testVerifying (t: Test, answer: () => boolean) {
  const verified: string[] = []
  const argon2 = await import('@node-rs/argon2')
  const verifySync = (hash: string): boolean => {
    verified.push(hash)
    return answer()
  }
  const mocked = await t.mockImport<{
    verifyPassword (hash: string | undefined, password: string): Verdict
  }>('../../src/credentials/password-hash.ts', { '@node-rs/argon2': { ...argon2, verifySync } })
  return { verified, verifyPassword: mocked.verifyPassword }
}

t.test('password hash: fits its own password and no other, and is never the same', async t => {
  t.match(HASH, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.not(hashPassword(PASSWORD), HASH)
  t.equal(verifyPassword(HASH, PASSWORD), 'right')
  for (const other of ['', 'correct horse batterY', `${PASSWORD} `, `${PASSWORD}\0`]) {
    t.equal(verifyPassword(HASH, other), 'wrong')
  }
})

t.test('password hash: a letter is the same letter, however its accent was typed', async t => {
  t.equal(verifyPassword(hashPassword('für Elise, leise'), 'fu\u0308r Elise, leise'), 'right')
})

t.test('password hash: without one, nothing is right, not even what fits the dummy', async t => {
  t.equal(verifyPassword(undefined, PASSWORD), 'wrong')
  t.equal(verifyPassword(undefined, ''), 'wrong')
  const { verified, verifyPassword: withDummy } = await testVerifying(t, () => true)
  t.equal(withDummy(undefined, PASSWORD), 'wrong')
  t.equal(verified.length, 1)
})

t.test('password hash: unknown, wrong and damaged are one verification of equal parameters', async t => {
  const cases: ReadonlyArray<[what: string, hash: string | undefined]> = [
    ['unknown', undefined], ['wrong', HASH], ['damaged', 'nonsense']
  ]
  for (const [what, hash] of cases) {
    const { verified, verifyPassword } = await testVerifying(t, () => false)
    verifyPassword(hash, 'another password')
    t.equal(verified.length, 1, what)
    t.same(parseOptions(verified[0]!), parseOptions(HASH), what)
  }
})

t.test('password hash: a damaged one is no error', async t => {
  const [, , , , salt, sum] = HASH.split('$')
  const withParameters = (parameters: string): string =>
    `$argon2id$v=19$${parameters}$${salt}$${sum}`
  const cases: ReadonlyArray<[hash: string, verdict: string]> = [
    ['', 'damaged'],
    ['nonsense', 'damaged'],
    [PASSWORD, 'damaged'],
    [`${HASH}!`, 'damaged'],
    [HASH.slice(0, HASH.lastIndexOf('$')), 'damaged'],
    ['$argon2id$v=19$m=1,t=2,p=1$x$y', 'damaged'],
    ['$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW', 'damaged'],
    [withParameters('m=4194304,t=2,p=1'), 'damaged'],
    [withParameters('m=19456,t=4000000,p=1'), 'damaged'],
    [withParameters('m=19456,t=2,p=255'), 'damaged'],
    [withParameters('m=19456,t=3,p=1'), 'wrong'],
    [HASH.slice(0, -3), 'wrong'] // Forty letters are thirty whole bytes.
  ]
  for (const [hash, verdict] of cases) t.equal(verifyPassword(hash, PASSWORD), verdict, hash)
})
