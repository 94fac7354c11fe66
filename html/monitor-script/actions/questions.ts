/**
 * What the dialog asks before each action, and what it says will happen. Values only: `dialog.ts`
 * shows them, `texts.ts` words them.
 */
import type { TokenEntry } from '@usher/shared/api/tokens.ts'
import type { User } from '@usher/shared/api/users.ts'
import type { Reach as Reached } from '@usher/shared/api/users.ts'
import type { Server } from '../kit/console-servers.ts'
import { denialOf, rangeOf } from './address-ranges.ts'
import { ago, DENIED, ELSEWHERE, FLEET, SERVERS, TOKENS, USERS } from '../kit/texts.ts'

/** What is denied of a user: the id alone, the address last seen from, too, or its range. */
export type DenyScope = 'ids' | 'addresses' | 'ranges'

/** What an operator has chosen in the dialog. */
export interface Choice {
  /** Empty when none was given. */
  readonly reason: string
  /** Undefined: until allowed. */
  readonly minutes: number | undefined
  readonly scope: DenyScope
  /** An id, an address or a range; empty when it was not asked for. */
  readonly target: string
}

export interface ScopeChoice {
  readonly scope: DenyScope
  readonly label: string
  readonly hint: string
  /** Whom it reaches beside the picked: counted when the question is shown. */
  readonly reach?: Reach
}

/** Addresses or ranges, and how many of the picked users are known to come from there. */
export interface Reach {
  readonly places: readonly string[]
  readonly pickedCount: number
}

export interface Question {
  readonly title: string
  readonly what: string
  /** Who it is about, in full. */
  readonly picked?: readonly string[]
  /** Moves and note are of a drain, and come back as the minutes and the reason of a denial do. */
  readonly asks?: ReadonlyArray<'target' | 'minutes' | 'reason' | 'moves' | 'note'>
  /** What the note is so far. */
  readonly note?: string
  /** The choices of what to deny; the first is selected. */
  readonly scopes?: readonly ScopeChoice[]
  /** What happens until the time is over; the first of what happens. */
  readonly until?: (minutes: number | undefined) => string
  readonly happens?: readonly string[]
  readonly warning?: string
  /** The button: what it does, with its number and time. */
  readonly go: (minutes: number | undefined) => string
}

export function disconnectQuestion (users: readonly User[]): Question {
  return {
    title: USERS.disconnectTitle(users.length),
    what: USERS.disconnectWhat,
    picked: users.map(({ id }) => id),
    asks: ['reason'],
    happens: [USERS.disconnectHappens, USERS.disconnectBack],
    warning: USERS.disconnectWarning,
    go: () => USERS.disconnectGo(users.length)
  }
}

export function denyQuestion (users: readonly User[], nowMs: number): Question {
  return {
    title: DENIED.title(users.length),
    what: DENIED.what,
    picked: users.map(({ id }) => id),
    asks: ['minutes', 'reason'],
    scopes: scopesOf(users),
    until: minutes => DENIED.until(minutes, nowMs),
    happens: [DENIED.undoHappens],
    go: minutes => DENIED.go(users.length, minutes)
  }
}

function scopesOf (users: readonly User[]): ScopeChoice[] {
  const idCount = users.filter(({ kind }) => kind === 'id').length
  const [addresses, ranges] = [addressesOf(users), rangesOf(users)]
  const byIds: ScopeChoice = {
    scope: 'ids',
    label: DENIED.byIds(idCount, users.length - idCount),
    hint: idCount === 0 ? DENIED.sharedHint : DENIED.byIdsHint
  }
  return [
    byIds,
    ...(addresses.length === 0 || areAlike(addresses, ranges)
      ? []
      : [{
          scope: 'addresses' as const,
          label: DENIED.byAddresses(idCount, addresses.length, addresses[0]!),
          hint: DENIED.sharedHint,
          reach: {
            places: addresses,
            pickedCount: users.filter(({ address }) =>
              addresses.includes(denialOf(address) ?? '')).length
          }
        }]),
    ...(ranges.length === 0
      ? []
      : [{
          scope: 'ranges' as const,
          label: DENIED.byRanges(idCount, ranges.length, ranges[0]!),
          hint: DENIED.sharedHint,
          reach: { places: ranges, pickedCount: users.filter(hasRange).length }
        }])
  ]
}

export function denyTargetQuestion (nowMs: number): Question {
  return {
    title: DENIED.targetTitle,
    what: DENIED.targetWhat,
    asks: ['target', 'minutes', 'reason'],
    until: minutes => DENIED.until(minutes, nowMs),
    happens: [DENIED.undoHappens],
    go: DENIED.targetGo
  }
}

/** @param reach undefined where it is not known */
export function denyNetworkQuestion (
  network: string, reach: Reached | undefined, nowMs: number
): Question {
  return {
    title: DENIED.networkTitle(network),
    what: DENIED.targetWhat,
    asks: ['minutes', 'reason'],
    until: minutes => DENIED.until(minutes, nowMs),
    happens: [...(reach === undefined ? [] : [DENIED.reached(reach.users)]), DENIED.undoHappens],
    go: DENIED.targetGo
  }
}

export function denyReachQuestion (
  { address, users }: Reached, minutes: number | undefined
): Question {
  return {
    title: DENIED.reachTitle(address, users),
    what: DENIED.reached(users),
    go: () => DENIED.go(users, minutes)
  }
}

export function denyOwnQuestion (address: string): Question {
  return {
    title: DENIED.ownTitle(address), what: DENIED.ownWhat, go: () => DENIED.ownGo(address)
  }
}

/** Of one that drains already, what is chosen takes the place of what was. */
export function drainQuestion (
  { name, active_users: activeUsers, drain }: Server, nowMs: number
): Question {
  const isChange = drain !== undefined
  return {
    title: isChange ? SERVERS.changeTitle(name) : SERVERS.drainTitle(name),
    what: SERVERS.drainWhat(activeUsers),
    asks: ['moves', 'note'],
    note: drain?.note ?? '',
    until: minutes => SERVERS.drainUntil(minutes, nowMs),
    happens: [SERVERS.drainKept, SERVERS.drainBack],
    go: minutes => isChange ? SERVERS.changeGo : SERVERS.drainGo(name, minutes)
  }
}

export function drainNodeQuestion (node: string, userCount: number, nowMs: number): Question {
  return {
    title: FLEET.drainTitle(node),
    what: FLEET.drainWhat(userCount),
    asks: ['moves', 'note'],
    until: minutes => SERVERS.drainUntil(minutes, nowMs),
    happens: [FLEET.drainKept, SERVERS.drainKept, SERVERS.drainBack],
    go: minutes => FLEET.drainGo(node, minutes)
  }
}

export function drainLastNodeQuestion (node: string): Question {
  return {
    title: FLEET.lastTitle(node), what: FLEET.lastWhat, go: () => FLEET.lastGo(node)
  }
}

/** Of one that drains, or is in maintenance already, the note is the one so far. */
export function maintainQuestion (
  { name, active_users: activeUsers, state, drain }: Server
): Question {
  const isChange = state === 'maintenance'
  return {
    title: isChange ? SERVERS.changeNoteTitle(name) : SERVERS.maintainTitle(name),
    what: SERVERS.maintainWhat(activeUsers),
    asks: ['note'],
    note: drain?.note ?? '',
    happens: [SERVERS.maintainKept, SERVERS.drainBack],
    go: () => isChange ? SERVERS.changeNoteGo : SERVERS.maintainGo(name)
  }
}

export function restartQuestion (port: string, activeUsers: number): Question {
  return {
    title: SERVERS.restartTitle(port),
    what: SERVERS.restartWhat(activeUsers),
    happens: [SERVERS.restartHappens],
    go: () => SERVERS.restartGo(port)
  }
}

export function restartLastQuestion (port: string, isInFleet: boolean): Question {
  return {
    title: SERVERS.restartLastTitle(port),
    what: SERVERS.restartLastWhat(isInFleet),
    go: () => SERVERS.restartLastGo(port)
  }
}

export function drainLastQuestion (port: string, isInFleet: boolean): Question {
  return {
    title: SERVERS.lastTitle(port),
    what: SERVERS.lastWhat(isInFleet),
    go: () => SERVERS.lastGo(port)
  }
}

export function maintainLastQuestion (name: string, isInFleet: boolean): Question {
  return {
    title: SERVERS.maintainLastTitle(name),
    what: SERVERS.lastWhat(isInFleet),
    go: () => SERVERS.maintainLastGo(name)
  }
}

export function removeServerQuestion (name: string): Question {
  return {
    title: ELSEWHERE.removeTitle(name),
    what: ELSEWHERE.removeWhat,
    happens: [ELSEWHERE.removeHappens],
    warning: ELSEWHERE.removeWarning,
    go: () => ELSEWHERE.removeGo(name)
  }
}

export function removeLastQuestion (name: string, isInFleet: boolean): Question {
  return {
    title: ELSEWHERE.removeLastTitle(name),
    what: SERVERS.lastWhat(isInFleet),
    go: () => ELSEWHERE.removeLastGo(name)
  }
}

export function revokeTokenQuestion (
  { name, last_used: used, last_address: address }: TokenEntry, nowMs: number
): Question {
  return {
    title: TOKENS.revokeTitle(name),
    what: TOKENS.revokeWhat,
    happens: [used === null || address === null
      ? TOKENS.revokeUnused
      : TOKENS.revokeUsed(ago(Date.parse(used), nowMs), address)],
    warning: TOKENS.revokeFinal,
    go: () => TOKENS.revokeGo(name)
  }
}

/**
 * What is denied beside the ids, each once: the address, of IPv6 its /64. Who has no id is denied
 * by address anyway.
 */
export function addressesOf (users: readonly User[]): string[] {
  return [...new Set(users.filter(({ kind }) => kind === 'id')
    .map(({ address }) => denialOf(address)))]
    .filter(denial => denial !== undefined)
}

/** Each once. */
export function rangesOf (users: readonly User[]): string[] {
  return [...new Set(users.map(({ address }) => rangeOf(address)))]
    .filter(range => range !== undefined)
}

function areAlike (some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every(text => others.includes(text))
}

/** False where it is not known from where somebody was last seen. */
function hasRange ({ address }: User): boolean {
  return rangeOf(address) !== undefined
}
