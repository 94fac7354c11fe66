/**
 * Takes those who have to go out of the user table: single clients by their key, whoever an address
 * or a range denies by a search in slices, so that visitors are not kept waiting. Main thread.
 */
import { setImmediate } from 'node:timers/promises'
import {
  formatClient, parseClientId, type Client, type ClientMatch
} from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import { OrderTimedOut } from '@usher/shared/errors.ts'
import { expelledMatch } from '@usher/shared/expelled-clients.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { ExpelledClients } from '@usher/shared/messages.ts'
import type { Logger } from 'pino'

export interface RemovalParts {
  readonly table: Pick<UserTable, 'remove' | 'removeMatching' | 'shardCount'>
  /** Monotonic milliseconds, for slices and for entries that expire. */
  readonly now: () => number
  readonly log: Pick<Logger, 'isLevelEnabled' | 'debug'>
}

export interface Removed {
  /** Whether the one client was in the table, active or on its way. */
  readonly wasHere: boolean
  /** How many were removed, the one client included. */
  readonly removedUsers: number
}

/** The longest that a search of the table keeps the loop to itself. */
const SLICE_MS = 2
/** A shard is locked for microseconds, or until a dead worker's lock is recovered: some 10 ms. */
const BUSY_RETRIES_MAX = 1000

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
  const wasHere = await whenFree(() => parts.table.remove(client))
  if (wasHere) logRemoved(parts, client)
  return wasHere
}

/** Searches the whole table, giving way to the loop every SLICE_MS; returns how many it removed. */
async function removeMatching (parts: RemovalParts, isMatch: ClientMatch): Promise<number> {
  const { table, now } = parts
  let removedUsers = 0
  let sliceStartMs = now()
  for (let shard = 0; shard < table.shardCount; shard++) {
    let slot: number | undefined = 0
    while (slot !== undefined) {
      const from: number = slot
      const step = await whenFree(() => table.removeMatching(shard, from, isMatch))
      for (const { client } of step.removed) logRemoved(parts, client)
      removedUsers += step.removed.length
      slot = step.nextSlot
      if (now() - sliceStartMs < SLICE_MS) continue
      await setImmediate()
      sliceStartMs = now()
    }
  }
  return removedUsers
}

/** Asks again on the next turns of the loop while another thread holds the shard. */
async function whenFree<T> (operation: () => T | 'busy'): Promise<T> {
  for (let retry = 0; retry < BUSY_RETRIES_MAX; retry++) {
    const outcome = operation()
    if (outcome !== 'busy') return outcome
    await setImmediate()
  }
  throw new OrderTimedOut('the user table', 'a removal')
}

function logRemoved ({ log }: RemovalParts, client: Client): void {
  if (log.isLevelEnabled('debug')) log.debug({ client: formatClient(client) }, 'user removed')
}
