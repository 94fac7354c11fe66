import t from 'tap'
import { parseAddress, parseClientId, UNKNOWN_ADDRESS, type ClientMatch } from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import type { Order } from '@usher/shared/messages.ts'
import { testTable } from '../../shared/test/memory/test-table.ts'
import { Expulsion } from '../src/expulsion.ts'
import { testLog } from './fixtures/log.ts'

const ANA = parseClientId('6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61')!
const BEN = parseClientId('7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62')!
const ANA_DENIED: DenyEntry =
  { kind: 'id', text: '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61', untilMs: undefined }
const BEN_DENIED: DenyEntry =
  { kind: 'id', text: '7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62', untilMs: undefined }
const HOME = parseAddress('192.0.2.7')!

/** Two users on server 0, and a record of what is done, in its order. */
function testExpulsion (fail: (order: Order) => void = () => {}) {
  const { table } = testTable()
  table.touch(ANA, 0, HOME)
  table.touch(BEN, 0, HOME)
  const steps: string[] = []
  const closed: ClientMatch[] = []
  const expulsion = new Expulsion({
    table,
    tellServers: async order => {
      const entries = order.type === 'replace-deny-list'
        ? order.entries
        : order.type === 'close-clients' ? order.expelled.entries : []
      steps.push(`${order.type} ${entries.length}, ${table.activeUsers(0)} users`)
      fail(order)
    },
    closeAtRouter: async isMatch => {
      closed.push(isMatch)
      steps.push(`router, ${table.activeUsers(0)} users`)
    },
    now: () => 1000,
    log: testLog().log
  })
  return { expulsion, steps, closed, users: () => table.activeUsers(0) }
}

t.test('expulsion: refused by every thread, then out of the table, then cut off', async t => {
  const { expulsion, steps, closed } = testExpulsion()
  t.same(await expulsion.disconnect(ANA, [ANA_DENIED]), { wasHere: true, removedUsers: 1 })
  t.same(steps, ['replace-deny-list 1, 2 users', 'router, 1 users', 'close-clients 1, 1 users'])
  t.ok(expulsion.list.isDenied(ANA, UNKNOWN_ADDRESS), 'the router refuses too')
  t.same(expulsion.entries, [ANA_DENIED], 'and so does a server that boots now')
  t.same([closed[0]!(ANA, HOME), closed[0]!(BEN, HOME)], [true, false])
})

t.test('expulsion: without entries the client goes and the list stays', async t => {
  const { expulsion, steps } = testExpulsion()
  await expulsion.setDenyList([BEN_DENIED])
  steps.length = 0
  t.same(await expulsion.disconnect(ANA, undefined), { wasHere: true, removedUsers: 1 })
  t.same(steps, ['router, 0 users', 'close-clients 0, 0 users'])
  t.same(expulsion.entries, [BEN_DENIED])
  t.same(await expulsion.disconnect(ANA, undefined), { wasHere: false, removedUsers: 0 })
  t.equal(steps.length, 4, 'connections of one who is not in the table are closed too')
})

t.test('expulsion: a list removes whom it denies anew', async t => {
  const { expulsion, steps, users } = testExpulsion()
  t.same(await expulsion.setDenyList([ANA_DENIED]), { removedUsers: 1 })
  t.same(await expulsion.setDenyList([ANA_DENIED, BEN_DENIED]), { removedUsers: 1 })
  t.equal(users(), 0)
  steps.length = 0
  t.same(await expulsion.setDenyList([]), { removedUsers: 0 })
  t.same(steps, ['replace-deny-list 0, 0 users'], 'nobody has to go when somebody is allowed')
})

t.test('expulsion: what has failed is done the next time', async t => {
  let isBroken = true
  const { expulsion, steps } = testExpulsion(order => {
    if (isBroken && order.type === 'close-clients') throw new Error('too slow')
  })
  await t.rejects(expulsion.setDenyList([ANA_DENIED]), { message: 'too slow' })
  isBroken = false
  steps.length = 0
  await expulsion.setDenyList([ANA_DENIED])
  t.match(steps, ['replace-deny-list', 'router', 'close-clients'].map(step => new RegExp(step)))
})

t.test('expulsion: there is no list to boot with before the first that is well-formed', async t => {
  const { expulsion, steps } = testExpulsion()
  const malformed: DenyEntry = { kind: 'id', text: 'nobody', untilMs: undefined }
  await t.rejects(expulsion.disconnect(ANA, [malformed]), { code: 'USHER_DENY_ENTRY_INVALID' })
  t.same([expulsion.entries, steps], [undefined, []], 'nothing is done by halves')
  await expulsion.setDenyList([])
  t.same(expulsion.entries, [], 'nobody is denied, which is not the same as not known')
})
