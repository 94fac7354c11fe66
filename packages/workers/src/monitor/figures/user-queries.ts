/**
 * The users as the monitor's interface lists them: a page of a search, how many share an address,
 * and ids per server. Walks the table in cooperative time slices. Runs in the monitor's thread.
 */
import { setImmediate } from 'node:timers/promises'
import type { User as ListedUser, Users } from '@usher/shared/api/users.ts'
import { formatAddress, formatClient, type Address } from '@usher/shared/client.ts'
import { rangeFrom } from '@usher/shared/deny-list.ts'
import type { User } from '@usher/shared/memory/snapshot.ts'
import type { SearchOptions } from '@usher/shared/memory/user-search.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import type { DenyTarget } from '../../records/deny-target.ts'
import { inYieldingSlices } from '../../yielding.ts'

export interface ServerIds {
  readonly ids: readonly string[]
  /** True when the server has more. */
  readonly isTruncated: boolean
}

/** Users turned into text in one piece: some 10 us each, most of it for the address. */
const USERS_PER_STEP = 5
/** Ids alone take some 3 us each. */
const IDS_PER_STEP = 20
/** More than the longest id or address has. */
const PREFIX_LENGTH_MAX = 64

/** The prefix to search for; undefined when it is too long to match anything. */
export function parsePrefix (text: string): string | undefined {
  return text.length > PREFIX_LENGTH_MAX ? undefined : text
}

/**
 * One page of the active users. Users with only a reservation are not listed: they have not arrived
 * yet. Nor are those of a server that was removed: they are on their way to another, and no total
 * counts them.
 * @param wallNowMs wall-clock milliseconds since 1970
 */
export async function findUsers (
  table: Pick<UserTable, 'search'>, options: SearchOptions, servers: readonly Slot[],
  wallNowMs: number
): Promise<Users> {
  const present = servers.filter(({ kind }) => kind !== 'removed').map(({ index }) => index)
  const isAny = present.length === servers.length
  const search = table.search({ ...options, ...(!isAny && { servers: new Set(present) }) })
  await inYieldingSlices(() => search.step())
  await setImmediate()
  const { users, matched, nextCursor } = search.result()
  const described: ListedUser[] = []
  await inYieldingSlices(() => {
    const next = users.slice(described.length, described.length + USERS_PER_STEP)
    described.push(...next.map(user => describe(user, servers, wallNowMs)))
    return described.length === users.length
  })
  return { users: described, matched, next_cursor: nextCursor ?? null }
}

/** How many active users were last seen from one of these addresses. */
export async function countSharing (
  table: Pick<UserTable, 'search'>, addresses: readonly Address[]
): Promise<number> {
  return await countMatching(table, { addresses })
}

/** How many active users were last seen from what a denial of this target would deny. */
export async function countReached (
  table: Pick<UserTable, 'search'>, { text }: DenyTarget
): Promise<number> {
  return await countMatching(table, { range: rangeFrom(text) })
}

async function countMatching (
  table: Pick<UserTable, 'search'>, from: Pick<SearchOptions, 'addresses' | 'range'>
): Promise<number> {
  const search = table.search({
    server: undefined, prefix: undefined, ...from, sort: 'place', cursor: undefined, limit: 1
  })
  await inYieldingSlices(() => search.step())
  return search.result().matched
}

/** Ids of active users, so many per server at most; by index of the server. */
export async function userIds (
  table: Pick<UserTable, 'readUsers' | 'activeUsersPerServer'>, limitPerServer: number
): Promise<readonly ServerIds[]> {
  const counts = table.activeUsersPerServer()
  const idsByServer = Array.from(counts, (): string[] => [])
  const isEnough = (): boolean => idsByServer.every((ids, server) =>
    ids.length >= Math.min(limitPerServer, counts[server]!))
  let cursor: number | undefined = 0
  if (!isEnough()) {
    await inYieldingSlices(() => {
      const page = table.readUsers(cursor!, IDS_PER_STEP)
      if (page === 'busy') return false
      for (const { client, server } of page.users) {
        const ids = server === undefined ? undefined : idsByServer[server]
        if (ids !== undefined && ids.length < limitPerServer) ids.push(formatClient(client))
      }
      cursor = page.nextCursor
      return cursor === undefined || isEnough()
    })
  }
  // Fewer than were counted are truncated by the limit alone: some may have left meanwhile.
  return idsByServer.map((ids, server) => ({
    ids, isTruncated: ids.length >= limitPerServer && counts[server]! > limitPerServer
  }))
}

function describe (user: User, servers: readonly Slot[], wallNowMs: number): ListedUser {
  return {
    id: formatClient(user.client),
    kind: user.client.kind,
    address: formatAddress(user.address),
    server: servers[user.server!]!.name,
    first_seen: new Date(wallNowMs - user.firstSeenAgoMs).toISOString(),
    last_seen: new Date(wallNowMs - user.lastSeenAgoMs).toISOString()
  }
}
