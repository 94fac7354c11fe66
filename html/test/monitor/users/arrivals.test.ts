/** How many have arrived since the list was loaded. */
import t from 'tap'
import type { User } from '@usher/shared/api/users.ts'
import { Arrivals } from '../../../monitor-script/users/arrivals.ts'

/** `a5` is a, first seen in second 5. */
const users = (...texts: string[]): User[] => texts.map(text => ({
  id: text[0]!, first_seen: new Date(Number(text.slice(1)) * 1000).toISOString()
}) as User)

t.test('arrivals: who is new is counted, those of the same second, too', async t => {
  const arrivals = new Arrivals()
  arrivals.hear(users('c5', 'b3', 'a1'))
  t.equal(arrivals.count, 0, 'the first page is what others are compared with')
  arrivals.hear(users('e7', 'd5', 'c5', 'b3'))
  t.equal(arrivals.count, 2)
  t.equal(arrivals.isMore, false)
  arrivals.hear(users('c5', 'b3', 'a1'))
  t.equal(arrivals.count, 0, 'they have left again')
})

t.test('arrivals: who has moved up because others left is none', async t => {
  const arrivals = new Arrivals()
  arrivals.hear(users('c5', 'b4'))
  arrivals.hear(users('b4', 'a1'))
  t.equal(arrivals.count, 0)
})

t.test('arrivals: there may be more than the page has room for', async t => {
  const arrivals = new Arrivals()
  arrivals.hear(users('b4', 'a3'))
  arrivals.hear(users('d9', 'c8'))
  t.strictSame([arrivals.count, arrivals.isMore], [2, true])
  arrivals.forget()
  t.strictSame([arrivals.count, arrivals.isMore], [0, false])
})

t.test('arrivals: everybody is, where nobody was', async t => {
  const arrivals = new Arrivals()
  arrivals.hear([])
  arrivals.hear(users('a1', 'b1'))
  t.strictSame([arrivals.count, arrivals.isMore], [2, false])
})
