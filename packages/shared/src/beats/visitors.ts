/**
 * What requests do to the user table, and the debug line of whoever comes or moves. Decides
 * nothing about the answer; runs in the server's thread, or in one that stands in for it.
 */
import type { Logger } from 'pino'
import { clientOfAddress, formatClient, type Address, type Client } from '../client.ts'
import type { CountEffect } from '../http/vocabulary/values.ts'
import type { User } from '../memory/snapshot.ts'
import type { Busy } from '../memory/table-view.ts'
import type { DrainPhase } from '../memory/server-words.ts'
import type {
  RefreshOutcome, TouchOutcome, VisitOptions
} from '../memory/visits.ts'

/** What a server needs of the user table. */
export interface VisitorTable {
  /** Busy: the table could not be reached in time, and nothing was done. */
  touch (
    client: Client, server: number, address: Address, options?: VisitOptions
  ): TouchOutcome | Busy
  /** As touch, but nobody comes in. */
  refresh (
    client: Client, server: number, address: Address, options?: VisitOptions
  ): RefreshOutcome | Busy
  /** As touch, for one who shows whose place here is its own; unknown when it is not. */
  touchForPlace (
    holder: Client, client: Client, server: number, address: Address, options?: VisitOptions
  ): RefreshOutcome | Busy
  /** False when the client was not active on that server. */
  leave (client: Client, server: number): boolean | Busy
  /** As leave, once LEAVE_GRACE is over, unless the client is seen by then. */
  leaveAfterGrace (client: Client, server: number): boolean | Busy
  find (client: Client): User | undefined | Busy
  /** Whether there is no room for a newcomer, whoever it is. */
  isFull (): boolean
  /** Whether the server has as many users as its capacity. */
  isServerFull (server: number): boolean
  activeUsers (server: number): number
  activeUsersPerServer (): Int32Array
}

export interface VisitorParts {
  /** Index of this server in PORTS. */
  readonly server: number
  readonly table: VisitorTable
  /** Whom this server turns away now, because it drains. */
  readonly drainPhase: () => DrainPhase
  /** Told of an address that is refused newcomers because it has reached its quota. */
  readonly onAddressFull: (address: Address) => void
  readonly log: Pick<Logger, 'debug' | 'isLevelEnabled'>
  /** In the lines of a thread that is not this server's. */
  readonly serverName?: string | undefined
}

export interface Visitor {
  readonly client: Client
  readonly address: Address
  readonly options?: VisitOptions
}

export type Visit = RefreshOutcome | Busy

/** As CountEffect. stays: as refreshes, and a leave of theirs is taken back. */
export type VisitEffect = CountEffect | 'stays'

/** Of a person who opens a page. */
export const OPENED: VisitOptions = { sign: 'page' }

/** Those for whom there is no room. */
export const REFUSED: ReadonlySet<Visit> =
  new Set<Visit>(['full', 'address-full', 'busy', 'network', 'server-full'])

/** Does to the user table what the request is to do. */
export function visit (parts: VisitorParts, visitor: Visitor, effect: VisitEffect): Visit {
  if (effect === 'none') return look(parts, visitor)
  const { client, address, options } = visitor
  const { table, server } = parts
  return noted(parts, visitor, effect === 'adds'
    ? table.touch(client, server, address, options)
    : table.refresh(
      client, server, address, effect === 'stays' ? { ...options, isStay: true } : options))
}

/** What a request comes to: its log line, and the warning of an address that is full. */
export function noted (parts: VisitorParts, { client, address }: Visitor, outcome: Visit): Visit {
  if (outcome === 'arrived') logUser(parts, client, 'user arrived')
  if (outcome === 'moved') logUser(parts, client, 'user moved')
  if (outcome === 'address-full') parts.onAddressFull(address)
  return outcome
}

/** What `refresh` would say, which a HEAD says too. */
function look ({ table }: VisitorParts, { client, address, options }: Visitor): Visit {
  let user = table.find(client)
  if (user === undefined && client.kind === 'id' && options?.isOwn !== false) {
    user = table.find(clientOfAddress(address))
  }
  if (user === 'busy') return 'busy'
  const isHere = user !== undefined && (!user.isLeaving || options?.sign === 'page')
  return isHere ? 'seen' : 'unknown'
}

export function logUser (
  { log, serverName }: VisitorParts, client: Client, news: string
): void {
  // The text of a client costs more than all else that a beat needs.
  if (!log.isLevelEnabled('debug')) return
  const server = serverName === undefined ? {} : { server: serverName }
  log.debug({ client: formatClient(client), ...server }, news)
}
