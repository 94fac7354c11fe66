import t from 'tap'
import { testServers } from '../../../../shared/test/settings/test-servers.ts'
import { StateChanges } from '../../../src/monitor/figures/state-changes.ts'

const SERVER = testServers([8000, 8001])[1]!

t.test('state changes: the last one of each server, with its users then', async t => {
  let activeUsers = [4, 7]
  const changes = new StateChanges(() => activeUsers)
  t.equal(changes.last(1), undefined, 'nothing is known of what was before')
  changes.note({ type: 'drain', server: SERVER }, 1000)
  activeUsers = [11, 0]
  t.strictSame(changes.last(1), { atMs: 1000, activeUsers: 7 })
  t.equal(changes.last(0), undefined, 'each has its own')
  changes.note({ type: 'down', server: SERVER }, 2000)
  t.strictSame(changes.last(1), { atMs: 2000, activeUsers: 0 })
})

t.test('state changes: a reload changes no state', async t => {
  const changes = new StateChanges(() => [1])
  changes.note({ type: 'reload', server: undefined }, 1000)
  t.equal(changes.last(0), undefined)
})
