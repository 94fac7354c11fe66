/**
 * Whether a user was last seen from one of some addresses, or from a range, found out on the words
 * of a slot. One look-up each, however many addresses there are. Pure.
 */
import { isInRange, type AddressRange } from '../address-range.ts'
import { areSameWords, type Address, type Words128 } from '../client.ts'
import { COMMIT_ADDRESS_KNOWN, COMMIT_KIND_IP, SLOT_ADDRESS, SLOT_ID } from './layout.ts'
import type { SlotTest } from './text-prefix.ts'

/** True for users whose address, or the one last seen from, is one of these. */
export function addressTest (addresses: readonly Address[]): SlotTest {
  // By the word in which neighbours differ: the last one for IPv4, any of them for IPv6.
  const byKey = new Map<number, Address[]>()
  for (const address of addresses) {
    const key = keyOf(address.w0, address.w1, address.w2, address.w3)
    byKey.set(key, [...byKey.get(key) ?? [], address])
  }
  return (words, here) => {
    const at = addressAt(words, here)
    if (at === undefined) return false
    const alike = byKey.get(keyOf(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!))
    return alike?.some(address => areSameWords(address, wordsAt(words, at))) === true
  }
}

/** True for users whose address, or the one last seen from, lies in the range. */
export function rangeTest (range: AddressRange): SlotTest {
  return (words, here) => {
    const at = addressAt(words, here)
    return at !== undefined && isInRange(wordsAt(words, at), range)
  }
}

/** Where the address begins; undefined when it is not known. */
function addressAt (words: Int32Array, here: number): number | undefined {
  const commit = words[here]!
  // A client without an id is known by its address.
  if ((commit & COMMIT_KIND_IP) !== 0) return here + SLOT_ID
  return (commit & COMMIT_ADDRESS_KNOWN) === 0 ? undefined : here + SLOT_ADDRESS
}

function wordsAt (words: Int32Array, at: number): Words128 {
  return { w0: words[at]!, w1: words[at + 1]!, w2: words[at + 2]!, w3: words[at + 3]! }
}

function keyOf (w0: number, w1: number, w2: number, w3: number): number {
  return w0 ^ w1 ^ w2 ^ w3
}
