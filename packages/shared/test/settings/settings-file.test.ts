import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseSettingsFile, readSettingsFile } from '@usher/shared/settings/settings-file.ts'

/** What was given, as `NAME=text (origin)`. */
type Expected = readonly [given: readonly string[], problems: readonly string[]]

t.test('settings-file: reads lines of NAME=value', async t => {
  check(t, [
    ['', [[], []]],
    ['HOST=::1', [['HOST=::1 (f line 1)'], []]],
    ['\n# HOST=a\n  \nHOST=b\nIP=::1\n', [['HOST=b (f line 4)', 'IP=::1 (f line 5)'], []]],
    ['HOST=a\r\nIP=::1\r\n', [['HOST=a (f line 1)', 'IP=::1 (f line 2)'], []]],
    ['HOST=a\rIP=::1', [['HOST=a (f line 1)', 'IP=::1 (f line 2)'], []]],
    [' HOST\t=  a b  ', [['HOST=a b (f line 1)'], []]],
    ['HOST="a"', [['HOST=a (f line 1)'], []]],
    ["HOST=' a # b '", [['HOST= a # b  (f line 1)'], []]],
    ['HOST="it\'s \\n" # comment', [['HOST=it\'s \\n (f line 1)'], []]],
    ['HOST=a#b=c"d', [['HOST=a#b=c"d (f line 1)'], []]],
    ['HOST=\nIP=""', [[], []]]
  ])
})

t.test('settings-file: names the line and the setting of what it refuses', async t => {
  const form = 'not of the form NAME=value'
  const bare = 'HOST has a bare #; put the value in quotes, or the comment on a line of its own'
  check(t, [
    ['HOST', [[], [`f line 1: ${form}`]]],
    ['=a', [[], [`f line 1: ${form}`]]],
    ['export HOST=a', [[], [`f line 1: ${form}`]]],
    ['\n9HOST=a', [[], [`f line 2: ${form}`]]],
    ['HOST="a', [[], ['f line 1: HOST lacks the closing "']]],
    ["HOST='a\nIP='::1'", [['IP=::1 (f line 2)'], ["f line 1: HOST lacks the closing '"]]],
    ['HOST="a"b', [[], ['f line 1: HOST has text after the closing "']]],
    ['HOST=a # b', [[], [`f line 1: ${bare}`]]],
    ['HOST= # b', [[], [`f line 1: ${bare}`]]],
    ['ROUTNIG_PORT=1', [[], [
      'f line 1: unknown setting ROUTNIG_PORT, did you mean ROUTING_PORT?']]],
    ['host=a', [[], ['f line 1: unknown setting host, did you mean HOST?']]],
    ['COLOUR=red', [[], ['f line 1: unknown setting COLOUR; --help lists all settings']]],
    ['constructor=x', [[], ['f line 1: unknown setting constructor; --help lists all settings']]],
    ['HOST=\nHOST=a\nHOST=b', [['HOST=a (f line 2)', 'HOST=b (f line 3)'], [
      'f line 2: HOST is given a second time, after line 1',
      'f line 3: HOST is given a second time, after line 1']]]
  ])
})

t.test('settings-file: never shows what might be a secret', async t => {
  const lines = [
    'ADMIN_PASSWORD hunter2', 'ADMIN_PASSWORD="hunter2', 'ADMIN_PASSWORD="x"hunter2',
    'ADMIN_PASSWORD=x #hunter2', 'ADMIN_PASWORD=hunter2',
    'ADMIN_PASSWORD=hunter2\nADMIN_PASSWORD=hunter2'
  ]
  for (const line of lines) {
    const { problems } = parseSettingsFile(line, 'f')
    t.equal(problems.length, 1, line)
    t.notMatch(problems.join(), 'hunter2', line)
  }
})

t.test('settings-file: a complaint is one line, whatever the file is called', async t => {
  const { problems } = parseSettingsFile('oops', 'a\r\nb')
  t.same(problems, ['a\\r\\nb line 1: not of the form NAME=value'])
})

t.test('settings-file: only a file that was asked for must be there', async t => {
  const dir = t.testdir({ 'usher.env': '\ufeffHOST=a\n', folder: {} })
  const cases: ReadonlyArray<[string, boolean, Expected]> = [
    ['usher.env', true, [['HOST=a (usher.env line 1)'], []]],
    ['usher.env', false, [['HOST=a (usher.env line 1)'], []]],
    ['missing', false, [[], []]],
    ['missing', true, [[], ['settings file "missing" does not exist']]],
    ['folder', false, [[], ['settings file "folder" is a folder']]]
  ]
  for (const [name, isRequired, expected] of cases) {
    t.same(plain(readSettingsFile(join(dir, name), name, isRequired)), expected, name)
  }
})

function check (t: Test, cases: ReadonlyArray<readonly [text: string, expected: Expected]>): void {
  for (const [text, expected] of cases) {
    t.same(plain(parseSettingsFile(text, 'f')), expected, JSON.stringify(text))
  }
}

function plain ({ given, problems }: ReturnType<typeof parseSettingsFile>): Expected {
  return [given.map(({ row, text, origin }) => `${row.name}=${text} (${origin})`), problems]
}
