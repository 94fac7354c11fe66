import { readFileSync } from 'node:fs'
import t from 'tap'
import { passwordProblem } from '../src/password-policy.ts'

const SHORT = 'The password is shorter than 12 characters.'
const LONG = 'The password is longer than 1024 bytes.'
const WORDS = "The password is the account's name, or words that are tried first, with nothing but " +
  'digits and signs beside them.'
const COMMON = 'The password is one of the most common ones.'
const NO_TEXT = 'The password has control characters or is not valid text.'

t.test('password policy: length, name and text, each at its edge', async t => {
  const cases: ReadonlyArray<[password: string, username: string, problem: string | undefined]> = [
    ['', 'anna', SHORT],
    ['12345678901', 'anna', SHORT],
    ['7204 1189 3356', 'anna', undefined],
    ['            ', 'anna', undefined],
    ['😀'.repeat(11), 'anna', SHORT],
    ['😀'.repeat(12), 'anna', undefined],
    ['u\u0308'.repeat(11), 'anna', SHORT],
    ['x'.repeat(1024), 'anna', undefined],
    ['x'.repeat(1025), 'anna', LONG],
    ['é'.repeat(513), 'anna', LONG],
    ['administrator', 'administrator', WORDS],
    ['ADMINistrator', 'administrator', WORDS],
    ['annaANNAanna', 'anna', WORDS],
    ['administrator1', 'anna', WORDS],
    ['administrator1', 'admin', WORDS],
    ['Anna-Usher-2026!', 'anna', WORDS],
    ['usher console', 'bert', WORDS],
    ['Monitor der Anna', 'anna', undefined],
    ['anna und bert', '', undefined],
    ['Jürgen Müller', 'JU\u0308RGEN MÜLLER', WORDS],
    ['7204 1189 3356', '', undefined],
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

t.test('password policy: those that are tried first are refused, however their case', async t => {
  const list = readFileSync(new URL('../src/common-passwords.txt', import.meta.url), 'utf8')
  const common = list.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  t.equal(common.length, 3000, 'as many as OWASP ASVS 6.2.4 asks for')
  t.equal(new Set(common).size, common.length)
  t.same(common.filter(password => !/^[!-~]{12,}$/.test(password)), [], 'others are refused anyway')
  for (const password of common) {
    for (const typed of [password, password.toUpperCase()]) {
      if (passwordProblem(typed, 'anna') === undefined) t.fail(typed)
    }
  }
  for (const password of ['1qaz2wsx3edc', 'qwerty123456', '123456789012', 'Q1W2E3R4T5Y6']) {
    t.equal(passwordProblem(password, 'anna'), COMMON, password)
  }
  for (const password of ['1qaz2wsx3edc!', 'my qwerty123456', 'correct horse battery']) {
    t.equal(passwordProblem(password, 'anna'), undefined, password)
  }
})
