import t from 'tap'
import { visibleText } from '@usher/shared/visible-text.ts'

t.test('visible text: what nobody sees is written out', async t => {
  const cases: ReadonlyArray<[text: string, shown: string]> = [
    ['', ''],
    ['spam from 192.0.2.7', 'spam from 192.0.2.7'],
    ['Žluťoučký 漢字 😀 العربية \n\t "\\u202e"', 'Žluťoučký 漢字 😀 العربية \n\t "\\u202e"'],
    ['a\u202egnp.exe', 'a\\u202egnp.exe'],
    ['\u2066a\u2069\u200e\u061c', '\\u2066a\\u2069\\u200e\\u061c'],
    ['zero\u200bwidth\ufeff\u00ad', 'zero\\u200bwidth\\ufeff\\u00ad'],
    ['\u3164\u115f\u034f\u2800\ufe0f', '\\u3164\\u115f\\u034f\\u2800\\ufe0f'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['\u009b31m\u007f\u2028', '\\u009b31m\\u007f\\u2028']
  ]
  for (const [text, shown] of cases) {
    t.equal(visibleText(text), shown)
    t.equal(JSON.parse(visibleText(JSON.stringify(text), '\\\\')), shown, 'inside of JSON, too')
  }
})
