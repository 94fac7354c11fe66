/**
 * What each kind of route needs, and whether whoever asks may have it: a person by what their
 * permission allows, a program by the scopes of its token and the permission of who made it. What
 * a permission allows is in the database's table of permissions; nothing here knows its numbers.
 * Pure.
 */
import type { Scope } from '@usher/shared/api/tokens.ts'
import { quote } from '@usher/shared/quote.ts'
import type { Permission } from '../../accounts/permissions.ts'
import type { CurrentSession } from '../../accounts/session-store.ts'
import type { CurrentToken } from '../../accounts/token-store.ts'

/** A person who has logged in, or a program with a token. */
export type Caller = CurrentSession | CurrentToken

export type Need = 'nothing' | 'session' | 'metrics' | 'tokens' | 'servers' | Scope

/** `none`: not even a session. `session`: any one. Else what the account's permission allows. */
type Right = 'none' | 'session' | PermissionRight
type PermissionRight = keyof Permission & `can${string}`

interface Rule {
  readonly right: Right
  /** What a token must be for; left out where no token will do. */
  readonly scope?: Scope
}

const RULES: Readonly<Record<Need, Rule>> = {
  nothing: { right: 'none' },
  session: { right: 'session' },
  tokens: { right: 'canDisconnect' },
  // Whoever may send all visitors anywhere is a person.
  servers: { right: 'canDisconnect' },
  view: { right: 'canView', scope: 'view' },
  metrics: { right: 'canView', scope: 'view' },
  disconnect: { right: 'canDisconnect', scope: 'disconnect' },
  drain: { right: 'canDisconnect', scope: 'drain' },
  report: { right: 'canDisconnect', scope: 'report' }
}

export function isNeed (needs: unknown): needs is Need {
  return typeof needs === 'string' && Object.hasOwn(RULES, needs)
}

export function isProgram (caller: Caller): caller is CurrentToken {
  return 'tokenId' in caller
}

/** The scope that a token must have for it; undefined where no token will do. */
export function scopeFor (needs: Need): Scope | undefined {
  return RULES[needs].scope
}

/** An unknown need is never met. */
export function isAllowed (caller: Caller, needs: Need): boolean {
  if (!isNeed(needs)) return false
  const { right, scope } = RULES[needs]
  if (isProgram(caller) && right !== 'none') {
    if (scope === undefined || !caller.scopes.includes(scope)) return false
  }
  switch (right) {
    case 'none':
    case 'session': return true
    case 'canView':
    case 'canDisconnect': return caller[right]
  }
}

/** Why it is refused: which scope is missing, or which permissions would be enough. */
export function refusalText (
  caller: Caller, needs: Need, permissions: readonly Permission[]
): string {
  if (!isProgram(caller)) return permissionText(caller, needs, permissions)
  const { tokenName, scopes, username } = caller
  const scope = scopeFor(needs)
  if (scope === undefined) return 'No token may do this. Log in: POST /login.'
  if (!scopes.includes(scope)) {
    return `The token ${quote(tokenName)} is for ${listed(scopes, 'and')}; ` +
      `this takes the scope ${scope}.`
  }
  return `The token ${quote(tokenName)} may do no more than ${quote(username)}, who made it: ` +
    permissionText(caller, needs, permissions)
}

function permissionText (
  { permission }: Permission, needs: Need, permissions: readonly Permission[]
): string {
  const { right } = RULES[needs]
  const enough = right === 'canView' || right === 'canDisconnect'
    ? permissions.filter(one => one[right]).map(one => one.permission)
    : []
  const takes = enough.length === 0 ? 'no permission does' : `it takes ${listed(enough, 'or')}`
  return `Permission ${permission} does not allow this: ${takes}.`
}

/** `0, 1 or 7` */
function listed (items: ReadonlyArray<number | string>, word: 'and' | 'or'): string {
  const last = items.at(-1)!
  return items.length === 1 ? `${last}` : `${items.slice(0, -1).join(', ')} ${word} ${last}`
}
