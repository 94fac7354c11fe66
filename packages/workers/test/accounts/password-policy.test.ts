/** Which passwords are refused, and by which sentence. */
import t from 'tap'
import { passwordProblem } from '../../src/accounts/password-policy.ts'

t.test('password policy: too short, too long, the name, no text', async t => {
  const cases: Array<[password: string, problem: RegExp | undefined]> = [
    ['', /fewer than 12/],
    ['a'.repeat(11), /fewer than 12/],
    ['a'.repeat(12), undefined],
    ['ü'.repeat(11), /fewer than 12/],
    ['🎭'.repeat(11), /fewer than 12/],
    ['🎭'.repeat(12), undefined],
    ['correct horse battery', undefined],
    ['a'.repeat(1024), undefined],
    ['a'.repeat(1025), /more than 1024 bytes/],
    ['ü'.repeat(513), /more than 1024 bytes/],
    ['operator-name', /the account's name/],
    ['Operator-NAME', /the account's name/],
    ['operator-names', undefined],
    ['lone \ud800 surrogate', /not valid text/]
  ]
  for (const [password, problem] of cases) {
    const found = passwordProblem(password, 'operator-name')
    if (problem === undefined) t.equal(found, undefined, password.slice(0, 30))
    else t.match(found, problem, password.slice(0, 30))
  }
})
