import t from 'tap'
import { sparklinePaths } from '../../../monitor-script/charts/sparkline.ts'

t.test('sparkline: the last point stands at the end of the picture', async t => {
  const { line, area } = sparklinePaths([0, 10], 5)
  t.equal(line, 'M180.0 41.0L240.0 3.0')
  t.equal(area, 'M180.0 44L180.0 41.0L240.0 3.0L240.0 44Z')
})

t.test('sparkline: a gap parts the line, and where the data stop the line does', async t => {
  const { line } = sparklinePaths([0, 10, null, 10, null], 5)
  t.equal(line, 'M0.0 41.0L60.0 3.0M180.0 3.0')
  t.same(sparklinePaths([], 5), { line: '', area: '' })
  t.same(sparklinePaths([null, null], 5), { line: '', area: '' })
})

t.test('sparkline: more points than it shows are left out', async t => {
  t.equal(sparklinePaths([99, 99, 0, 10], 2).line, 'M0.0 41.0L240.0 3.0')
})

t.test('sparkline: a small change looks small', async t => {
  const heights = [...sparklinePaths([100, 101], 2).line.matchAll(/ ([\d.]+)/g)]
    .map(([, y]) => Number(y))
  t.ok(Math.abs(heights[0]! - heights[1]!) < 3, `${heights}`)
})
