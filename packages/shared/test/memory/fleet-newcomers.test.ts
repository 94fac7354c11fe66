/** Newcomers whom another node of a fleet sends: expected, whatever their network has had here. */
import t from 'tap'
import { UNKNOWN_ADDRESS } from '@usher/shared/client.ts'
import { chooseServer, clientNumber, HOME, testTable } from './test-table.ts'

const UNTIL_MS = 2_000_000
const SENT = {
  address: UNKNOWN_ADDRESS,
  isReturning: false,
  untilMs: UNTIL_MS,
  choose: chooseServer(1),
  isFromNode: true
}

t.test('fleet newcomers: whom another node sends gets a place, however many come', async t => {
  const { table } = testTable({ newcomers: { perMinute: 2, exempt: [], thread: 0 } })
  for (let number = 1; number <= 9; number++) {
    t.match(table.reserve({ ...SENT, client: clientNumber(number) }), { kind: 'reserved', server: 1 })
  }
  t.equal(table.touch(clientNumber(9), 1, HOME), 'arrived', 'and comes to it')
  t.match(table.find(clientNumber(9)), { address: HOME })
})

t.test('fleet newcomers: whose address is known keeps it', async t => {
  const { table } = testTable()
  const client = clientNumber(1)
  table.touch(client, 0, HOME)
  table.reserve({ ...SENT, client })
  t.match(table.find(client), { address: HOME, server: 0, reservedServer: 1 })
})
