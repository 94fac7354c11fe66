/** The next server is the one that the policy chooses; and the spread, and a table nearly full. */
import t from 'tap'
import { describeBalance, isNearlyFull } from '../../../src/monitor/figures/balance.ts'

function balance (
  loads: readonly number[], {
    weights = loads.map(() => 1), down = [] as readonly number[], full = [] as readonly number[],
    policy = 'fewest-users' as const
  } = {}
) {
  const servers = loads.map((_, index) =>
    ({ index, name: `s${index}`, port: 8000 + index, weight: weights[index]! }))
  const isAvailable = (server: number): boolean => !down.includes(server)
  const isFull = (server: number): boolean => full.includes(server)
  return describeBalance({ policy, servers, isAvailable, isFull }, Int32Array.from(loads))
}

t.test('balance: the next visitor goes where the policy says, and the reason is its own', async t => {
  t.same(balance([4, 3, 5]).next, { server: 's1', because: 'fewest users' })
  t.same(balance([4, 4, 4]).next, { server: 's0', because: 'fewest users, first in the settings' })
  t.same(balance([4, 3, 5], { down: [1] }).next, { server: 's0', because: 'fewest users' })
  t.same(balance([4, 3], { down: [1] }).next, { server: 's0', because: 'only one available' })
  t.same(balance([4, 3], { down: [0, 1] }).next, null)
  t.same(balance([4, 3, 5], { full: [1] }).next, { server: 's0', because: 'fewest users' })
  t.match(balance([4, 3], { full: [0, 1] }), { next: null, all_full: true, spread: 1 })
  t.match(balance([4, 3], { full: [0], down: [1] }), { next: null, all_full: true })
  t.match(balance([4, 3], { full: [0] }), { all_full: false })
  t.match(balance([4, 3], { down: [0, 1], full: [0, 1] }), { all_full: false }, 'none takes visitors')
  t.same(balance([1, 1, 1], { weights: [1, 1, 2] }).next,
    { server: 's2', because: 'fewest users for its weight' })
})

t.test('balance: servers are told by their index, which may have gaps', async t => {
  const servers = [0, 4, 2].map(index => ({ index, name: `s${index}`, weight: 1 }))
  t.match(describeBalance({
    policy: 'fewest-users', servers, isAvailable: () => true, isFull: () => false
  }, Int32Array.from([5, 0, 7, 0, 3])), { next: { server: 's4' }, spread: 4 })
})

t.test('balance: where a policy goes by turns only the router knows who is next', async t => {
  const policy = 'round-robin' as never
  t.same(balance([4, 3], { policy }).next, { server: null, because: 'round robin' })
  t.same(balance([4, 3], { policy, down: [0, 1] }).next, null)
})

t.test('balance: the spread is among those that take visitors, by weight, and needs two of them', async t => {
  t.equal(balance([4, 9, 50], { down: [2] }).spread, 5)
  t.equal(balance([100, 100, 200], { weights: [1, 1, 2] }).spread, 0)
  t.equal(balance([101, 100, 200], { weights: [1, 1, 2] }).spread, 1)
  t.notHas(balance([9, 50], { down: [1] }), 'spread')
})

t.test('balance: a table is nearly full from nine tenths on', async t => {
  t.equal(isNearlyFull(89, 100), false)
  t.equal(isNearlyFull(90, 100), true)
})
