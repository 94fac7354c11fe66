import t from 'tap'
import { walkTable } from '../src/table-walk.ts'

t.test('table walk: each shard from its first slot to its end, one after another', async t => {
  const visited: Array<[number, number]> = []
  await walkTable(3, () => 0, (shard, fromSlot) => {
    visited.push([shard, fromSlot])
    // The second shard takes three steps, the others one.
    return shard === 1 && fromSlot < 20 ? fromSlot + 10 : undefined
  })
  t.strictSame(visited, [[0, 0], [1, 0], [1, 10], [1, 20], [2, 0]])
})

t.test('table walk: a step that resolves later is waited for', async t => {
  const events: string[] = []
  await walkTable(2, () => 0, async shard => {
    events.push(`begin ${shard}`)
    await Promise.resolve()
    events.push(`end ${shard}`)
    return undefined
  })
  t.strictSame(events, ['begin 0', 'end 0', 'begin 1', 'end 1'])
})

t.test('table walk: what a step throws ends it', async t => {
  await t.rejects(walkTable(2, () => 0, () => { throw new Error('broken') }), { message: 'broken' })
})
