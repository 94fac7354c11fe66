/**
 * Active users across a restart: out of the table into the database at a clean stop, and back at
 * the next start, unless they stayed away past the time-out or their server is gone.
 */
import {
  clientOfAddress, formatAddress, formatClient, parseAddress, parseClientId, UNKNOWN_ADDRESS,
  type Client
} from '@usher/shared/client.ts'
import { allUsers } from '@usher/shared/memory/all-users.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { serverKnownAs, type Slot } from '@usher/shared/settings/servers.ts'
import type { SavedUser } from '../database/rows.ts'

/** Every active user of the table. @param wallNowMs wall-clock milliseconds since 1970 */
export function * usersToSave (
  table: UserTable, servers: readonly Slot[], wallNowMs: number
): Generator<SavedUser> {
  for (const user of allUsers(table)) {
    if (user.server === undefined || user.isLeaving) continue
    yield {
      kind: user.client.kind,
      client: formatClient(user.client),
      address: formatAddress(user.address),
      server: servers[user.server]!.name,
      isConfirmed: user.isConfirmed ? 1 : 0,
      firstSeenMs: Math.round(wallNowMs - user.firstSeenAgoMs),
      lastSeenMs: Math.round(wallNowMs - user.lastSeenAgoMs)
    }
  }
}

/** Puts saved users back into the table; returns how many. A clock set back keeps them. */
export function restoreUsers (
  table: UserTable, users: Iterable<SavedUser>, servers: readonly Slot[],
  silentForMs: number, wallNowMs: number
): number {
  let restored = 0
  for (const user of users) {
    const server = serverKnownAs(servers, user.server)
    const client = clientOf(user)
    const lastSeenAgoMs = Math.max(0, wallNowMs - user.lastSeenMs)
    if (server === undefined || client === undefined || lastSeenAgoMs > silentForMs) continue
    const isRestored = table.restore({
      client,
      address: parseAddress(user.address) ?? UNKNOWN_ADDRESS,
      isConfirmed: user.isConfirmed === 1,
      firstSeenAgoMs: Math.max(0, wallNowMs - user.firstSeenMs),
      lastSeenAgoMs
    }, server.index)
    if (isRestored) restored++
  }
  return restored
}

/**
 * For a node of a fleet: while it was down its users may have gone on at another node, and those
 * who do not come back are removed as newcomers are who do not.
 */
export function * unconfirmed (users: Iterable<SavedUser>): Generator<SavedUser> {
  for (const user of users) yield { ...user, isConfirmed: 0 }
}

function clientOf ({ kind, client }: SavedUser): Client | undefined {
  if (kind === 'id') return parseClientId(client)
  const address = parseAddress(client)
  return address === undefined ? undefined : clientOfAddress(address)
}
