/**
 * How many users a denial by address would reach. Asked before it is sent; where it cannot be found
 * out, nothing is said.
 */
import type { Reach as Reached } from '@usher/shared/api/users.ts'
import type { Answer } from '../kit/api.ts'
import type { Reach } from './questions.ts'

export interface SharingParts {
  readonly get: (path: string) => Promise<Answer<Counts>>
}

interface Counts {
  readonly users?: unknown
}

/** The monitor takes so many addresses in one question. */
const ADDRESSES_MAX = 100
/** Each is a question of its own. */
const RANGES_MAX = 10

/** Beside those who are picked; undefined where it cannot be found out. */
export async function countOthers (
  { places, pickedCount }: Reach, { get }: SharingParts
): Promise<number | undefined> {
  const ranges = places.filter(place => place.includes('/'))
  const addresses = places.filter(place => !place.includes('/'))
  if (ranges.length > RANGES_MAX || addresses.length > ADDRESSES_MAX) return undefined
  const questions = [
    ...(addresses.length === 0 ? [] : [sharingPath(addresses)]), ...ranges.map(reachPath)
  ]
  let total = 0
  for (const question of questions) {
    const answer = await get(question)
    if (!answer.isOk || typeof answer.body.users !== 'number') return undefined
    total += answer.body.users
  }
  return Math.max(0, total - pickedCount)
}

/** What a denial of this address or range would deny, and how many come from there. */
export async function findReach (
  address: string, { get }: { readonly get: (path: string) => Promise<Answer<Reached>> }
): Promise<Reached | undefined> {
  const answer = await get(reachPath(address))
  return answer.isOk ? answer.body : undefined
}

function sharingPath (addresses: readonly string[]): string {
  return `/users/sharing?${new URLSearchParams(addresses.map(address => ['address', address]))}`
}

function reachPath (address: string): string {
  return `/users/reach?${new URLSearchParams({ address })}`
}
