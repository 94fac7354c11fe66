import t from 'tap'
import { clientOfAddress, formatClient } from '@usher/shared/client.ts'
import {
  addressNumber, clientNumber, HOME, reserveFor, testTable
} from '../../shared/test/memory/test-table.ts'
import { NAMED_SERVERS } from '../../shared/test/settings/test-servers.ts'
import { logUsers } from '../src/log-users.ts'
import { lockTable } from './fixtures/locked-table.ts'
import { testLog } from './fixtures/log.ts'

t.test('log users: says who was on which server', async t => {
  const cluster = testTable()
  cluster.table.touch(clientNumber(1), 0, HOME)
  cluster.table.touch(clientNumber(2), 2, HOME)
  cluster.table.touch(clientOfAddress(addressNumber(3)), 2, addressNumber(3))
  const { log, lines } = testLog('info')
  logUsers(cluster.table, NAMED_SERVERS, log)
  t.match(lines.slice(0, 3), [
    { server: 'red', users: 1, msg: 'active users when it stopped' },
    { server: 'green', users: 0, msg: 'active users when it stopped' },
    { server: 'blue', users: 2, msg: 'active users when it stopped' }
  ])
  t.strictSame(idsOf(lines, 'red'), [formatClient(clientNumber(1))])
  t.strictSame(idsOf(lines, 'green'), [])
  t.strictSame(idsOf(lines, 'blue').sort(), [formatClient(clientNumber(2)), '2001:db8:3::1'].sort())
  t.equal(lines.length, 5, 'a server without users has no line of ids')
})

t.test('log users: an empty table is three counts of 0', async t => {
  const { log, lines } = testLog('info')
  logUsers(testTable().table, NAMED_SERVERS, log)
  t.strictSame(lines.map(({ server, users }) => [server, users]), [['red', 0], ['green', 0], ['blue', 0]])
})

t.test('log users: whoever has not arrived is no active user', async t => {
  const cluster = testTable()
  reserveFor(cluster, clientNumber(1))
  cluster.table.touch(clientNumber(2), 1, HOME)
  reserveFor(cluster, clientNumber(2))
  const { log, lines } = testLog('info')
  logUsers(cluster.table, NAMED_SERVERS, log)
  const ids = NAMED_SERVERS.map(({ name }) => idsOf(lines, name))
  t.strictSame(ids, [[], [formatClient(clientNumber(2))], []])
})

t.test('log users: a line has at most 1,000 ids, and none is left out', async t => {
  for (const [users, lengths] of [
    [999, [999]], [1000, [1000]], [1001, [1000, 1]], [2500, [1000, 1000, 500]]
  ] as const) {
    const { table } = testTable({ users: 8192 })
    const expected: string[] = []
    for (let number = 0; number < users; number++) {
      table.touch(clientNumber(number), 1, HOME)
      expected.push(formatClient(clientNumber(number)))
    }
    const { log, lines, saying } = testLog('info')
    logUsers(table, NAMED_SERVERS, log)
    t.strictSame(saying('ids of the active users').map(({ ids }) => (ids as string[]).length), lengths)
    t.strictSame(idsOf(lines, 'green').sort(), expected.sort(), `all ${users} of them, once`)
  }
})

t.test('log users: a table that stays locked ends the list with a warning', async t => {
  const { table, view } = testTable()
  table.touch(clientNumber(1), 0, HOME)
  lockTable(view)
  const { log, lines } = testLog('info')
  logUsers(table, NAMED_SERVERS, log)
  t.match(lines[0], { server: 'red', users: 1 }, 'counts need no lock')
  t.match(lines.at(-1), { level: 40, msg: /cannot be listed/ })
  t.equal(lines.length, 4)
})

function idsOf (lines: ReadonlyArray<Readonly<Record<string, unknown>>>, name: string): string[] {
  return lines.flatMap(({ server, ids }) => server === name && ids ? ids as string[] : [])
}
