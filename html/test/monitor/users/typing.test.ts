/** How what is typed is passed on. */
import t from 'tap'
import { Typing } from '../../../monitor-script/users/typing.ts'

function testTyping () {
  const passed: string[] = []
  const pauses: Array<() => void> = []
  const typing = new Typing({
    onText: text => { passed.push(text) }, schedule: action => { pauses.push(action) }
  })
  return { typing, passed, endPause: () => { pauses.shift()!() } }
}

t.test('typing: the first at once, then the latest after each pause', async t => {
  const { typing, passed, endPause } = testTyping()
  for (const text of ['a', 'ab', 'abc']) typing.type(text)
  t.strictSame(passed, ['a'])
  endPause()
  t.strictSame(passed, ['a', 'abc'])
  typing.type('abcd')
  t.equal(passed.length, 2, 'there is a pause after that, too')
  endPause()
  t.strictSame(passed, ['a', 'abc', 'abcd'])
  endPause()
  typing.type('x')
  t.strictSame(passed.at(-1), 'x', 'who has paused is not kept waiting')
})

t.test('typing: what is forgotten is not passed on', async t => {
  const { typing, passed, endPause } = testTyping()
  typing.type('a')
  typing.type('ab')
  typing.forget()
  endPause()
  t.strictSame(passed, ['a'])
})
