import t from 'tap'
import { auditTest } from '../../src/records/audit-match.ts'
import type { AuditRow } from '../../src/database/rows.ts'

const DENIAL: AuditRow = {
  atMs: 0,
  who: 'Ada',
  action: 'deny',
  target: '203.0.113.0/24',
  detail: '{"minutes":60,"reason":"Scraper \\"farm\\""}',
  address: '2001:db8::9'
}

t.test('audit match: any part of the line, in any case', async t => {
  const check = (search: string, isMatch: boolean, row: Partial<AuditRow> = {}): void => {
    t.equal(auditTest(search)({ ...DENIAL, ...row }), isMatch, search)
  }
  for (const search of ['ada', 'DENIED', 'deny', '113.0/', 'farm"', 'db8::9', 'Ada denied 203']) {
    check(search, true)
  }
  for (const search of ['grace', 'disconnected', '60', 'minutes', 'reason', '203.0.113.1']) {
    check(search, false)
  }
  check('denied', true, { action: 'disconnect', detail: '{"deny":true,"address":"::77"}' })
  check('::77', true, { action: 'disconnect', detail: '{"deny":true,"address":"::77"}' })
  check('denied', false, { action: 'disconnect', detail: '{"deny":false}' })
  check('logged in', true, { action: 'login', target: null, detail: null })
  check('log in', true, { action: 'login-failed', target: null, detail: null })
  check('login-failed', true, { action: 'login-failed', target: null, detail: null })
  check('made 8002 ready', true, { action: 'ready', target: '8002', detail: '{}' })
  check('firefox', true, { action: 'session-ended', detail: '{"user_agent":"Firefox/1"}' })
  check('deploy', true, { action: 'drain', target: '8001', detail: '{"token":"deploy"}' })
  check('ÄRGER', true, { who: 'Ärger' })
})

t.test('audit match: what is no text is not searched, and an action is no property', async t => {
  const row = { ...DENIAL, action: 'constructor', detail: '{"reason":{"a":"b"},"address":7}' }
  t.equal(auditTest('object')(row), false)
  t.equal(auditTest('native code')(row), false)
  t.equal(auditTest('constructor')(row), true)
})
