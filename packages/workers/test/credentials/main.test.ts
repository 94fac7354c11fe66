/** What a thread of the pool answers; no account and a wrong password are the same work. */
import t from 'tap'
import carryOut from '../../src/credentials/main.ts'
import { hashPassword } from '../../src/credentials/password-hash.ts'

t.test('credentials: a task is one hash or one verification', async t => {
  const hash = carryOut({ type: 'hash', password: 'correct horse battery' })
  t.match(hash, /^\$argon2id\$/)
  t.equal(carryOut({ type: 'verify', hash: String(hash), password: 'correct horse battery' }), true)
  t.equal(carryOut({ type: 'verify', hash: undefined, password: 'correct horse battery' }), false)
})

t.test('credentials: nobody is verified against a hash of the same parameters', async t => {
  const verified: string[] = []
  const mocked = await t.mockImport<{ default: typeof carryOut }>(
    '../../src/credentials/main.ts', {
      '../../src/credentials/password-hash.ts': {
        hashPassword,
        isPasswordOf: (hash: string) => {
          verified.push(hash)
          return true
        }
      }
    })
  t.equal(mocked.default({ type: 'verify', hash: undefined, password: 'x' }), false, 'even if it fits')
  const parameters = (hash: string): string => hash.split('$').slice(0, 4).join('$')
  t.strictSame(verified.map(parameters), [parameters(hashPassword('x'))])
  t.equal(verified[0]!.length, hashPassword('x').length)
})
