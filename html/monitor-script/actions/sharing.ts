/**
 * How many other users a denial by address would reach. Asked while the dialog is open; where it
 * cannot be found out, nothing is said.
 */
import { prefixOf } from './address-ranges.ts'
import type { Answer } from '../kit/api.ts'
import type { Reach } from './questions.ts'

export interface SharingParts {
  readonly get: (path: string) => Promise<Answer<Counts>>
}

/** Of either question the one figure. */
interface Counts {
  readonly users?: unknown
  readonly matched?: unknown
}

/** The monitor takes so many addresses in one question. */
const ADDRESSES_MAX = 100
/** Each is a search. */
const RANGES_MAX = 10

/** Beside those who are picked; undefined where it cannot be found out. */
export async function countOthers (
  { places, pickedCount }: Reach, { get }: SharingParts
): Promise<number | undefined> {
  const isRange = places.some(place => place.includes('/'))
  const total = isRange ? await countInRanges(places, get) : await countSharing(places, get)
  return total === undefined ? undefined : Math.max(0, total - pickedCount)
}

async function countSharing (
  addresses: readonly string[], get: SharingParts['get']
): Promise<number | undefined> {
  if (addresses.length > ADDRESSES_MAX) return undefined
  const query = new URLSearchParams(addresses.map(address => ['address', address]))
  const answer = await get(`/users/sharing?${query}`)
  return answer.isOk && typeof answer.body.users === 'number' ? answer.body.users : undefined
}

/** A search looks for what an address begins with. */
async function countInRanges (
  ranges: readonly string[], get: SharingParts['get']
): Promise<number | undefined> {
  if (ranges.length > RANGES_MAX) return undefined
  let total = 0
  for (const range of ranges) {
    const prefix = prefixOf(range)
    if (prefix === undefined) return undefined
    const answer = await get(`/users?${new URLSearchParams({ q: prefix, limit: '1' })}`)
    if (!answer.isOk || typeof answer.body.matched !== 'number') return undefined
    total += answer.body.matched
  }
  return total
}
