import t from 'tap'
import { bucketOf, bucketStartMs, DURATION_BUCKETS } from '@usher/shared/duration-buckets.ts'
import { BOUNDS_MS, family, histogram } from '../../../src/monitor/figures/prometheus-text.ts'
import { parseMetrics } from '../fixtures/parse-metrics.ts'

function durationsOf (...durationsMs: number[]) {
  const buckets = new Float64Array(DURATION_BUCKETS)
  for (const durationMs of durationsMs) buckets[bucketOf(durationMs)]!++
  return { buckets, sumMs: durationsMs.reduce((sum, ms) => sum + ms, 0) }
}

t.test('prometheus text: a family is its head and its samples', async t => {
  t.equal(family('a_total', 'counter', 'What a is.', [[{}, 3], [{ x: 'y', z: 8000 }, 0.5]]),
    '# HELP a_total What a is.\n# TYPE a_total counter\na_total 3\na_total{x="y",z="8000"} 0.5\n')
})

t.test('prometheus text: what is not known is left out', async t => {
  t.equal(family('a', 'gauge', 'A.', [[{}, undefined], [{ x: 1 }, 2]]),
    '# HELP a A.\n# TYPE a gauge\na{x="1"} 2\n')
  t.equal(family('a', 'gauge', 'A.', [[{}, undefined]]), '')
  t.equal(histogram('a', 'A.', []), '')
})

t.test('prometheus text: texts are escaped', async t => {
  const label = 'a "b" \\ \n c'
  const text = family('a', 'gauge', 'one\ntwo \\ three', [[{ label }, 1]])
  t.equal(text.split('\n').length, 4)
  t.equal(parseMetrics(text).get('a')!.samples[0]!.labels['label'], label)
  t.match(text, '# HELP a one\\ntwo \\\\ three\n')
})

t.test('prometheus text: every bound is the edge of a bucket', async t => {
  for (const boundMs of BOUNDS_MS) t.equal(bucketStartMs(bucketOf(boundMs)), boundMs)
})

t.test('prometheus text: a histogram counts up to each bound, in seconds', async t => {
  const text = histogram('a_seconds', 'A.', [
    [{ server: 8000 }, durationsOf(0.02, 1, 1.5, 350, 359, 360, 20_000)],
    [{ server: 8001 }, durationsOf()]
  ])
  const { samples } = parseMetrics(text).get('a_seconds')!
  const upTo = (le: string): number | undefined => samples.find(({ labels }) =>
    labels['le'] === le && labels['server'] === '8000')?.value
  t.same(['0.00005', '0.001', '0.0025', '0.35', '0.36', '0.4', '10', '+Inf'].map(upTo),
    [1, 1, 3, 3, 5, 6, 6, 7], 'one at a bound may lie above it by a microsecond')
  const sum = samples.find(({ name }) => name === 'a_seconds_sum')!.value
  t.ok(Math.abs(sum - 21.07152) < 1e-9)
  t.equal(samples.filter(({ labels }) => labels['server'] === '8001').every(({ value }) => value === 0), true)
})
