import t from 'tap'
import { quote, quoteName } from '@usher/shared/quote.ts'

t.test('quote: keeps text on one line and within bounds', async t => {
  const cases: ReadonlyArray<[string, string]> = [
    ['', '""'],
    ['8080', '"8080"'],
    ['a "b"', '"a \\"b\\""'],
    ['a\nb\u001b[2J', '"a\\nb\\u001b[2J"'],
    ['a\u202eb\u009b', '"a\\u202eb\\u009b"'],
    ['x'.repeat(200), `"${'x'.repeat(200)}"`],
    ['x'.repeat(201), `"${'x'.repeat(200)}..."`]
  ]
  for (const [text, expected] of cases) {
    t.equal(quote(text), expected)
    t.equal(`"${quoteName(text)}"`, expected)
  }
})
