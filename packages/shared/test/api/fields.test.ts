/** The pieces of the schemas mean what their names say, in JSON Schema and as types. */
import t from 'tap'
import { Disconnection } from '../../src/api/actions.ts'
import {
  byName, countText, flag, integer, listOf, nullable, objectOf, oneOf, optional, text, type Wire
} from '../../src/api/fields.ts'

t.test('fields: an object takes its own fields and no others; all but the optional are needed', async t => {
  const plain = (schema: object): unknown => JSON.parse(JSON.stringify(schema))
  t.strictSame(plain(objectOf({ a: text, b: optional(integer) }, { description: 'x' })), {
    type: 'object',
    description: 'x',
    required: ['a'],
    properties: { a: { type: 'string' }, b: { type: 'integer' } },
    additionalProperties: false
  })
  t.notHas(plain(objectOf({ b: optional(integer) })), 'required', 'no empty list: OpenAPI 3.0 forbids it')
  t.strictSame(plain(nullable(text)), { type: ['string', 'null'] })
  t.strictSame(plain(oneOf(['a', 'b'])), { type: 'string', enum: ['a', 'b'] })
  t.strictSame(plain(byName(integer)), { type: 'object', additionalProperties: { type: 'integer' } })
})

t.test('fields: what a schema describes is for reading only', async t => {
  const schema = objectOf({ list: listOf(nullable(text)), b: optional(flag) })
  t.strictSame(schema.required, ['list'])
  const value: Wire<typeof schema> = { list: [null] }
  // @ts-expect-error the list cannot be changed
  t.throws(() => value.list.push.call(Object.freeze([]), null))
  // @ts-expect-error a field is missing
  const wrong: Wire<typeof schema> = { b: true }
  t.ok(wrong)
})

t.test('fields: a reason has no control characters, a count is digits', async t => {
  const { pattern } = Disconnection.properties.reason as unknown as { pattern: string }
  const visible = new RegExp(pattern, 'u')
  for (const text of ['', 'Ana & Bo, 12 °C', '<script>', '日本']) t.ok(visible.test(text), text)
  for (const text of ['a\nb', '\u0000', '\u007f', '\u0085', '\u2028']) t.notOk(visible.test(text))
  const digits = new RegExp((countText as unknown as { pattern: string }).pattern, 'u')
  t.ok(digits.test('0'))
  for (const text of ['', '-1', '1e3', '1.0', ' 1', '12345678']) t.notOk(digits.test(text), text)
})
