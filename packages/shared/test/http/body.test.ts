import { Readable } from 'node:stream'
import t from 'tap'
import { readBody } from '@usher/shared/http/body.ts'

t.test('body: is read to its end, up to the limit', async t => {
  const cases: ReadonlyArray<[chunks: string[], expected: string]> = [
    [[], ''], [['abc'], 'abc'], [['a', 'b', 'cd'], 'abcd'], [['abcde'], 'too large'], [['abcd', 'e'], 'too large']
  ]
  for (const [chunks, expected] of cases) {
    const body = await readBody(Readable.from(chunks.map(chunk => Buffer.from(chunk))), 4)
    t.equal(String(body), expected, chunks.join())
  }
})

t.test('body: says so when the client has left', async t => {
  for (const reason of [undefined, new Error('reset')]) {
    const request = new Readable({ read () {} })
    const body = readBody(request, 4)
    request.push('ab')
    request.destroy(reason)
    t.equal(await body, undefined)
  }
})
