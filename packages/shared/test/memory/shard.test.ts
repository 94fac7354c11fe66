/** A crash at every single step of every operation, one after the other, then the repair. */
import t from 'tap'
import { formatClient } from '@usher/shared/client.ts'
import { MAIN_THREAD_PATIENCE, viewTable, type TableView } from '@usher/shared/memory/table-view.ts'
import { confirm, expireReservation, reserve } from '@usher/shared/memory/reservations.ts'
import { removeMatching, removeUser } from '@usher/shared/memory/removal.ts'
import { findUser } from '@usher/shared/memory/snapshot.ts'
import { sweepShard } from '@usher/shared/memory/sweep.ts'
import { UserSearch } from '@usher/shared/memory/user-search.ts'
import { leave } from '@usher/shared/memory/leaves.ts'
import { touch } from '@usher/shared/memory/visits.ts'
import { addressNumber, chooseLowest, clientNumber, HOME, testTable } from './test-table.ts'

const DYING_TAG = 9
const STEPS_MAX = 60

class Crash extends Error {}

const operations: Record<string, (view: TableView) => unknown> = {
  'a newcomer arrives': view => touch(view, clientNumber(50), 1, HOME),
  'a user is seen from another address': view => touch(view, clientNumber(1), 1, addressNumber(9)),
  'a user moves': view => touch(view, clientNumber(1), 2, addressNumber(1)),
  'a user leaves': view => leave(view, clientNumber(1), 1, false),
  'a newcomer reserves': view => reserve(view, reservation(60)),
  'a user reserves': view => reserve(view, reservation(1)),
  'a reserved visitor arrives': view => {
    reserve(view, reservation(61))
    return touch(view, clientNumber(61), 0, HOME)
  },
  'a reservation ends': view => {
    reserve(view, { ...reservation(62), untilMs: 0 })
    const confirmed = confirm(view, clientNumber(62), 0, 0)
    if (confirmed.kind === 'held') expireReservation(view, confirmed.place)
  },
  'a user is removed': view => {
    reserve(view, reservation(1))
    return removeUser(view, clientNumber(1))
  },
  'matching users are removed': view =>
    removeMatching(view, 0, 0, ({ w0 }) => w0 === 1 || w0 === 2),
  'users are looked for': view => {
    findUser(view, clientNumber(1))
    return searchAll(view)
  },
  'the sweep removes users': view => sweepShard(view, 0, -1, 0)
}

function searchAll (view: TableView): void {
  const search = new UserSearch(view, {
    server: 1, prefix: '0', sort: 'last_seen', cursor: undefined, limit: 5
  }, work => work())
  let steps = 0
  while (!search.step()) if (++steps > STEPS_MAX) throw new Error('no end')
}

function reservation (number: number): Parameters<typeof reserve>[1] {
  return {
    client: clientNumber(number),
    address: HOME,
    isReturning: false,
    untilMs: 2e6,
    choose: chooseLowest
  }
}

for (const [name, operation] of Object.entries(operations)) {
  t.test(`shard: ${name}: a crash at any step leaves a table that repairs`, async t => {
    let step = 1
    for (; step < STEPS_MAX; step++) {
      const isDone = crashAt(step)
      if (isDone) break
    }
    t.ok(step > 3, `${step} steps walked`)
    t.ok(step < STEPS_MAX, 'the operation came to its end')

    function crashAt (dieAtStep: number): boolean {
      const cluster = testTable({ users: 64 })
      for (let i = 0; i < 9; i++) cluster.table.touch(clientNumber(i), 1, addressNumber(i))
      const bystander = clientNumber(5)
      let steps = 0
      const dying = viewTable(cluster.memory, {
        threadTag: DYING_TAG,
        patience: MAIN_THREAD_PATIENCE,
        now: () => cluster.clock.nowMs,
        onStep: () => { if (++steps === dieAtStep) throw new Crash() }
      })
      let isDone = true
      try {
        operation(dying)
      } catch (error) {
        if (!(error instanceof Crash)) throw error
        isDone = false
      }
      cluster.table.recover(DYING_TAG)
      t.same(cluster.table.check(), [], `step ${dieAtStep}`)
      if (!name.startsWith('the sweep')) {
        const page = cluster.table.readUsers(0, 100)
        const there = page !== 'busy' && page.users.some(
          user => formatClient(user.client) === formatClient(bystander) && user.server === 1
        )
        t.ok(there, 'nobody else is lost')
      }
      return isDone
    }
  })
}

t.test('shard: a half-written address is shown as unknown, never as a mixture', async t => {
  const cluster = testTable({ users: 64 })
  cluster.table.touch(clientNumber(1), 1, addressNumber(1))
  const dying = viewTable(cluster.memory, {
    threadTag: DYING_TAG,
    patience: MAIN_THREAD_PATIENCE,
    now: () => cluster.clock.nowMs,
    onStep: step => { if (step === 'ADDRESS_HALF') throw new Crash() }
  })
  t.throws(() => touch(dying, clientNumber(1), 1, HOME))
  cluster.table.recover(DYING_TAG)
  const page = cluster.table.readUsers(0, 10)
  t.same(page !== 'busy' && page.users[0]!.address, { w0: 0, w1: 0, w2: 0, w3: 0 })
  cluster.table.touch(clientNumber(1), 1, HOME)
  const next = cluster.table.readUsers(0, 10)
  t.same(next !== 'busy' && next.users[0]!.address, HOME)
})

t.test('shard: at no step of a move is the user counted nowhere', async t => {
  const cluster = testTable({ users: 64 })
  cluster.table.touch(clientNumber(1), 0, HOME)
  let fewest = Infinity
  const moving = viewTable(cluster.memory, {
    threadTag: DYING_TAG,
    patience: MAIN_THREAD_PATIENCE,
    now: () => cluster.clock.nowMs,
    onStep: () => {
      const load = cluster.table.loads().reduce((sum, users) => sum + users)
      const active = cluster.table.activeUsersPerServer().reduce((sum, users) => sum + users)
      fewest = Math.min(fewest, load, active)
    }
  })
  touch(moving, clientNumber(1), 1, HOME)
  reserve(moving, reservation(1))
  touch(moving, clientNumber(1), 2, HOME)
  t.equal(fewest, 1)
})
