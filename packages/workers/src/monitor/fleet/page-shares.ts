/**
 * Which rows of each node a page of a list of all nodes consists of, when the list is too long to
 * be merged: rows of different nodes follow each other by how far down their own node's list they
 * are. So each row is on one page, and no node sends more than its part. Pure.
 */

/** Rows of one node's list. */
export interface Share {
  readonly offset: number
  readonly limit: number
}

/** @param counts rows of each node's list */
export function pageShares (
  counts: readonly number[], offset: number, limit: number
): readonly Share[] {
  const first = rowsBefore(counts, offset)
  const end = rowsBefore(counts, offset + limit)
  return counts.map((_, node) => ({ offset: first[node]!, limit: end[node]! - first[node]! }))
}

/** Of each node's rows, how many are among the first so many of all. */
function rowsBefore (counts: readonly number[], place: number): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (place >= total) return counts
  const taken = counts.map(count => {
    const rows = Math.ceil(place / total * count - 0.5)
    return Math.min(count, Math.max(0, rows))
  })
  let missing = place - taken.reduce((sum, rows) => sum + rows, 0)
  for (; missing > 0; missing--) taken[nextNode(counts, taken)]!++
  for (; missing < 0; missing++) taken[lastNode(counts, taken)]!--
  return taken
}

/** How far down its node's list a row is, from 0 to 1. */
function depthOf (row: number, count: number): number {
  return (row + 0.5) / count
}

/** Whose next row comes first; of equal ones the first node's. */
function nextNode (counts: readonly number[], taken: readonly number[]): number {
  let next = -1
  let depth = Infinity
  for (const [node, count] of counts.entries()) {
    if (taken[node]! >= count || depthOf(taken[node]!, count) >= depth) continue
    next = node
    depth = depthOf(taken[node]!, count)
  }
  return next
}

/** Whose last taken row comes last; of equal ones the last node's. */
function lastNode (counts: readonly number[], taken: readonly number[]): number {
  let last = -1
  let depth = -Infinity
  for (const [node, count] of counts.entries()) {
    if (taken[node] === 0 || depthOf(taken[node]! - 1, count) < depth) continue
    last = node
    depth = depthOf(taken[node]! - 1, count)
  }
  return last
}
