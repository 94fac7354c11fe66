import t from 'tap'
import type { Slot } from '@usher/shared/settings/servers.ts'
import { clientNumber, HOME, testTable } from '../../../../shared/test/memory/test-table.ts'
import { testExternal, testServers } from '../../../../shared/test/settings/test-servers.ts'
import { Suspects } from '../../../src/monitor/figures/suspects.ts'

const INTERVAL_MS = 2500
const OPENED = { sign: 'page' } as const
const BEAT = { sign: 'beat' } as const

function testSuspects ({
  heartbeatBudget = 2000, servers = testServers([8000, 8001]) as readonly Slot[]
} = {}) {
  const { table, clock } = testTable({ servers: 2, users: 4096 })
  const settings = { servers, heartbeatIntervalMs: INTERVAL_MS, heartbeatBudget }
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

t.test('suspects: pages of servers elsewhere beat as seldom as all of these together', async t => {
  const people = [1, 2, 3]
  for (const [servers, isSuspect] of [
    [testServers([8000, 8001]), true], [testExternal(0, ['a', 'b']), false]
  ] as const) {
    const { pass, open } = testSuspects({ heartbeatBudget: 1, servers })
    open(0, ...Array.from({ length: 40 }, (_, at) => 10 + at))
    open(1, ...people)
    await pass(1, ...people)
    await pass(1, ...people)
    for (let interval = 0; interval < 4; interval++) await pass(1)
    t.same((await pass(1))[1], isSuspect)
  }
})
