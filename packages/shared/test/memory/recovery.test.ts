import t from 'tap'
import { isLong } from '../length.ts'
import { crashRun, type Death } from './crash-run.ts'
import { clientNumber, HOME, testTable } from './test-table.ts'
import { ownerWord } from '@usher/shared/memory/lock.ts'
import { SHARD_HIGH_WATER, SHARD_LOCK, SHARD_USED, SLOT_NEXT } from '@usher/shared/memory/layout.ts'
import { shardAt, slotAt } from '@usher/shared/memory/table-view.ts'

const KILLS = isLong ? 240 : 40

t.test('recovery: no death of a thread leaves a wrong count or a stuck thread', async t => {
  const ways: Death[] = ['hang', 'terminate', 'exit', 'hang', 'throw']
  const deaths = Array.from({ length: KILLS }, (_, i) => i % 60 === 30 ? 'oom' : ways[i % 5]!)
  const run = await crashRun(t.testdir(), deaths, { seed: 20 })
  t.same(run.violations, [])
  t.equal(run.kills, KILLS)
  t.ok(run.killsWhileHolding > KILLS / 2, `${run.killsWhileHolding} held a lock`)
  t.comment(`${run.killsWhileHolding} holding a lock, ${run.operations} operations`)
})

t.test('recovery: with recovery switched off the same run fails', async t => {
  const run = await crashRun(t.testdir(), ['hang', 'exit', 'hang'], { isRecovering: false })
  t.ok(run.violations.length > 0)
})

t.test('recovery: rebuilds chains, free list and counters from commit words alone', async t => {
  const { table, view } = testTable({ users: 64 })
  for (let i = 0; i < 40; i++) table.touch(clientNumber(i), i % 3, HOME)
  for (let i = 0; i < 40; i += 4) table.leave(clientNumber(i), i % 3)
  const loads = [...table.loads()]
  const at = shardAt(view.layout, 0)
  view.words.fill(12345, at + SHARD_USED, at + SHARD_HIGH_WATER)
  view.words.fill(99, at + view.layout.countersAt, at + view.layout.slotsAt)
  for (let slot = 0; slot < 40; slot++) view.words[slotAt(view.layout, at, slot) + SLOT_NEXT] = 7
  view.words[at + SHARD_LOCK] = ownerWord(9)
  t.equal(table.recover(9), 1)
  t.same(table.check(), [])
  t.same([...table.loads()], loads)
})

t.test('recovery: leaves alone what a living thread holds', async t => {
  const { table, view } = testTable({ users: 64 })
  view.words[shardAt(view.layout, 0) + SHARD_LOCK] = ownerWord(8)
  t.equal(table.recover(9), 0)
  t.match(table.check(), ['shard 0 stays locked'])
  t.equal(table.touch(clientNumber(1), 0, HOME), 'busy', 'the main thread does not wait for it')
})

t.test('recovery: the check names what is wrong', async t => {
  const { table, view } = testTable({ users: 64 })
  table.touch(clientNumber(1), 0, HOME)
  const at = shardAt(view.layout, 0)
  view.words[at + SHARD_USED]!++
  t.same(table.check(), ['shard 0: used: says 2, counted 1'])
})
