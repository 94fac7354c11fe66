/** The shared pieces of the schemas mean what their names say. */
import t from 'tap'
import { countText, objectOf, reason } from '../../../src/monitor/routes/schemas.ts'

t.test('schemas: an object takes its own fields and no others', async t => {
  const schema = objectOf({ a: reason }, ['a'])
  t.equal(schema.additionalProperties, false)
  t.strictSame(schema.required, ['a'])
})

t.test('schemas: a reason has no control characters, a count is digits', async t => {
  const visible = new RegExp(reason.pattern, 'u')
  for (const text of ['', 'Ana & Bo, 12 °C', '<script>', '日本']) t.ok(visible.test(text), text)
  for (const text of ['a\nb', '\u0000', '\u007f', '\u0085', '\u2028']) t.notOk(visible.test(text))
  const digits = new RegExp(countText.pattern, 'u')
  t.ok(digits.test('0'))
  for (const text of ['', '-1', '1e3', '1.0', ' 1', '12345678']) t.notOk(digits.test(text), text)
})
