import t from 'tap'
import { renderCheck, renderHelp, settingsMarkdown } from '@usher/shared/settings/settings-text.ts'
import { SETTING_ROWS } from '@usher/shared/settings/setting-rows.ts'

t.test('settings-text: help names the version, the commands and every setting', async t => {
  const help = renderHelp('1.2.3')
  for (const text of ['Usher 1.2.3', '--settings', '--check', '-h, --help', '-v, --version']) {
    t.match(help, text)
  }
  for (const row of SETTING_ROWS) {
    const heading = row.isSecret ? `\n${row.name} (` : `\n${row.flag}, ${row.name} (`
    t.match(help, heading)
    t.match(help, row.meaning)
    t.match(help, `Allowed: ${row.kind.allowed}.\n`)
    const isOffered = new RegExp(`${row.flag}(?![\\w-])`).test(help)
    t.equal(isOffered, !row.isSecret, `${row.flag} is offered unless secret`)
  }
  t.match(help, 'lowest level that is logged. A reload changes it.\n')
  t.match(help, /[^\n]\n$/)
})

t.test('settings-text: check prints a line each, with the origin before the value', async t => {
  const text = renderCheck([
    { name: 'PORTS', text: '1,2', origin: 'flag --ports' },
    { name: 'METRICS_TOKEN', text: '(set)', origin: 'environment' },
    { name: 'PUBLIC_HOSTS', text: '', origin: 'default' }
  ])
  t.equal(text,
    'flag --ports  PORTS=1,2\n' +
    'environment   METRICS_TOKEN=(set)\n' +
    'default       PUBLIC_HOSTS=\n')
})

t.test('settings-text: the markdown table has a row per setting and four cells per row', async t => {
  const lines = settingsMarkdown().split('\n')
  t.equal(lines.pop(), '')
  t.same(lines.splice(0, 2), ['| name | default | allowed | meaning |', '|---|---|---|---|'])
  t.equal(lines.length, SETTING_ROWS.length)
  for (const [index, row] of SETTING_ROWS.entries()) {
    const cells = lines[index]!.split(' | ')
    t.equal(cells.length, 4, row.name)
    t.equal(cells[0], `| \`${row.name}\``)
    t.equal(cells[2], row.kind.allowed)
  }
  t.match(lines.find(line => line.startsWith('| `ROUTING_PORT`')), '| `8080` |')
  const reloadable = lines.filter(line => line.includes('A reload changes it. |'))
  t.match(reloadable, [
    /^\| `ALLOWED_ORIGINS` /, /^\| `TICKETS` /, /^\| `EXTERNAL_SERVERS` /, /^\| `WEIGHTS` /, /^\| `CAPACITY` /,
    /^\| `HEALTH_PATH` /, /^\| `HEALTH_INTERVAL` /, /^\| `HEALTH_TIMEOUT` /, /^\| `HEALTH_RISE` /,
    /^\| `HEALTH_FALL` /, /^\| `HEALTH_STATUS` /, /^\| `MEMORY_FILE_MAX` /, /^\| `LOG_LEVEL` /, /^\| `RETURN_GRACE` /,
    /^\| `DELAY_BETWEEN_ROUTING` /
  ])
  t.equal(reloadable.length, SETTING_ROWS.filter(row => row.appliedBy !== undefined).length)
  t.match(lines.find(line => line.includes('METRICS_TOKEN')), 'Environment or file only. |')
})
