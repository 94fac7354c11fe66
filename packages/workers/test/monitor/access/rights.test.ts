/** Who may what, by what the permission allows and never by its number. */
import t from 'tap'
import { SCOPES, type Scope } from '@usher/shared/api/tokens.ts'
import { isAllowed, isNeed, refusalText, scopeFor, type Need } from '../../../src/monitor/access/rights.ts'
import type { CurrentSession } from '../../../src/accounts/session-store.ts'
import type { CurrentToken } from '../../../src/accounts/token-store.ts'

function program (scopes: readonly Scope[], maker: CurrentSession): CurrentToken {
  const { sessionHash, address, createdMs, lastUsedMs, ...access } = maker
  return { ...access, tokenId: 7, tokenName: 'shop "a"', scopes }
}

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
    ['disconnect', false, false, true, true],
    ['drain', false, false, true, true],
    ['report', false, false, true, true],
    ['tokens', false, false, true, true]
  ]
  const sessions = [[false, false], [true, false], [true, true], [false, true]]
    .map(([canView, canDisconnect]) => session(canView!, canDisconnect!))
  for (const [need, ...expected] of rows) {
    t.strictSame(sessions.map(one => isAllowed(one, need)), expected, need)
  }
})

t.test('rights: a program has what its token is for, and no more than its maker', async t => {
  const all: Need[] = ['nothing', 'session', 'tokens', 'metrics', ...SCOPES]
  const check = (
    scopes: readonly Scope[], maker: CurrentSession, allowed: readonly Need[]
  ): void => {
    const found = all.filter(need => isAllowed(program(scopes, maker), need))
    t.strictSame(found, ['nothing', ...allowed])
  }
  const [admin, viewer, blind, nobody] =
    [session(true, true), session(true, false), session(false, true), session(false, false)]
  check(['view'], admin, ['metrics', 'view'])
  check(['disconnect'], admin, ['disconnect'])
  check(['drain'], admin, ['drain'])
  check(['report'], admin, ['report'])
  check(['view', 'report'], admin, ['metrics', 'view', 'report'])
  check(SCOPES, admin, ['metrics', ...SCOPES])
  check(SCOPES, viewer, ['metrics', 'view'])
  check(SCOPES, blind, ['disconnect', 'drain', 'report'])
  check(SCOPES, nobody, [])
  check([], admin, [])
})

t.test('rights: of every scope there is a need of the same name, which takes it', async t => {
  for (const scope of SCOPES) t.equal(scopeFor(scope), scope)
  for (const need of ['nothing', 'session', 'tokens'] as const) t.equal(scopeFor(need), undefined)
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

t.test('rights: a refusal of a program names the scope that it takes, or its maker', async t => {
  const table = [{ permission: 3, canView: true, canDisconnect: true }]
  const check = (token: CurrentToken, need: Need, expected: string): void => {
    t.equal(refusalText(token, need, table), expected)
  }
  const admin = session(true, true)
  check(program(['report'], admin), 'view',
    'The token "shop \\"a\\"" is for report; this takes the scope view.')
  check(program(['view', 'disconnect', 'report'], admin), 'drain',
    'The token "shop \\"a\\"" is for view, disconnect and report; this takes the scope drain.')
  check(program(SCOPES, admin), 'tokens', 'No token may do this. Log in: POST /login.')
  check(program(SCOPES, session(true, false)), 'drain',
    'The token "shop \\"a\\"" may do no more than "ana", who made it: ' +
    'Permission 5 does not allow this: it takes 3.')
})
