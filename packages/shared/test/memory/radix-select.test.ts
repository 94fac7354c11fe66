/** The position at a rank, against a list that is sorted. */
import fc from 'fast-check'
import t from 'tap'
import { RadixSelect } from '@usher/shared/memory/radix-select.ts'

function found (keys: readonly number[], rank: number) {
  const select = new RadixSelect(rank)
  for (const [place, key] of keys.entries()) select.offer(key, place)
  let steps = 0
  while (!select.step()) if (++steps > 10_000) throw new Error('no end')
  return select.found
}

t.test('radix select: is what sorting finds, equal keys by place', async t => {
  const key = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer())
  fc.assert(fc.property(fc.array(key, { maxLength: 50 }), fc.nat(55), (keys, rank) => {
    const sorted = keys.map((key, place) => ({ key, place }))
      .sort((a, b) => a.key - b.key || a.place - b.place)
    const [is, wanted] = [found(keys, rank), sorted[rank]].map(value => JSON.stringify(value))
    if (is !== wanted) throw new Error(`${is} is not ${wanted}`)
  }), { numRuns: 500 })
  t.pass('500 lists')
})

t.test('radix select: the first, the last and one too many of more than a chunk', async t => {
  const count = 150_000
  const keys = Array.from({ length: count }, (_, at) => at * 7919 % count)
  t.strictSame(found(keys, 0), { key: 0, place: 0 })
  t.equal(found(keys, count - 1)?.key, count - 1)
  t.equal(found(keys, 65_536)?.key, 65_536)
  t.equal(found(keys, count), undefined)
  t.strictSame(found(new Array<number>(count).fill(5), 100_000), { key: 5, place: 100_000 })
})
