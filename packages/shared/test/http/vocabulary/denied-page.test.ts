import t from 'tap'
import { renderDeniedPage } from '@usher/shared/http/vocabulary/denied-page.ts'

const WHEN = new Date('2026-11-03T04:05:59Z')

t.test('denied page: fills in the visitor and the time, escaped', async t => {
  const cases: ReadonlyArray<[template: string, visitor: string, expected: string]> = [
    ['<dd>__VISITOR__</dd><dd>__WHEN__</dd>', '2001:db8::1', '<dd>2001:db8::1</dd><dd>3 November 2026, 04:05 UTC</dd>'],
    ['__VISITOR__ and __VISITOR__', 'a', 'a and a'],
    ['__VISITOR__', '<b title="x">&\'', '&lt;b title=&quot;x&quot;&gt;&amp;&#39;'],
    ['__VISITOR__ $', '$& $1 $$', '$&amp; $1 $$ $'],
    ['__VISITOR__', '__WHEN__', '__WHEN__'],
    ['nothing to fill — in', 'a', 'nothing to fill — in'],
    ['', 'a', '']
  ]
  for (const [template, visitor, expected] of cases) {
    t.equal(renderDeniedPage(Buffer.from(template), visitor, WHEN), expected)
  }
})
