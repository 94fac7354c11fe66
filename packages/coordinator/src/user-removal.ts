/**
 * Removes expelled clients from the user table: a single client by its key, clients denied by an
 * address or a range by a walk through the whole table. Main thread.
 */
import {
  formatClient, parseClientId, type Client, type ClientMatch
} from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import { OrderTimedOut } from '@usher/shared/errors.ts'
import { expelledMatch } from '@usher/shared/expelled-clients.ts'
import { retryWhileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import type { Busy } from '@usher/shared/memory/table-view.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { ExpelledClients } from '@usher/shared/messages.ts'
import type { Logger } from 'pino'
import { walkTable } from './table-walk.ts'

export interface RemovalParts {
  readonly table: Pick<UserTable, 'remove' | 'removeMatching' | 'shardCount'>
  /** Monotonic milliseconds, for time slices and for entries that expire. */
  readonly now: () => number
  readonly log: Pick<Logger, 'isLevelEnabled' | 'debug'>
}

export interface Removed {
  /** Whether the one client was in the table, active or on its way. */
  readonly wasHere: boolean
  /** How many were removed, the one client included. */
  readonly removedUsers: number
}

/** Rejects when it could not be done to its end; doing it again does no harm. */
export async function removeUsers (
  parts: RemovalParts, { client, entries }: ExpelledClients
): Promise<Removed> {
  const wasHere = client !== undefined && await removeClient(parts, client)
  let removedUsers = wasHere ? 1 : 0
  for (const denied of entries.flatMap(deniedClient)) {
    if (await removeClient(parts, denied)) removedUsers++
  }
  const places = entries.filter(({ kind }) => kind !== 'id')
  if (places.length > 0) {
    const isMatch = expelledMatch({ client: undefined, entries: places }, parts.now)
    removedUsers += await removeMatching(parts, isMatch)
  }
  return { wasHere, removedUsers }
}

/** The one client that an entry denies; nothing for an address, behind which many may be. */
function deniedClient ({ kind, text }: DenyEntry): readonly Client[] {
  const client = kind === 'id' ? parseClientId(text) : undefined
  return client === undefined ? [] : [client]
}

async function removeClient (parts: RemovalParts, client: Client): Promise<boolean> {
  const wasHere = await untilFree(() => parts.table.remove(client))
  if (wasHere) logRemoved(parts, client)
  return wasHere
}

/** Searches the whole table; returns how many it removed. */
async function removeMatching (parts: RemovalParts, isMatch: ClientMatch): Promise<number> {
  const { table, now } = parts
  let removedUsers = 0
  await walkTable(table.shardCount, now, async (shard, fromSlot) => {
    const step = await untilFree(() => table.removeMatching(shard, fromSlot, isMatch))
    for (const { client } of step.removed) logRemoved(parts, client)
    removedUsers += step.removed.length
    return step.nextSlot
  })
  return removedUsers
}

async function untilFree<T> (operation: () => T | Busy): Promise<T> {
  const outcome = await retryWhileBusy(operation)
  if (outcome === 'busy') throw new OrderTimedOut('the user table', 'a removal')
  return outcome
}

function logRemoved ({ log }: RemovalParts, client: Client): void {
  if (log.isLevelEnabled('debug')) log.debug({ client: formatClient(client) }, 'user removed')
}
