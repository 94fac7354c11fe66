/** Each row of each node is on one page. */
import t from 'tap'
import { pageShares } from '../../../src/monitor/fleet/page-shares.ts'

/** Walks all pages. @returns the rows of each node, in the order in which they came */
function walk (counts: readonly number[], limit: number): { rows: number[][], sizes: number[] } {
  const rows: number[][] = counts.map(() => [])
  const total = counts.reduce((sum, count) => sum + count, 0)
  const sizes = []
  for (let offset = 0; offset < total; offset += limit) {
    const shares = pageShares(counts, offset, limit)
    sizes.push(shares.reduce((sum, share) => sum + share.limit, 0))
    for (const [node, share] of shares.entries()) {
      for (let row = 0; row < share.limit; row++) rows[node]!.push(share.offset + row)
    }
  }
  return { rows, sizes }
}

t.test('page shares: every row is on one page, and every page but the last is full', t => {
  const check = (counts: readonly number[], limit: number): void => {
    const what = `${counts.join()} by ${limit}`
    const { rows, sizes } = walk(counts, limit)
    t.strictSame(rows, counts.map(count => Array.from({ length: count }, (_, row) => row)), what)
    t.ok(sizes.slice(0, -1).every(size => size === limit), what)
  }
  for (const limit of [1, 2, 7, 100]) {
    check([], limit)
    check([0, 0], limit)
    check([5], limit)
    check([3, 3, 3], limit)
    check([0, 1, 250], limit)
    check([90, 7, 3], limit)
    check([101, 99, 100, 1], limit)
  }
  t.end()
})

t.test('page shares: as many of each node as it has users in proportion', t => {
  t.strictSame(pageShares([200, 100], 0, 30), [{ offset: 0, limit: 20 }, { offset: 0, limit: 10 }])
  t.strictSame(pageShares([200, 100], 270, 60),
    [{ offset: 180, limit: 20 }, { offset: 90, limit: 10 }])
  t.strictSame(pageShares([2, 1], 50, 10), [{ offset: 2, limit: 0 }, { offset: 1, limit: 0 }])
  t.end()
})
