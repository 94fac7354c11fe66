/**
 * What each kind of route needs, and whether a session may have it. What a permission allows is in
 * the database's table of permissions; nothing here knows its numbers. Pure.
 */
import type { Permission } from '../../accounts/permissions.ts'
import type { CurrentSession } from '../../accounts/session-store.ts'

export type Need = 'nothing' | 'session' | 'view' | 'disconnect' | 'metrics'

/** `none`: not even a session. `session`: any one. Else what the session's permission allows. */
type Right = 'none' | 'session' | PermissionRight
type PermissionRight = keyof CurrentSession & keyof Permission & `can${string}`

const RIGHTS: Readonly<Record<Need, Right>> = {
  nothing: 'none',
  session: 'session',
  view: 'canView',
  metrics: 'canView',
  disconnect: 'canDisconnect'
}

export function isNeed (needs: unknown): needs is Need {
  return typeof needs === 'string' && Object.hasOwn(RIGHTS, needs)
}

/** An unknown need is never met. */
export function isAllowed (session: CurrentSession, needs: Need): boolean {
  const right = isNeed(needs) ? RIGHTS[needs] : undefined
  switch (right) {
    case 'none':
    case 'session': return true
    case 'canView':
    case 'canDisconnect': return session[right]
    case undefined: return false
  }
}

/** Why a session is refused, and which permissions would be enough. */
export function refusalText (
  { permission }: CurrentSession, needs: Need, permissions: readonly Permission[]
): string {
  const right = RIGHTS[needs]
  const enough = right === 'canView' || right === 'canDisconnect'
    ? permissions.filter(one => one[right]).map(one => one.permission)
    : []
  const takes = enough.length === 0 ? 'no permission does' : `it takes ${listed(enough)}`
  return `Permission ${permission} does not allow this: ${takes}.`
}

/** `0, 1 or 7` */
function listed (numbers: readonly number[]): string {
  const last = numbers.at(-1)!
  return numbers.length === 1 ? `${last}` : `${numbers.slice(0, -1).join(', ')} or ${last}`
}
