import t from 'tap'
import { hasRepeatedName } from '../../../src/monitor/access/repeated-names.ts'

t.test('repeated names: a name twice in one object, however it is written', async t => {
  const cases: ReadonlyArray<[json: string, expected: boolean]> = [
    ['{}', false],
    ['"a"', false],
    ['{"a":1,"b":2}', false],
    ['{"a":1,"a":2}', true],
    ['{"a" : 1 , "b" : 2, "a"\n:3}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['{"a\\"":1,"a":2}', false],
    ['{"a\\"":1,"b":2,"a\\"":3}', true],
    ['{"a":"a","b":"b:"}', false],
    ['{"a":"{\\"a\\":1","b":"}"}', false],
    ['{"a":{"a":1},"b":{"a":1}}', false],
    ['{"a":{"b":1,"b":2}}', true],
    ['{"a":{"b":1},"a":2}', true],
    ['[{"a":1},{"a":1}]', false],
    ['{"a":["a",{"a":1}],"b":"a"}', false],
    ['{"__proto__":1,"__proto__":2}', true]
  ]
  for (const [json, expected] of cases) {
    JSON.parse(json)
    t.equal(hasRepeatedName(json), expected, json)
  }
})
