import t from 'tap'
import fc from 'fast-check'
import {
  bucketOf, bucketStartMs, DURATION_BUCKETS, quantileMs
} from '@usher/shared/duration-buckets.ts'

function countsOf (...durationsMs: number[]): Uint32Array {
  const counts = new Uint32Array(DURATION_BUCKETS)
  for (const durationMs of durationsMs) counts[bucketOf(durationMs)]!++
  return counts
}

t.test('duration buckets: each one begins where the one before it ends', async t => {
  for (let bucket = 1; bucket < DURATION_BUCKETS; bucket++) {
    const startMs = bucketStartMs(bucket)
    t.ok(startMs > bucketStartMs(bucket - 1), `${bucket}`)
    t.equal(bucketOf(startMs + 1e-7 * startMs), bucket)
    t.equal(bucketOf(startMs - 1e-7 * startMs), bucket - 1)
  }
})

t.test('duration buckets: the edges are decimal', async t => {
  const cases: ReadonlyArray<[bucket: number, startMs: number]> = [
    [0, 0], [1, 0.001], [99, 0.099], [100, 0.1], [101, 0.11], [189, 0.99], [190, 1], [385, 250],
    [395, 350], [DURATION_BUCKETS - 1, 99_000], [DURATION_BUCKETS, 100_000]
  ]
  for (const [bucket, startMs] of cases) t.equal(bucketStartMs(bucket), startMs, `${bucket}`)
})

t.test('duration buckets: a duration falls within a tenth of where its bucket begins', async t => {
  fc.assert(fc.property(fc.double({ min: 0.01, max: 99_999, noNaN: true }), durationMs => {
    const startMs = bucketStartMs(bucketOf(durationMs))
    return startMs <= durationMs && durationMs < startMs * 1.1 + 1e-9
  }))
})

t.test('duration buckets: what is too short or too long has its bucket too', async t => {
  t.equal(bucketOf(0), 0)
  t.equal(bucketOf(-1), 0, 'a clock that went back')
  t.equal(bucketOf(100_000), DURATION_BUCKETS - 1)
  t.equal(bucketOf(1e12), DURATION_BUCKETS - 1)
})

t.test('duration buckets: a quantile is within its bucket', async t => {
  t.equal(quantileMs(countsOf(), 0.5), undefined, 'nothing counted, nothing to tell')
  t.equal(quantileMs(countsOf(350), 0.99), 359.9)
  t.equal(quantileMs(countsOf(1, 350), 0.5), 1.1, 'the end of the lower half')
  t.equal(quantileMs(countsOf(1, 350), 1), 360)
  t.equal(quantileMs(countsOf(...new Array<number>(99).fill(1), 5000), 0.99), 1.1)
  t.equal(quantileMs(countsOf(...new Array<number>(98).fill(1), 5000, 5000), 0.99), 5050)
})
