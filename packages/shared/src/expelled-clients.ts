/**
 * Which clients to expel, as a test of one client: applied to every open connection, to every
 * waiting visitor and to users in the table. Keeps nothing but the entries; used by every thread.
 */
import { areSameClients, clientOfAddress, type ClientMatch } from './client.ts'
import { DenyList } from './deny-list.ts'
import type { ExpelledClients } from './messages.ts'

/** @param now monotonic milliseconds, against which entries expire */
export function expelledMatch (
  { client: expelled, entries }: ExpelledClients, now: () => number
): ClientMatch {
  const denyList = new DenyList(now)
  denyList.replace(entries)
  return (client, address) => {
    // A client without an id is known by its address.
    const known = client ?? clientOfAddress(address)
    if (expelled !== undefined && areSameClients(known, expelled)) return true
    return denyList.isDenied(client, address)
  }
}
