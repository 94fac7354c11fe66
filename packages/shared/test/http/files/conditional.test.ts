import t from 'tap'
import type { RequestFields } from '@usher/shared/http/vocabulary/values.ts'
import { evaluatePreconditions, isRangeCurrent } from '../../../src/http/files/conditional.ts'

const SAME = 'Sun, 06 Nov 1994 08:49:37 GMT'
const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT'
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT'
const CURRENT = { etag: '"a,b"', lastModifiedMs: Date.UTC(1994, 10, 6, 8, 49, 37) }
const UNDATED = { ...CURRENT, lastModifiedMs: undefined }
const thisYear = (): number => 2026

const HIT = CURRENT.etag
const MISS = '"other"'

type Verdict = ReturnType<typeof evaluatePreconditions>

t.test('conditional: each condition alone', async t => {
  const cases: ReadonlyArray<[headers: RequestFields, expected: Verdict]> = [
    [{}, 'proceed'],
    [{ 'if-match': HIT }, 'proceed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': `${MISS}, ${HIT}` }, 'proceed'],
    [{ 'if-match': MISS }, 'failed'],
    [{ 'if-match': `W/${HIT}` }, 'failed'],
    [{ 'if-match': '' }, 'failed'],
    [{ 'if-match': 'a,b' }, 'failed'],
    [{ 'if-unmodified-since': SAME }, 'proceed'],
    [{ 'if-unmodified-since': LATER }, 'proceed'],
    [{ 'if-unmodified-since': EARLIER }, 'failed'],
    [{ 'if-unmodified-since': 'yesterday' }, 'proceed'],
    [{ 'if-none-match': HIT }, 'not-modified'],
    [{ 'if-none-match': `W/${HIT}` }, 'not-modified'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': ' * ' }, 'not-modified'],
    [{ 'if-none-match': `${MISS},${HIT}` }, 'not-modified'],
    [{ 'if-none-match': `, ,\t${MISS} , W/${HIT} ,` }, 'not-modified'],
    [{ 'if-none-match': MISS }, 'proceed'],
    [{ 'if-none-match': '' }, 'proceed'],
    [{ 'if-none-match': 'a,b' }, 'proceed'],
    [{ 'if-none-match': '"a' }, 'proceed'],
    [{ 'if-none-match': 'w/"a,b"' }, 'proceed'],
    [{ 'if-none-match': `broken, ${HIT}` }, 'proceed'],
    [{ 'if-none-match': `${HIT}, broken` }, 'not-modified'],
    [{ 'if-none-match': `${MISS}${HIT}` }, 'proceed'],
    [{ 'if-none-match': '*, "x"' }, 'proceed'],
    [{ 'if-modified-since': SAME }, 'not-modified'],
    [{ 'if-modified-since': LATER }, 'not-modified'],
    [{ 'if-modified-since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 'not-modified'],
    [{ 'if-modified-since': EARLIER }, 'proceed'],
    [{ 'if-modified-since': '2030' }, 'proceed'],
    [{ 'if-modified-since': '' }, 'proceed']
  ]
  for (const [headers, expected] of cases) {
    t.equal(evaluatePreconditions(headers, CURRENT, thisYear), expected, JSON.stringify(headers))
  }
})

t.test('conditional: entity tags go before dates, and failing before not modified', async t => {
  const cases: ReadonlyArray<[headers: RequestFields, expected: Verdict]> = [
    [{ 'if-match': HIT, 'if-unmodified-since': EARLIER }, 'proceed'],
    [{ 'if-match': MISS, 'if-unmodified-since': LATER }, 'failed'],
    [{ 'if-none-match': MISS, 'if-modified-since': SAME }, 'proceed'],
    [{ 'if-none-match': HIT, 'if-modified-since': EARLIER }, 'not-modified'],
    [{ 'if-match': MISS, 'if-none-match': HIT }, 'failed'],
    [{ 'if-match': HIT, 'if-none-match': HIT }, 'not-modified'],
    [{ 'if-unmodified-since': EARLIER, 'if-none-match': HIT }, 'failed'],
    [{ 'if-unmodified-since': SAME, 'if-modified-since': SAME }, 'not-modified']
  ]
  for (const [headers, expected] of cases) {
    t.equal(evaluatePreconditions(headers, CURRENT, thisYear), expected, JSON.stringify(headers))
  }
})

t.test('conditional: dates say nothing of what has none', async t => {
  for (const name of ['if-modified-since', 'if-unmodified-since']) {
    t.equal(evaluatePreconditions({ [name]: EARLIER }, UNDATED, thisYear), 'proceed', name)
  }
  t.equal(isRangeCurrent({ 'if-range': SAME }, UNDATED, thisYear), false)
})

t.test('conditional: a long list of near misses is read in one pass', async t => {
  const list = '"a,c", '.repeat(20_000)
  t.equal(evaluatePreconditions({ 'if-none-match': list + HIT }, CURRENT, thisYear), 'not-modified')
  t.equal(evaluatePreconditions({ 'if-none-match': '"'.repeat(20_001) }, CURRENT, thisYear), 'proceed')
  t.equal(evaluatePreconditions({ 'if-none-match': ' '.repeat(20_001) }, CURRENT, thisYear), 'proceed')
})

t.test('conditional: If-Range wants the exact tag or date', async t => {
  const cases: ReadonlyArray<[value: string | undefined, expected: boolean]> = [
    [undefined, true], [HIT, true], [SAME, true], ['Sun Nov  6 08:49:37 1994', true],
    [`W/${HIT}`, false], [MISS, false], [EARLIER, false], [LATER, false], ['*', false], ['', false],
    [`${HIT}, ${MISS}`, false]
  ]
  for (const [value, expected] of cases) {
    const headers = value === undefined ? {} : { 'if-range': value }
    t.equal(isRangeCurrent(headers, CURRENT, thisYear), expected, String(value))
  }
})
