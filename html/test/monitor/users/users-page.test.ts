/** What of the users is asked for, of the monitor and by the address. */
import t from 'tap'
import {
  EVERYBODY, isSameQuery, parseUsersHash, usersHash, usersPath, type UsersQuery
} from '../../../monitor-script/users/users-page.ts'

t.test('users page: asks for what is set, and for nothing else', async t => {
  t.equal(usersPath(EVERYBODY, 0, 100), '/users?limit=100&sort=first_seen')
  const query = { search: '2001:db8::&x', server: '8001', sort: 'last_seen' } as const
  t.equal(usersPath(query, 700, 50),
    '/users?limit=50&sort=last_seen&offset=700&q=2001%3Adb8%3A%3A%26x&server=8001')
})

t.test('users page: the address says what is shown, and comes back as it was', async t => {
  const check = (query: Partial<UsersQuery>, hash: string): void => {
    t.equal(usersHash({ ...EVERYBODY, ...query }), hash)
    t.strictSame(parseUsersHash(hash), { ...EVERYBODY, ...query })
  }
  check({}, '#users')
  check({ search: 'a&b=c #%' }, '#users?q=a%26b%3Dc+%23%25')
  check({ server: '8001' }, '#users?server=8001')
  check({ sort: 'place' }, '#users?sort=place')
  check({ search: '::1', server: '8000', sort: 'last_seen' },
    '#users?q=%3A%3A1&server=8000&sort=last_seen')
})

t.test('users page: an address that was made up asks for everybody', async t => {
  for (const hash of ['', '#users?', '#users?server=X&sort=name&nope=1', '#users?server=-a']) {
    t.ok(isSameQuery(parseUsersHash(hash), EVERYBODY), hash)
  }
  t.equal(parseUsersHash(`#users?q=${'x'.repeat(99)}`).search.length, 64)
})
