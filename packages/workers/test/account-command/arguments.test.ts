import t from 'tap'
import {
  ACCOUNT_USAGE, parseAccountWords, type AccountOrder
} from '../../src/account-command/arguments.ts'

t.test('account words: every command in its forms', async t => {
  type Case = [line: string, order: AccountOrder, settingsArgv?: readonly string[]]
  const cases: readonly Case[] = [
    ['list', { command: 'list' }],
    ['help', { command: 'help' }],
    ['--help', { command: 'help' }],
    ['add anna -h', { command: 'help' }],
    ['add anna --permission 1', { command: 'add', name: 'anna', permission: 1 }],
    ['add anna --permission=0', { command: 'add', name: 'anna', permission: 0 }],
    ['add anna --permission -1', { command: 'add', name: 'anna', permission: -1 }],
    ['--permission -1 add anna', { command: 'add', name: 'anna', permission: -1 }],
    ['add --permission=-1 anna', { command: 'add', name: 'anna', permission: -1 }],
    ['passwd anna', { command: 'passwd', name: 'anna' }],
    ['passwd -- --anna', { command: 'passwd', name: '--anna' }],
    ['logout anna', { command: 'logout', name: 'anna' }],
    ['logout --all', { command: 'logout', name: undefined }],
    ['permission anna -1', { command: 'permission', name: 'anna', permission: -1, isForced: false }],
    ['permission anna 7', { command: 'permission', name: 'anna', permission: 7, isForced: false }],
    ['permission --force anna 0', { command: 'permission', name: 'anna', permission: 0, isForced: true }],
    ['permission -1 -1', { command: 'permission', name: '-1', permission: -1, isForced: false }],
    ['remove anna', { command: 'remove', name: 'anna', isForced: false }],
    ['remove anna --force', { command: 'remove', name: 'anna', isForced: true }],
    ['list --db-path a.db', { command: 'list' }, ['--db-path=a.db']],
    ['--settings=a.env list --db-path=-', { command: 'list' }, ['--db-path=-', '--settings=a.env']]
  ]
  for (const [line, order, settingsArgv = []] of cases) {
    t.strictSame(parseAccountWords(line.split(' ')), { order, settingsArgv }, line)
  }
})

t.test('account words: what is wrong with them', async t => {
  const one = 'one of add, list, passwd, logout, permission, remove is expected'
  const cases: ReadonlyArray<[line: string, problem: string]> = [
    ['', `unknown command; ${one}`],
    ['Anna', `unknown command; ${one}`],
    ['lst', 'unknown command lst, did you mean list?'],
    ['toString', `unknown command; ${one}`],
    ['add', 'add needs --permission N'],
    ['add --permission 1', 'add takes NAME; a password is never given on the command line'],
    ['add anna --permission', '--permission needs a value'],
    ['add anna --permission --force', '--permission needs a value'],
    ['add anna --permission 1 --force', 'add takes no --force'],
    ['add anna --permission=', '--permission needs a value'],
    ['add anna --permission one', 'N must be a whole number, such as -1, 0 or 1'],
    ['permission anna 1.5', 'N must be a whole number, such as -1, 0 or 1'],
    ['permission anna 99999999999', 'N must be a whole number, such as -1, 0 or 1'],
    ['permission anna', 'permission takes NAME and N; a password is never given on the command line'],
    ['list anna', 'list takes nothing; a password is never given on the command line'],
    ['passwd anna --permission 1', 'passwd takes no --permission'],
    ['passwd anna --force', 'passwd takes no --force'],
    ['logout', 'logout takes NAME; a password is never given on the command line'],
    ['logout anna --all', 'logout takes nothing; a password is never given on the command line'],
    ['logout --all=yes', '--all takes no value'],
    ['passwd anna --all', 'passwd takes no --all'],
    ['remove anna --force=yes', '--force takes no value'],
    ['remove anna --forc', 'unknown flag --forc, did you mean --force?'],
    ['list --db-path', '--db-path needs a value'],
    ['list --routing-port 80', 'unknown flag; one of --permission, --db-path, --settings, --force, --all, --help is expected']
  ]
  for (const [line, problem] of cases) {
    t.strictSame(parseAccountWords(line.split(' ')), { problem }, line)
  }
  t.same(parseAccountWords([]), { problem: 'a command is missing' })
})

t.test('account words: a password among them is not repeated', async t => {
  const lines = ['passwd anna hunter2', 'add anna hunter2 --permission 1', 'hunter2', 'add --password=hunter2',
    'passwd anna --password hunter2', 'passwd --hunter2', 'add anna --permission hunter2', 'remove anna --force=hunter2']
  for (const line of lines) {
    const found = parseAccountWords(line.split(' '))
    t.ok('problem' in found, line)
    t.notMatch(JSON.stringify(found), /hunter2/, line)
  }
})

t.test('account words: the usage fits a terminal and names every command and flag', async t => {
  for (const line of ACCOUNT_USAGE.split('\n')) t.ok(line.length <= 80, line)
  for (const word of ['add', 'list', 'passwd', 'logout', 'permission', 'remove', '--force', '--db-path', '--settings']) {
    t.match(ACCOUNT_USAGE, new RegExp(`^ {2}${word}`, 'm'))
  }
})
