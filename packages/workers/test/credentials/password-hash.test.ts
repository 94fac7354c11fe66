/** Hashes of passwords, there and back. */
import t from 'tap'
import { hashPassword, isPasswordOf } from '../../src/credentials/password-hash.ts'

t.test('password hash: fits its own password and no other', async t => {
  const hash = hashPassword('correct horse battery')
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.equal(isPasswordOf(hash, 'correct horse battery'), true)
  t.equal(isPasswordOf(hash, 'correct horse batterY'), false)
  t.equal(isPasswordOf(hash, ''), false)
  t.not(hashPassword('correct horse battery'), hash, 'salted')
})

t.test('password hash: one letter is one letter, however it was typed', async t => {
  t.equal(isPasswordOf(hashPassword('für elise heute'), 'fu\u0308r elise heute'), true)
})

t.test('password hash: a damaged one fits nothing', async t => {
  const whole = hashPassword('correct horse battery')
  for (const damaged of ['', 'nonsense', whole.slice(0, -5), `${whole}!`, '$argon2id$v=19$m=1,t=2,p=1$x$y']) {
    t.equal(isPasswordOf(damaged, 'correct horse battery'), false, damaged)
  }
})
