import t from 'tap'
import { passwordProblem } from '../../src/accounts/password-policy.ts'

const SHORT = 'The password is shorter than 12 characters.'
const LONG = 'The password is longer than 1024 bytes.'
const NAME = "The password is the account's name."
const NO_TEXT = 'The password has control characters or is not valid text.'

t.test('password policy: length, name and text, each at its edge', async t => {
  const cases: ReadonlyArray<[password: string, username: string, problem: string | undefined]> = [
    ['', 'anna', SHORT],
    ['12345678901', 'anna', SHORT],
    ['123456789012', 'anna', undefined],
    ['            ', 'anna', undefined],
    ['😀'.repeat(11), 'anna', SHORT],
    ['😀'.repeat(12), 'anna', undefined],
    ['u\u0308'.repeat(11), 'anna', SHORT],
    ['x'.repeat(1024), 'anna', undefined],
    ['x'.repeat(1025), 'anna', LONG],
    ['é'.repeat(513), 'anna', LONG],
    ['administrator', 'administrator', NAME],
    ['ADMINistrator', 'administrator', NAME],
    ['annaANNAanna', 'anna', NAME],
    ['administrator1', 'administrator', undefined],
    ['Jürgen Müller', 'JU\u0308RGEN MÜLLER', NAME],
    ['123456789012', '', undefined],
    ['correct\u0000horse battery', 'anna', NO_TEXT],
    ['correct\nhorse battery', 'anna', NO_TEXT],
    ['correct\ud800horse battery', 'anna', NO_TEXT],
    ['пароль из слов', 'anna', undefined]
  ]
  for (const [password, username, problem] of cases) {
    const what = JSON.stringify([password.slice(0, 30), username])
    t.equal(passwordProblem(password, username), problem, what)
  }
})

t.test('password policy: what it says shows nothing of the password', async t => {
  for (const password of ['secret', `secret${'x'.repeat(1024)}`, 'secret\nhorse battery']) {
    t.notMatch(passwordProblem(password, 'anna'), /secret/)
  }
})
