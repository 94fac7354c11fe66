import { totalmem } from 'node:os'
import t from 'tap'
import { memoryRoom } from '../src/memory-room.ts'

const MIB = 2 ** 20
const THREE_SERVERS = { serverCount: 3, tableBytes: 10 * MIB, heldBytes: 0 }

t.test('memory room: what Usher needs itself is taken off the limit', async t => {
  const cases: ReadonlyArray<[
    what: string, needs: Partial<typeof THREE_SERVERS>,
    limitMib: number, usedMib: number, leftMib: number
  ]> = [
    ['a small container', {}, 256, 60, 38],
    ['a small one, where small sites are not refused', {}, 192, 60, 16],
    ['a reload there', { heldBytes: 16 * MIB }, 192, 170, 16],
    ['a large one', {}, 2048, 60, 1830],
    ['more servers', { serverCount: 32 }, 2048, 60, 1366],
    ['a large user table', { tableBytes: 300 * MIB }, 2048, 60, 1540],
    ['a reload: the files of now stay until it is over', { heldBytes: 100 * MIB }, 1024, 300, 706],
    ['many connections', { heldBytes: 100 * MIB }, 1024, 600, 424]
  ]
  for (const [what, needs, limitMib, usedMib, leftMib] of cases) {
    const system = { limitBytes: limitMib * MIB, usedBytes: usedMib * MIB }
    t.strictSame(memoryRoom({ ...THREE_SERVERS, ...needs }, system),
      { limitBytes: limitMib * MIB, leftBytes: leftMib * MIB }, what)
  }
})

t.test('memory room: the limit is the container\'s, or the machine\'s', async t => {
  const limits: ReadonlyArray<[constrained: number, limit: number]> = [
    [256 * MIB, 256 * MIB], [0, totalmem()], [2 ** 64, totalmem()]
  ]
  const { constrainedMemory } = process
  t.teardown(() => { process.constrainedMemory = constrainedMemory })
  for (const [constrained, limit] of limits) {
    process.constrainedMemory = () => constrained
    t.equal(memoryRoom(THREE_SERVERS).limitBytes, limit)
  }
})
