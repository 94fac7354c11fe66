/** Who may what, by what the permission allows and never by its number. */
import t from 'tap'
import { isAllowed, isNeed, refusalText, type Need } from '../../../src/monitor/access/rights.ts'
import type { CurrentSession } from '../../../src/accounts/session-store.ts'

function session (canView: boolean, canDisconnect: boolean): CurrentSession {
  return {
    sessionHash: '', accountId: 1, username: 'ana', permission: 5, canView, canDisconnect, mustChange: false, address: '::1', createdMs: 0, lastUsedMs: 0
  }
}

t.test('rights: each need by what the permission allows', async t => {
  const rows: Array<[need: Need, ...ofEachSession: boolean[]]> = [
    ['nothing', true, true, true, true],
    ['session', true, true, true, true],
    ['view', false, true, true, false],
    ['metrics', false, true, true, false],
    ['disconnect', false, false, true, true]
  ]
  const sessions = [[false, false], [true, false], [true, true], [false, true]]
    .map(([canView, canDisconnect]) => session(canView!, canDisconnect!))
  for (const [need, ...expected] of rows) {
    t.strictSame(sessions.map(one => isAllowed(one, need)), expected, need)
  }
})

t.test('rights: what is no need is refused to everybody', async t => {
  for (const unknown of ['restart', '', 'toString', '__proto__', 'canView', undefined, 1]) {
    t.equal(isNeed(unknown), false, String(unknown))
    t.equal(isAllowed(session(true, true), unknown as Need), false, String(unknown))
  }
})

t.test('rights: a refusal names the permissions that would do', async t => {
  const table = [
    { permission: -1, canView: false, canDisconnect: false },
    { permission: 0, canView: true, canDisconnect: false },
    { permission: 3, canView: true, canDisconnect: true },
    { permission: 9, canView: true, canDisconnect: false }
  ]
  const check = (need: Need, permissions: typeof table, expected: string): void => {
    t.equal(refusalText(session(false, false), need, permissions), `Permission 5 does not allow this: ${expected}.`)
  }
  check('view', table, 'it takes 0, 3 or 9')
  check('metrics', table.slice(0, 3), 'it takes 0 or 3')
  check('disconnect', table, 'it takes 3')
  check('disconnect', table.slice(0, 2), 'no permission does')
})
