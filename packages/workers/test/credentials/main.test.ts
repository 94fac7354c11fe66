import t from 'tap'
import carryOut from '../../src/credentials/main.ts'

const PASSWORD = 'correct horse battery'

t.test('credentials: a task is one hash or one verification', async t => {
  const hash = carryOut({ type: 'hash', password: PASSWORD })
  t.match(hash, /^\$argon2id\$/)
  t.equal(carryOut({ type: 'verify', hash, password: PASSWORD }), 'right')
  t.equal(carryOut({ type: 'verify', hash, password: 'another one' }), 'wrong')
  t.equal(carryOut({ type: 'verify', hash: undefined, password: PASSWORD }), 'wrong')
  t.equal(carryOut({ type: 'verify', hash: 'nonsense', password: PASSWORD }), 'damaged')
})
