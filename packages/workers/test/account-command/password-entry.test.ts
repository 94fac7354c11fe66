import t from 'tap'
import { enterPassword } from '../../src/account-command/password-entry.ts'
import { pipe, terminal } from '../fixtures/account-streams.ts'

const GOOD = 'correct horse battery'
const SHORT = 'The password is shorter than 12 characters.'
const NOTHING = 'No password was given.'

t.test('password entry: the first line of standard input', async t => {
  const bytes = Buffer.from('пароль из слов\n')
  const cases: ReadonlyArray<[chunks: ReadonlyArray<string | Buffer>, password: string]> = [
    [[`${GOOD}\n`], GOOD],
    [[GOOD], GOOD],
    [[`${GOOD}\r\n`], GOOD],
    [[`${GOOD}\nanother line\n`], GOOD],
    [['correct ', 'horse battery', '\nmore'], GOOD],
    [[` ${GOOD} \n`], ` ${GOOD} `],
    [[`\ufeff${GOOD}\n`], GOOD],
    [[bytes.subarray(0, 3), bytes.subarray(3)], 'пароль из слов']
  ]
  for (const [chunks, password] of cases) {
    const { streams, printed, complained } = pipe(...chunks)
    t.equal(await enterPassword(streams, 'anna'), password, JSON.stringify(chunks))
    t.same([printed(), complained()], ['', ''])
  }
})

t.test('password entry: what standard input may not hold', async t => {
  const cases: ReadonlyArray<[chunks: ReadonlyArray<string | Buffer>, message: string | RegExp]> = [
    [[], 'No password came from standard input.'],
    [['\n', GOOD], SHORT],
    [['short\n'], SHORT],
    [['administrator\n'], /account's name, or words that are tried first/],
    [[Buffer.from([...Buffer.from(GOOD), 0xff, 0x0a])], 'The password is not valid text: it must be UTF-8.'],
    [['x'.repeat(2000)], 'The password is longer than 1024 bytes.'],
    [Array<string>(100).fill('x'.repeat(1000)), 'The password is longer than 1024 bytes.']
  ]
  for (const [chunks, message] of cases) {
    const { streams } = pipe(...chunks)
    await t.rejects(enterPassword(streams, 'administrator'), { code: 'USHER_ACCOUNT_REFUSED', message })
  }
})

t.test('password entry: a terminal is asked twice and shows nothing of it', async t => {
  const { streams, printed, complained, isRaw } = terminal(`${GOOD}\r`, `${GOOD}\r`)
  const entered = enterPassword(streams, 'anna')
  t.equal(isRaw(), true, 'the terminal itself does not echo')
  t.equal(await entered, GOOD)
  t.equal(isRaw(), false, 'and does again afterwards')
  t.equal(printed(), '')
  t.match(complained(), /New password for anna:[^\n]*\n[^\n]*Repeat the password:[^\n]*\n$/)
  t.notMatch(complained(), /correct|horse/)
})

t.test('password entry: a terminal has three tries', async t => {
  const second = terminal('short\r', `${GOOD}\r`, 'another\r', `${GOOD}\r`, `${GOOD}\r`)
  t.equal(await enterPassword(second.streams, 'anna'), GOOD)
  t.match(second.complained(), `${SHORT} Try again.`)
  t.match(second.complained(), 'The two passwords are not the same. Try again.')
  const fourth = terminal('short\r', 'short\r', 'short\r', `${GOOD}\r`, `${GOOD}\r`)
  await t.rejects(enterPassword(fourth.streams, 'anna'), { message: SHORT })
})

t.test('password entry: Ctrl-C and Ctrl-D give none', async t => {
  for (const answers of [['\u0003'], ['\u0004'], [`${GOOD}\r`, 'corr\u0003'], [`${GOOD}\r`, '\u0004']]) {
    const { streams, isRaw } = terminal(...answers)
    await t.rejects(enterPassword(streams, 'anna'), { code: 'USHER_ACCOUNT_REFUSED', message: NOTHING })
    t.equal(isRaw(), false, JSON.stringify(answers))
  }
})
