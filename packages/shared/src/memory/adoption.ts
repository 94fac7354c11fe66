/**
 * How an id takes the place of the entry under its address at a server with a capacity. Elsewhere
 * the new entry is written before the other one goes (replacement.ts), and for a moment the visitor
 * is there twice; here the other one goes first, and the server's admission lock keeps its place. A
 * thread that dies in between loses the visitor, who then comes anew. Any thread.
 */
import { clientOfAddress, type Address, type Client } from '../client.ts'
import { addUser } from './admission.ts'
import { lockAdmission, unlockAdmission } from './capacity.ts'
import {
  COMMIT_ADDRESS_KNOWN, COMMIT_KIND_IP, commitLoad, withSeen
} from './layout.ts'
import { removeUser } from './removal.ts'
import { findAddressEntry } from './replacement.ts'
import type { Busy, TableView } from './table-view.ts'

/** Puts the client where the entry is, if it still is there. @param seen how far it is known */
export function adoptAddressEntry (
  view: TableView, client: Client, address: Address, seen: number
): void | Busy {
  const found = findAddressEntry(view, client, address)
  if (found === undefined || found === 'busy') return found
  const server = commitLoad(found.commit)
  if (!lockAdmission(view, server)) return 'busy'
  const outcome = adopt(view, client, address, seen, server)
  unlockAdmission(view)
  return outcome
}

function adopt (
  view: TableView, client: Client, address: Address, seen: number, server: number
): void | Busy {
  const entry = findAddressEntry(view, client, address)
  if (entry === 'busy') return 'busy'
  if (entry === undefined || commitLoad(entry.commit) !== server) return
  if (removeUser(view, clientOfAddress(address)) === 'busy') return 'busy'
  const added = addUser(view, {
    client,
    address,
    commit: withSeen(entry.commit & ~(COMMIT_KIND_IP | COMMIT_ADDRESS_KNOWN), seen),
    firstSeenS: entry.firstSeenS,
    lastSeenMs: entry.lastSeenMs,
    reservedUntilMs: entry.reservedUntilMs
  })
  return added === 'busy' ? 'busy' : undefined
}
