import t from 'tap'
import {
  loadScale, roomyLabels, spreadLabels, ticksOf, timeTicks
} from '../../../monitor-script/charts/chart-scale.ts'

t.test('chart scale: five ticks from 0 that are easy to count in', async t => {
  const cases: ReadonlyArray<[ReadonlyArray<number | null>, number[]]> = [
    [[], [0, 1, 2, 3, 4]],
    [[null, null], [0, 1, 2, 3, 4]],
    [[0, 0], [0, 1, 2, 3, 4]],
    [[4, 1], [0, 1, 2, 3, 4]],
    [[5, 1], [0, 2, 4, 6, 8]],
    [[596, 12], [0, 200, 400, 600, 800]],
    [[1284, null, 0], [0, 500, 1000, 1500, 2000]],
    [[100_000], [0, 25_000, 50_000, 75_000, 100_000]]
  ]
  for (const [values, ticks] of cases) t.same(ticksOf(loadScale(values, false)), ticks, `${values}`)
})

t.test('chart scale: balanced lines get an axis that fits them, and that says so', async t => {
  const balanced = loadScale([370, null, 448], true)
  t.equal(balanced.isFitted, true)
  t.ok(balanced.from <= 370 && balanced.from > 300 && balanced.to >= 448 && balanced.to < 500)
  t.equal(loadScale([359, 448], true).isFitted, true, 'under a fifth')
  t.equal(loadScale([358, 448], true).isFitted, false, 'a fifth and more')
  t.equal(loadScale([370, 448], false).isFitted, false, 'areas always stand on 0')
  t.equal(loadScale([19, 19], true).isFitted, false, 'so few are seen from 0')
  t.equal(loadScale([20, 20], true).isFitted, true)
})

t.test('chart scale: no value is outside', async t => {
  for (let min = 20; min < 3000; min += 7) {
    for (const spread of [0, 1, 3, min / 9, min / 6]) {
      const { from, to, step } = loadScale([min, min + spread], true)
      t.ok(from <= min && to >= min + spread && Number.isInteger(step), `${min}, ${spread}`)
    }
  }
})

t.test('chart scale: times evenly, both ends among them', async t => {
  t.same(timeTicks(1000, 5000, 5), [1000, 2000, 3000, 4000, 5000])
  t.same(timeTicks(1000, 5000, 3), [1000, 3000, 5000])
})

t.test('chart scale: labels make room for each other and stay inside', async t => {
  t.same(spreadLabels([50, 10, 90], 12, 0, 100), [50, 10, 90], 'there was room')
  t.same(spreadLabels([50, 50, 52], 12, 0, 100), [50, 62, 74])
  t.same(spreadLabels([98, 99, 97], 12, 0, 100), [88, 100, 76])
  t.same(spreadLabels([2, 1], 12, 0, 100), [13, 1])
})

t.test('chart scale: of labels too close the worse one is shown, then the later one', async t => {
  const shown = (...labels: ReadonlyArray<[place: number, weight: number]>): number[] =>
    [...roomyLabels(labels.map(([place, weight]) => ({ place, weight })), 80)].sort()
  t.same(shown([0, 0], [50, 0], [130, 0], [209, 0]), [1, 3])
  t.same(shown([0, 0], [80, 0], [160, 0]), [0, 1, 2], 'there is room')
  t.same(shown([0, 0], [50, 2], [100, 1]), [1])
  t.same(shown(), [])
})
