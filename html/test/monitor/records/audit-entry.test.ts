/** What an entry of the audit says. */
import t from 'tap'
import type { AuditEntry } from '@usher/shared/api/audit.ts'
import { sentenceOf } from '../../../monitor-script/records/audit-entry.ts'

function partsOf (entry: Partial<AuditEntry>) {
  return sentenceOf({ at: '', who: 'ada', action: 'login', address: '', ...entry })
}

t.test('audit entry: says what was done, to whom, on which terms', async t => {
  const check = (entry: Partial<AuditEntry>, text: string): void => {
    t.equal(partsOf(entry).map(part => part.text).join(''), text)
  }
  check({}, 'logged in')
  check({ action: 'deny', target: '::1', detail: { minutes: 60, reason: 'Flood' } },
    'denied ::1 for 1 h: Flood')
  check({ action: 'deny', target: '::1' }, 'denied ::1 until allowed')
  check({ action: 'disconnect', target: 'a', detail: { deny: false } }, 'disconnected a')
  check({ action: 'disconnect', target: 'a', detail: { deny: false, reason: 'Loud' } },
    'disconnected a: Loud')
  check({ action: 'disconnect', target: 'a', detail: { deny: true, address: '::1' } },
    'disconnected and denied a and ::1 until allowed')
  check({ action: 'deny', target: '::/64', detail: { users: 44, reason: 'Flood' } },
    'denied ::/64 until allowed, 44 users removed: Flood')
  check({ action: 'deny', target: '::/64', detail: { users: 0, minutes: 60 } },
    'denied ::/64 for 1 h, nobody was there')
  check({ action: 'ready', target: '8002' }, 'made 8002 ready')
  check({ action: 'session-ended', target: '::1', detail: { user_agent: '<b>curl/8' } },
    'ended a session from ::1, <b>curl/8')
  check({ action: 'account-added', target: 'desk', detail: { permission: -1 } },
    'added the account desk with permission -1')
  check({ action: 'permission-changed', target: 'desk', detail: { from: 0, permission: 1 } },
    'changed the permission of desk from 0 to 1')
  check({ action: 'token-made', target: 'shop-a', detail: { scopes: ['view', 'drain', 'report'], days: 90 } },
    'made the token shop-a for view, drain and report')
  check({ action: 'token-revoked', target: 'shop-a' }, 'revoked the token shop-a')
  check({ action: 'drain', target: '8001', detail: { note: 'new disk', token: 'deploy' } },
    'started draining 8001, by the token deploy: new disk')
  check({ action: 'deny', target: '::1', detail: { minutes: 60, users: 3, token: 'waf' } },
    'denied ::1 for 1 h, 3 users removed, by the token waf')
  check({ action: 'login-failed' }, 'failed to log in')
  check({ action: 'login-failed', detail: { attempts: 12, names: ['ada', 'ben'] } },
    'failed to log in 12 times')
  check({ action: 'login-failed', detail: { attempts: 1200, names: ['ada'], more_names: true } },
    'failed to log in 1,200 times, under these and other names')
  check({ action: 'constructor', target: 'x' }, 'constructor x')
  check({ action: 'deny', target: 'x', detail: { minutes: '5', reason: 7, address: [] } },
    'denied x until allowed')
})

t.test('audit entry: of a drain why, and what becomes of those who are left', async t => {
  const said = (detail: Record<string, unknown>): string =>
    partsOf({ action: 'drain', target: '8001', detail }).map(({ text }) => text).join('')
  t.match(said({}), /started draining 8001$/)
  t.match(said({ note: 'new disk' }), /started draining 8001: new disk$/)
  t.match(said({ note: 'new disk', minutes: 15 }), /8001 and moves everybody after 15 min: new disk$/)
  t.match(said({ minutes: 0 }), /8001 and moved everybody$/)
})

t.test('audit entry: names are told apart from words', async t => {
  const names = partsOf({ action: 'disconnect', target: 'a', detail: { deny: true, address: '::1' } })
    .filter(({ kind }) => kind === 'client').map(({ text }) => text)
  t.strictSame(names, ['a', '::1'])
  t.match(partsOf({ action: 'drain', target: '8001' })[2], { text: '8001', kind: 'name' })
})
