/**
 * Who has to go, as a question about one client: asked of every open connection, of every waiting
 * visitor and of users in the table. Holds nothing but the entries; used by every thread.
 */
import { areSameClients, clientOfAddress, type ClientMatch } from './client.ts'
import { DenyList } from './deny-list.ts'
import type { ExpelledClients } from './messages.ts'

/** @param now monotonic milliseconds, against which entries expire */
export function expelledMatch ({ client: leaver, entries }: ExpelledClients, now: () => number): ClientMatch {
  const denyList = new DenyList(now)
  denyList.replace(entries)
  return (client, address) => {
    // Who names nobody is known by the address.
    const known = client ?? clientOfAddress(address)
    if (leaver !== undefined && areSameClients(known, leaver)) return true
    return denyList.isDenied(client, address)
  }
}
