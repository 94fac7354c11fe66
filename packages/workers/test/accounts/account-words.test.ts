/** The words of the account command, a bare -1 among them. */
import t from 'tap'
import { parseAccountWords } from '../../src/accounts/account-words.ts'

t.test('account words: every command, its flags in any place', async t => {
  const cases: Array<[line: string, order: object, settingsArgv?: string[]]> = [
    ['list', { command: 'list' }],
    ['add ana --permission 1', { command: 'add', name: 'ana', permission: 1 }],
    ['--permission -1 add ana', { command: 'add', name: 'ana', permission: -1 }],
    ['add ana --permission=-1', { command: 'add', name: 'ana', permission: -1 }],
    ['passwd ana', { command: 'passwd', name: 'ana' }],
    ['permission ana -1', { command: 'permission', name: 'ana', permission: -1, isForced: false }],
    ['permission ana 0 --force', { command: 'permission', name: 'ana', permission: 0, isForced: true }],
    ['remove ana', { command: 'remove', name: 'ana', isForced: false }],
    ['--force remove 7', { command: 'remove', name: '7', isForced: true }],
    ['list --db-path x.db', { command: 'list' }, ['--db-path', 'x.db']],
    ['--settings=a.env list', { command: 'list' }, ['--settings', 'a.env']]
  ]
  for (const [line, order, settingsArgv = []] of cases) {
    t.strictSame(parseAccountWords(line.split(' ')), { kind: 'order', order, settingsArgv }, line)
  }
  t.strictSame(parseAccountWords(['--help']), { kind: 'help' })
  t.strictSame(parseAccountWords(['add', '-h']), { kind: 'help' })
})

t.test('account words: what is wrong is named, with what is allowed', async t => {
  const cases: Array<[line: string, problem: RegExp]> = [
    ['', /name a command/],
    ['lsit', /"lsit" is no command/],
    ['list ana', /fewer words/],
    ['add', /takes the account's name/],
    ['add ana', /-1, 0 or 1/],
    ['add ana --permission', /-1, 0 or 1/],
    ['add ana --permission 2', /-1, 0 or 1, not "2"/],
    ['add ana --permission one', /not "one"/],
    ['permission ana', /-1, 0 or 1/],
    ['permission ana -2', /not "-2"/],
    ['passwd ana secret', /fewer words/],
    ['remove ana bo', /fewer words/],
    ['add ana --password secret', /--password is no option/],
    ['list -x', /-x is no option/]
  ]
  for (const [line, problem] of cases) {
    const words = parseAccountWords(line === '' ? [] : line.split(' '))
    t.match(words, { kind: 'wrong', problem }, line)
  }
})
