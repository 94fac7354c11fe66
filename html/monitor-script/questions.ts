/**
 * What the dialog asks before each action, and what it says will happen. Values only: `dialog.ts`
 * shows them, `texts.ts` words them.
 */
import type { User } from './users-page.ts'
import { DENIED, SERVERS, USERS } from './texts.ts'

/** What an operator has chosen in the dialog. */
export interface Choice {
  /** Empty when none was given. */
  readonly reason: string
  /** Undefined: until allowed. */
  readonly minutes: number | undefined
  /** The addresses of the users too. */
  readonly withAddresses: boolean
  /** An id, an address or a range; empty when it was not asked for. */
  readonly target: string
}

export interface Question {
  readonly title: string
  readonly what: string
  /** Who it is about, in full. */
  readonly picked?: readonly string[]
  readonly asks?: ReadonlyArray<'target' | 'minutes' | 'reason'>
  /** Asks whether the addresses too; the labels of both ways. */
  readonly addresses?: { readonly without: string, readonly with: string }
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

export function denyQuestion (users: readonly User[]): Question {
  const ids = users.filter(({ kind }) => kind === 'id')
  const addresses = addressesOf(users)
  return {
    title: DENIED.title(users.length),
    what: DENIED.what,
    picked: users.map(({ id }) => id),
    asks: ['minutes', 'reason'],
    ...(ids.length === 0
      ? {}
      : {
          addresses: {
            without: DENIED.onlyIds(ids.length),
            with: DENIED.andAddresses(ids.length, addresses.length)
          }
        }),
    happens: [DENIED.happens, DENIED.back],
    go: minutes => DENIED.go(users.length, minutes)
  }
}

export function denyTargetQuestion (): Question {
  return {
    title: DENIED.targetTitle,
    what: DENIED.targetWhat,
    asks: ['target', 'minutes', 'reason'],
    happens: [DENIED.happens, DENIED.back],
    go: DENIED.targetGo
  }
}

export function denyOwnQuestion (address: string): Question {
  return {
    title: DENIED.ownTitle(address), what: DENIED.ownWhat, go: () => DENIED.ownGo(address)
  }
}

export function drainQuestion (port: string, activeUsers: number): Question {
  return {
    title: SERVERS.drainTitle(port),
    what: SERVERS.drainWhat(activeUsers),
    happens: [SERVERS.drainHappens, SERVERS.drainBack],
    go: () => SERVERS.drainGo(port)
  }
}

export function drainLastQuestion (port: string): Question {
  return {
    title: SERVERS.lastTitle(port), what: SERVERS.lastWhat, go: () => SERVERS.lastGo(port)
  }
}

/** Of those who have an id, each once. Who has none is denied by address anyway. */
export function addressesOf (users: readonly User[]): string[] {
  return [...new Set(users.filter(({ kind }) => kind === 'id').map(({ address }) => address))]
}
