/** The keys of a fleet: the same on every node, other ones each day and for each secret. */
import t from 'tap'
import { TicketRedeemer } from '@usher/shared/tickets/redeem.ts'
import { sharedTicketKeys } from '@usher/shared/tickets/shared-keys.ts'
import { TicketSigner } from '@usher/shared/tickets/sign.ts'
import { whose } from '../fixtures/test-tickets.ts'
import { clientNumber } from '../memory/test-table.ts'

const DAY_MS = 86_400_000
const NOON_MS = 20_000 * DAY_MS + DAY_MS / 2
const FLEET = { clusterSecret: 'a'.repeat(32), clusterName: 'usher' }

t.test('shared keys: every node derives the same, and another secret, fleet or day others', async t => {
  const keys = sharedTicketKeys(FLEET, NOON_MS)
  t.strictSame(sharedTicketKeys({ ...FLEET }, NOON_MS + DAY_MS / 2 - 1), keys)
  const others = [
    sharedTicketKeys({ ...FLEET, clusterSecret: 'b'.repeat(32) }, NOON_MS),
    sharedTicketKeys({ ...FLEET, clusterName: 'shop' }, NOON_MS),
    sharedTicketKeys(FLEET, NOON_MS + DAY_MS / 2)
  ]
  t.equal(new Set([keys, ...others].map(({ signing }) => signing.kid)).size, 4)
  t.equal(keys.published.length, 3)
  t.notMatch(JSON.stringify(keys.published), keys.signing.d)
})

t.test('shared keys: a node whose day is another one redeems what was signed', async t => {
  const client = clientNumber(1)
  const nowMs = NOON_MS + DAY_MS / 2
  for (const [signs, redeems] of [[-1, 0], [0, -1], [-1, 1], [1, -1]] as const) {
    const { signing } = sharedTicketKeys(FLEET, nowMs + signs * 30_000)
    const text = await new TicketSigner('', () => nowMs)
      .sign({ client, serverName: 'a/1', hasCookie: false }, signing)
    const redeemer = new TicketRedeemer({ useOnce: () => true, wallNow: () => nowMs })
    redeemer.setKeys(sharedTicketKeys(FLEET, nowMs + redeems * 30_000).published)
    t.strictSame(await whose(redeemer, text, 'a/1'), client, `${signs} ${redeems}`)
    redeemer.setKeys(sharedTicketKeys({ ...FLEET, clusterSecret: 'b'.repeat(32) }, nowMs).published)
    t.equal(await whose(redeemer, text, 'a/1'), 'forged')
  }
})
