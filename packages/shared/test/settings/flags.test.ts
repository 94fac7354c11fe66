import t from 'tap'
import { parseFlags } from '@usher/shared/settings/flags.ts'

t.test('settings-flags: takes a value joined or as the next argument', async t => {
  const cases: ReadonlyArray<[argv: string, given: readonly string[]]> = [
    ['', []],
    ['--routing-port 8080', ['ROUTING_PORT=8080']],
    ['--routing-port=8080', ['ROUTING_PORT=8080']],
    ['--routing-port=', ['ROUTING_PORT=']],
    ['--host=a=b', ['HOST=a=b']],
    ['--log-file - --delay-between-routing -1', ['LOG_FILE=-', 'DELAY_BETWEEN_ROUTING=-1']],
    ['--db-path=--x', ['DB_PATH=--x']],
    ['--ip ::1 --check --host a', ['IP=::1', 'HOST=a']]
  ]
  for (const [argv, expected] of cases) {
    const { given, problems } = parseFlags(words(argv))
    t.same(given.map(({ row, text }) => `${row.name}=${text}`), expected, argv)
    t.same(problems, [], argv)
  }
  t.equal(parseFlags(['--ip', '::1']).given[0]?.origin, 'flag --ip')
})

t.test('settings-flags: tells the command, help before version before check', async t => {
  const cases: ReadonlyArray<[argv: string, command: string]> = [
    ['', 'run'], ['--help', 'help'], ['-h', 'help'], ['--version', 'version'], ['-v', 'version'],
    ['--check', 'check'], ['--check --check', 'check'], ['--check -v', 'version'],
    ['-v --check -h', 'help'], ['--nonsense x --help', 'help'], ['--ports --help', 'help'],
    ['--ports -v', 'version'], ['--help=yes', 'run'], ['--host=--help', 'run']
  ]
  for (const [argv, command] of cases) t.equal(parseFlags(words(argv)).command, command, argv)
})

t.test('settings-flags: tells the settings file', async t => {
  const cases: ReadonlyArray<[argv: string, path: string | undefined]> = [
    ['', undefined], ['--settings a.env', 'a.env'], ['--settings=b.env', 'b.env']
  ]
  for (const [argv, path] of cases) t.equal(parseFlags(words(argv)).settingsPath, path, argv)
})

t.test('settings-flags: refuses what it does not understand, and says why', async t => {
  const secret = (name: string, flag: string) => `${name} (flag ${flag}) is secret, and flags ` +
    `can be read in the process list; allowed: ${name}=... in the environment or in usher.env`
  const cases: ReadonlyArray<[argv: string, problems: readonly string[]]> = [
    ['--routnig-port 1', ['unknown flag --routnig-port, did you mean --routing-port?']],
    ['--ROUTING_PORT=1', ['unknown flag --ROUTING_PORT, did you mean --routing-port?']],
    ['-ports 1', ['unknown flag -ports, did you mean --ports?']],
    ['--setings f', ['unknown flag --setings, did you mean --settings?']],
    ['--hlep', ['unknown flag --hlep, did you mean --help?']],
    ['--colour red', ['unknown flag --colour; --help lists all flags']],
    ['-p 8080', ['unknown flag -p; --help lists all flags']],
    ['-x', ['unknown flag -x; --help lists all flags']],
    ['--', ['unknown flag --; --help lists all flags']],
    ['8080', ['unexpected argument "8080"; settings are given as --name value']],
    ['-', ['unexpected argument "-"; settings are given as --name value']],
    ['--host a b', ['unexpected argument "b"; settings are given as --name value']],
    ['--check b', ['unexpected argument "b"; settings are given as --name value']],
    ['--host', ['flag --host needs a value']],
    ['--host --ip ::1', ['flag --host needs a value']],
    ['--settings', ['flag --settings needs a value']],
    ['--settings=', ['flag --settings needs the name of a file']],
    ['--help=yes', ['flag --help takes no value']],
    ['--host a --host=b --host c', ['flag --host is given more than once']],
    ['--settings a --settings a', ['flag --settings is given more than once']],
    ['--metrics-token hunter2', [secret('METRICS_TOKEN', '--metrics-token')]],
    ['--admin-password=hunter2', [secret('ADMIN_PASSWORD', '--admin-password')]],
    ['--admin-password', [secret('ADMIN_PASSWORD', '--admin-password')]],
    ['--admin-pasword hunter2', [
      'unknown flag --admin-pasword, did you mean ADMIN_PASSWORD (environment or file only)?']],
    ['--nonsense --hostt a b', [
      'unknown flag --nonsense; --help lists all flags',
      'unknown flag --hostt, did you mean --host?',
      'unexpected argument "b"; settings are given as --name value']]
  ]
  for (const [argv, expected] of cases) {
    const { problems, given } = parseFlags(words(argv))
    t.same(problems, expected, argv)
    t.notMatch(JSON.stringify([problems, given]), 'hunter2', argv)
  }
})

function words (text: string): readonly string[] {
  return text === '' ? [] : text.split(' ')
}
