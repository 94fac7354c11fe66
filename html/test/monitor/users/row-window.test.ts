/** Which rows are in the page, at every height and length of list. */
import fc from 'fast-check'
import t from 'tap'
import {
  listPx, rowsInView, scrollFor, windowAt, type ListShape
} from '../../../monitor-script/users/row-window.ts'

const shape: ListShape = { count: 100_000, rowPx: 36, viewPx: 720 }

t.test('row window: at the top, in the middle, at the end', async t => {
  t.strictSame(windowAt(0, shape), { first: 0, end: 28, topPx: 0 })
  t.strictSame(windowAt(36_000, shape), { first: 992, end: 1028, topPx: 992 * 36 })
  const end = windowAt(listPx(shape) - shape.viewPx, shape)
  t.strictSame(end, { first: 99_972, end: 100_000, topPx: 99_972 * 36 })
})

t.test('row window: a list that is short, or empty', async t => {
  t.strictSame(windowAt(0, { ...shape, count: 3 }), { first: 0, end: 3, topPx: 0 })
  t.strictSame(windowAt(0, { ...shape, count: 0 }), { first: 0, end: 0, topPx: 0 })
  t.strictSame(rowsInView(0, { ...shape, count: 0 }), { first: 0, end: 0 })
})

t.test('row window: the rows in view are in the window, however long the list', async t => {
  const list = fc.record({
    count: fc.integer({ min: 1, max: 4_194_304 }),
    rowPx: fc.integer({ min: 20, max: 90 }),
    viewPx: fc.integer({ min: 100, max: 2000 })
  })
  fc.assert(fc.property(list, fc.double({ min: 0, max: 1, noNaN: true }), (shape, share) => {
    const scrollPx = share * Math.max(0, listPx(shape) - shape.viewPx)
    const { first, end, topPx } = windowAt(scrollPx, shape)
    const view = rowsInView(scrollPx, shape)
    const belowPx = topPx + (end - first) * shape.rowPx
    if (view.first < first || view.end > end) throw new Error('a row in view is missing')
    if (end - first > shape.viewPx / shape.rowPx + 18) throw new Error('too many rows')
    if (topPx > scrollPx) throw new Error('a gap above')
    if (end < shape.count && belowPx < scrollPx + shape.viewPx) throw new Error('a gap below')
  }))
  t.pass('100 lists')
})

t.test('row window: scrolls to a row no further than needed, however long the list', async t => {
  t.equal(scrollFor(5, 0, shape), 0, 'in view already')
  t.equal(scrollFor(20, 0, shape), 36, 'one below the edge')
  t.equal(scrollFor(2, 360, shape), 72, 'above')
  for (const count of [100_000, 4_194_304]) {
    const long = { ...shape, count }
    for (const index of [0, 1, 777, count / 2 | 0, count - 1]) {
      const { first, end } = rowsInView(scrollFor(index, 40_000, long), long)
      t.ok(first <= index && index < end, `${index} of ${count}`)
    }
  }
  t.ok(listPx({ ...shape, count: 4_194_304 }) < 17_800_000, 'as high as every browser draws')
})
