import t from 'tap'
import { quote, quoteName, quotePath } from '@usher/shared/quote.ts'

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

t.test('quote: a path is shown whole, and nothing that is no path without end', async t => {
  const path = `/${'a folder/'.repeat(40)}\u001b[2J`
  t.equal(quotePath(path), `"/${'a folder/'.repeat(40)}\\u001b[2J"`)
  t.equal(quotePath('x'.repeat(4097)), `"${'x'.repeat(4096)}..."`)
})
