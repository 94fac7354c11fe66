/** What the dialog asks and says. */
import t from 'tap'
import type { User } from '@usher/shared/api/users.ts'
import {
  denyNetworkQuestion, denyQuestion, denyReachQuestion, disconnectQuestion
} from '../../../monitor-script/actions/questions.ts'
import { testUser } from '../fixtures/test-user.ts'

const NOW_MS = new Date(2026, 10, 23, 14, 31).getTime()

t.test('questions: the button says how many and for how long', async t => {
  const question = denyQuestion([testUser(), testUser({ id: 'b', address: '::1' })], NOW_MS)
  t.equal(question.go(15), 'Deny 2 users for 15 min')
  t.equal(question.go(undefined), 'Deny 2 users until allowed')
  t.equal(disconnectQuestion([testUser()]).go(undefined), 'Disconnect 1 user')
})

t.test('questions: says until when', async t => {
  const { until } = denyQuestion([testUser()], NOW_MS)
  t.equal(until?.(60), 'They are refused everywhere until 15:31 today.')
  t.match(until?.(1440), /everywhere until 14:31 tomorrow\.$/)
  t.match(until?.(3 * 1440), /everywhere until 26 November, 14:31\.$/)
  t.match(until?.(undefined), /everywhere until somebody allows them again\.$/)
})

t.test('questions: what can be denied of whom', async t => {
  const check = (users: User[], labels: string[]): void => {
    t.strictSame(denyQuestion(users, NOW_MS).scopes?.map(({ label }) => label), labels)
  }
  check([testUser()], [
    'The id', 'The id and the last known address, 192.0.2.1',
    'The id and the whole range 192.0.2.0/24'
  ])
  check([testUser(), testUser({ id: 'b', address: '::1' })], [
    'Their ids', 'Their ids and their 2 last known addresses',
    'Their ids and the 2 ranges around their addresses'
  ])
  check([testUser({ id: '192.0.2.9', kind: 'ip', address: '192.0.2.9' })], [
    'The address', 'The whole range 192.0.2.0/24'
  ])
  check([testUser(), testUser({ id: '192.0.2.9', kind: 'ip', address: '192.0.2.9' })], [
    'Their ids, and the address of 1 without an id',
    'The id and the last known address, 192.0.2.1', 'The id and the whole range 192.0.2.0/24'
  ])
  check([testUser({ address: '::' })], ['The id'])
})

t.test('questions: knows how many of the picked are reached', async t => {
  const users = [
    testUser(),
    testUser({ id: 'b' }),
    testUser({ id: '192.0.2.9', kind: 'ip', address: '192.0.2.9' })
  ]
  const [, addresses, ranges] = denyQuestion(users, NOW_MS).scopes!
  t.strictSame(addresses?.reach, { places: ['192.0.2.1'], pickedCount: 2 })
  t.strictSame(ranges?.reach, { places: ['192.0.2.0/24'], pickedCount: 3 })
})

t.test('questions: of IPv6 an address is its range, and there is one choice for both', async t => {
  const user = testUser({ address: '2001:db8:1:2::9' })
  const question = denyQuestion([user], NOW_MS)
  t.strictSame(question.scopes?.map(({ label }) => label),
    ['The id', 'The id and the whole range 2001:db8:1:2::/64'])
  t.strictSame(question.scopes?.[1]?.reach, { places: ['2001:db8:1:2::/64'], pickedCount: 1 })
})

t.test('questions: how many a network or a range reaches is said before it is denied', async t => {
  const reach = { address: '203.0.113.0/24', users: 44 }
  t.match(denyNetworkQuestion('203.0.113.0/24', reach, NOW_MS), {
    title: 'Deny 203.0.113.0/24?',
    happens: ['44 users come from there now and would be disconnected.', /undo/]
  })
  t.equal(denyNetworkQuestion('203.0.113.7', undefined, NOW_MS).happens?.length, 1)
  t.equal(denyReachQuestion(reach, 60).go(undefined), 'Deny 44 users for 1 h')
})
