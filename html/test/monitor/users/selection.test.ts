/** Who is selected, through ranges and lists that change. */
import t from 'tap'
import type { User } from '@usher/shared/api/users.ts'
import { Selection, SELECTED_MAX } from '../../../monitor-script/users/selection.ts'

const user = (id: string | number): User => ({ id: String(id) }) as User
const users = (ids: string): User[] => [...ids].map(user)
const ids = (selection: Selection): string => selection.users.map(({ id }) => id).sort().join('')

t.test('selection: one more, one less', async t => {
  const selection = new Selection()
  selection.toggle(user('b'))
  selection.toggle(user('a'))
  t.equal(ids(selection), 'ab')
  selection.toggle(user('b'))
  t.equal(ids(selection), 'a')
  t.ok(selection.has({ id: 'a' }))
})

t.test('selection: a range grows and shrinks, and leaves alone what was picked before', async t => {
  const selection = new Selection()
  selection.toggle(user('d'))
  selection.toggle(user('b'))
  selection.extend(users('bcde'))
  t.equal(ids(selection), 'bcde')
  selection.extend(users('bc'))
  t.equal(ids(selection), 'bcd', 'd was picked by hand')
  selection.extend(users('ab'))
  t.equal(ids(selection), 'abd', 'to the other side')
})

t.test('selection: a range that has ended stays', async t => {
  const selection = new Selection()
  selection.extend(users('ab'))
  selection.endRange()
  selection.extend(users('x'))
  t.equal(ids(selection), 'abx')
})

t.test('selection: so many at a time', async t => {
  const selection = new Selection()
  selection.add(Array.from({ length: SELECTED_MAX + 5 }, (_, at) => user(at)))
  t.equal(selection.size, SELECTED_MAX)
  selection.toggle(user('x'))
  t.notOk(selection.has({ id: 'x' }))
  selection.toggle(user(0))
  selection.toggle(user('x'))
  t.ok(selection.has({ id: 'x' }), 'there is room again')
  selection.clear()
  t.strictSame(selection.users, [])
})
