import t from 'tap'
import { allUsers } from '../../src/memory/all-users.ts'
import type { UserPage } from '../../src/memory/snapshot.ts'
import { clientNumber, HOME, testTable } from './test-table.ts'

t.test('all users: each of them once, from all pages', t => {
  const { table } = testTable({ users: 8192 })
  for (let number = 0; number < 2500; number++) table.touch(clientNumber(number), 1, HOME)
  const numbers = [...allUsers(table)].map(({ client }) => client.w0)
  t.equal(numbers.length, 2500)
  t.equal(new Set(numbers).size, 2500)
  t.strictSame([...allUsers(testTable().table)], [])
  t.end()
})

t.test('all users: 99 busy tries are borne, the 100th is an error', t => {
  for (const [busyCount, isStuck] of [[99, false], [100, true]] as const) {
    let tries = 0
    const end: UserPage = { users: [], nextCursor: undefined }
    const list = () => [...allUsers({ readUsers: () => ++tries <= busyCount ? 'busy' : end })]
    if (isStuck) t.throws(list, { code: 'USHER_TABLE_STUCK' })
    else t.strictSame(list(), [])
    t.equal(tries, 100)
  }
  t.end()
})
