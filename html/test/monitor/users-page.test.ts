/** Pages of users, and what of a page is selected. */
import t from 'tap'
import { Selection, usersPath, type User } from '../../monitor-script/users-page.ts'

const users = ['a', 'b', 'c', 'd'].map(id => ({ id }) as User)

function testSelection (): Selection {
  const selection = new Selection()
  selection.show(users)
  return selection
}

const ids = (selection: Selection): string => selection.users.map(({ id }) => id).join('')

t.test('users page: asks for what is set, and for nothing else', async t => {
  const query = { search: '', server: '', sort: 'place', cursor: '' }
  t.equal(usersPath(query), '/users?limit=100&sort=place')
  t.equal(usersPath({ search: '2001:db8::&x', server: '8001', sort: 'last_seen', cursor: '7' }),
    '/users?limit=100&sort=last_seen&q=2001%3Adb8%3A%3A%26x&server=8001&cursor=7')
})

t.test('selection: one, and a range from the last one in either direction', async t => {
  const selection = testSelection()
  selection.set(2, true, false)
  t.equal(ids(selection), 'c')
  selection.set(0, true, true)
  t.equal(ids(selection), 'abc')
  selection.set(1, false, false)
  t.equal(ids(selection), 'ac')
  selection.set(3, false, true)
  t.equal(ids(selection), 'a')
})

t.test('selection: a range without a first is the one', async t => {
  const selection = testSelection()
  selection.set(1, true, true)
  t.equal(ids(selection), 'b')
})

t.test('selection: all, and whole only when all are', async t => {
  const selection = testSelection()
  t.equal(selection.isWhole, false)
  selection.setAll(true)
  t.equal(selection.isWhole, true)
  selection.set(0, false, false)
  t.equal(selection.isWhole, false)
  selection.setAll(false)
  t.equal(ids(selection), '')
  selection.show([])
  t.equal(selection.isWhole, false, 'nobody is not everybody')
})

t.test('selection: outlives a new list, without who is not on it', async t => {
  const selection = testSelection()
  selection.setAll(true)
  selection.show(users.slice(1, 3))
  t.equal(ids(selection), 'bc')
  selection.show(users)
  t.equal(ids(selection), 'bc', 'and they do not come back with it')
})
