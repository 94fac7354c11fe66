import t from 'tap'
import { complain, describe } from '@usher/shared/settings/given.ts'
import { settingNamed } from '@usher/shared/settings/setting-rows.ts'

t.test('setting-given: a complaint names setting, origin, value and what is allowed', async t => {
  const given = { row: settingNamed('ROUTING_PORT')!, text: '1e3', origin: 'usher.env line 3' }
  t.equal(describe(given), 'ROUTING_PORT (usher.env line 3)')
  t.equal(complain(given, ''),
    'ROUTING_PORT (usher.env line 3) is "1e3"; allowed: a whole number, 0 to 65535')
  t.equal(complain(given, 'it is odd', 'an even one'),
    'ROUTING_PORT (usher.env line 3) is "1e3": it is odd; allowed: an even one')
})

t.test('setting-given: a complaint never shows a secret', async t => {
  const given = { row: settingNamed('METRICS_TOKEN')!, text: 'hunter2', origin: 'environment' }
  const complaint = complain(given, '')
  t.match(complaint, /^METRICS_TOKEN \(environment\) has a wrong value \(not shown\); allowed: /)
  t.notMatch(complaint, 'hunter2')
})
