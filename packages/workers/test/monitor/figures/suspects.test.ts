import t from 'tap'
import { clientNumber, HOME, testTable } from '../../../../shared/test/memory/test-table.ts'
import { Suspects } from '../../../src/monitor/figures/suspects.ts'

const INTERVAL_MS = 2500
const OPENED = { sign: 'page' } as const
const BEAT = { sign: 'beat' } as const

function testSuspects ({ heartbeatBudget = 2000 } = {}) {
  const { table, clock } = testTable({ servers: 2, users: 4096 })
  const settings = { heartbeatIntervalMs: INTERVAL_MS, heartbeatBudget }
  const suspects = new Suspects({ table, settings })
  /** An interval, in which these people beat at the server. */
  const pass = async (server: number, ...people: number[]): Promise<boolean[]> => {
    clock.nowMs += INTERVAL_MS / 2
    for (const person of people) table.touch(clientNumber(person), server, HOME, BEAT)
    clock.nowMs += INTERVAL_MS / 2
    await suspects.look()
    return [0, 1].map(index => suspects.has(index))
  }
  const open = (server: number, ...people: number[]): void => {
    for (const person of people) table.touch(clientNumber(person), server, HOME, OPENED)
  }
  return { table, suspects, pass, open }
}

t.test('suspects: a server whose people stop at once is one, until somebody beats or all are gone', async t => {
  const { table, pass, open } = testSuspects()
  open(1, 1, 2, 3)
  open(0, 4, 5)
  t.same(await pass(1, 1, 2, 3), [false, false])
  t.same(await pass(1, 1, 2, 3), [false, false])
  t.same(await pass(1), [false, false], 'one beat may be late')
  t.same(await pass(1), [false, true])
  t.same(await pass(1), [false, true], 'for as long as it is so')
  t.same(await pass(1, 2), [false, false])
  t.same(await pass(1, 1, 2, 3), [false, false])
  await pass(1)
  t.same(await pass(1), [false, true])
  for (const person of [1, 2, 3]) table.leave(clientNumber(person), 1)
  t.same(await pass(1), [false, false])
})

t.test('suspects: not one whose people go one by one, nor one of a single person', async t => {
  const { pass, open } = testSuspects()
  open(1, 1, 2, 3)
  await pass(1, 1, 2, 3)
  for (const people of [[1, 2], [1, 2], [1], [1], [1], [], [], []]) {
    t.same(await pass(1, ...people), [false, false], people.join())
  }
})

t.test('suspects: where many share a budget each beats less often', async t => {
  const { pass, open } = testSuspects({ heartbeatBudget: 1 })
  const people = Array.from({ length: 5 }, (_, at) => at + 1)
  open(1, ...people)
  await pass(1, ...people)
  await pass(1, ...people)
  t.same(await pass(1), [false, false])
  t.same(await pass(1), [false, false], 'a page may be silent for 5 s')
  await pass(1)
  t.same(await pass(1), [false, true])
})
