/** What is remembered of a function's results, and for how long. */
import t from 'tap'
import { remembering, whileSame } from '@usher/shared/remembering.ts'

t.test('remembering: makes each text once, until there are too many', async t => {
  const made: string[] = []
  const shout = remembering(2, text => {
    made.push(text)
    return text.toUpperCase()
  })
  t.strictSame(['a', 'b', 'a', 'b'].map(shout), ['A', 'B', 'A', 'B'])
  t.strictSame(made, ['a', 'b'])
  t.equal(shout('c'), 'C', 'a third one: the others are forgotten')
  t.strictSame(['c', 'a', 'c'].map(shout), ['C', 'A', 'C'])
  t.strictSame(made, ['a', 'b', 'c', 'a'])
})

t.test('remembering: neither long texts nor nothing, but what is false', async t => {
  const made: string[] = []
  const judge = remembering(10, (text): boolean | undefined => {
    made.push(text)
    return text === 'none' ? undefined : false
  })
  const long = 'x'.repeat(129)
  for (const text of ['none', 'no', long]) t.equal(judge(text), judge(text))
  t.strictSame(made, ['none', 'none', 'no', long, long])
})

t.test('remembering: what is made of an object is kept until it is another one', async t => {
  let source: object = {}
  let made = 0
  const get = whileSame(() => source, () => ++made)
  t.strictSame([get(), get()], [1, 1])
  source = {}
  t.strictSame([get(), get()], [2, 2])
})
