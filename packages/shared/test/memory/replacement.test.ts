/** An id takes the place of its address's entry; and a thread that dies before the old one goes. */
import t from 'tap'
import { clientOfAddress } from '@usher/shared/client.ts'
import { addUser } from '@usher/shared/memory/admission.ts'
import { COMMIT_REPLACES, withActive, withSeen } from '@usher/shared/memory/layout.ts'
import { findAddressEntry, finishReplacement } from '@usher/shared/memory/replacement.ts'
import { freshCommit } from '@usher/shared/memory/shard.ts'
import { viewTable, MAIN_THREAD_PATIENCE, type TableView } from '@usher/shared/memory/table-view.ts'
import { touch } from '@usher/shared/memory/visits.ts'
import {
  addressNumber, clientNumber, HOME, reserveFor, testTable, type TestTable
} from './test-table.ts'

const ANA = clientNumber(1)
const VICTIM_TAG = 9

/** The id is in, and its thread is dead before the entry under the address is gone. */
function dieHalfWay (given: TestTable): void {
  given.table.touch(clientOfAddress(HOME), 1, HOME)
  let isAdded = false
  const victim = viewTable(given.memory, {
    threadTag: VICTIM_TAG,
    patience: MAIN_THREAD_PATIENCE,
    now: () => given.clock.nowMs,
    onStep (step) {
      if (isAdded && step === 'CS') throw new Error('dead')
      if (step === 'ADD_COMMITTED') isAdded = true
    }
  })
  t.throws(() => touch(victim, ANA, 1, HOME))
  t.equal(given.table.size(), 2, 'both are there')
}

/** The same memory, by a thread that held no lock when it died. */
function stopHalfWay ({ table, view }: TestTable): void {
  table.touch(clientOfAddress(HOME), 1, HOME)
  const commit = withSeen(withActive(freshCommit(ANA), 1), 2) | COMMIT_REPLACES
  addUser(view, { client: ANA, address: HOME, commit, reservedUntilMs: 0 })
}

t.test('replacement: the recovery finishes what a dead thread began', async t => {
  const given = testTable()
  dieHalfWay(given)
  given.table.recover(VICTIM_TAG)
  t.same([...given.table.loads()], [0, 1, 0])
  given.table.touch(clientOfAddress(HOME), 2, HOME)
  given.table.touch(ANA, 1, HOME)
  t.same([...given.table.loads()], [0, 1, 1], 'who comes from that address later is left alone')
  t.same(given.table.check(), [])
})

t.test('replacement: so does the next request of the client, from wherever it comes', async t => {
  const given = testTable()
  stopHalfWay(given)
  t.equal(given.table.touch(ANA, 1, addressNumber(7)), 'seen')
  t.same([...given.table.loads()], [0, 1, 0])
  t.same(given.table.check(), [])
})

t.test('replacement: a redirect in between does not lose sight of the address', async t => {
  const given = testTable()
  stopHalfWay(given)
  reserveFor(given, ANA, { address: addressNumber(7) })
  given.table.touch(ANA, 1, addressNumber(7))
  t.equal(given.table.size(), 1)
})

t.test('replacement: finishing twice is finishing once, and of nothing is nothing', async t => {
  const { table, view } = testTable()
  table.touch(ANA, 0, HOME)
  table.touch(clientOfAddress(HOME), 1, HOME)
  const finish = (): unknown => finishReplacement(view, ANA, HOME)
  t.equal(finish(), undefined)
  t.equal(finish(), undefined)
  t.equal(table.size(), 1)
  finishReplacement(view, clientNumber(2), addressNumber(2))
  t.equal(table.size(), 1)
})

t.test('replacement: only an id takes the place of an address', async t => {
  const { table, view } = testTable()
  const entryFor = (given: TableView, client: typeof ANA): unknown =>
    findAddressEntry(given, client, HOME)
  t.equal(entryFor(view, ANA), undefined)
  table.touch(clientOfAddress(HOME), 1, HOME)
  t.match(entryFor(view, ANA), { commit: Number, firstSeenS: 1000 })
  t.equal(entryFor(view, clientOfAddress(HOME)), undefined)
})
