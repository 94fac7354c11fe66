import t from 'tap'
import { clientOfAddress, parseAddress, parseClientId } from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import { expelledMatch } from '@usher/shared/expelled-clients.ts'

const ANA = parseClientId('6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61')!
const BEN = parseClientId('7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62')!
const HOME = parseAddress('192.0.2.7')!
const AWAY = parseAddress('2001:db8::7')!

const entry = (kind: DenyEntry['kind'], text: string, untilMs?: number): DenyEntry =>
  ({ kind, text, untilMs })

t.test('expelled: one client, wherever it is, and nobody else', async t => {
  const isExpelled = expelledMatch({ client: ANA, entries: [] }, () => 0)
  t.ok(isExpelled(ANA, HOME))
  t.ok(isExpelled({ ...ANA }, AWAY))
  t.notOk(isExpelled(BEN, HOME))
  t.notOk(isExpelled(undefined, HOME))
  t.notOk(isExpelled({ ...ANA, kind: 'ip' }, HOME), 'an address of the same bits is another client')
})

t.test('expelled: a client known by its address is whoever names nobody there', async t => {
  const isExpelled = expelledMatch({ client: clientOfAddress(HOME), entries: [] }, () => 0)
  t.ok(isExpelled(undefined, HOME))
  t.ok(isExpelled(clientOfAddress(HOME), HOME), 'as the user table has it')
  t.notOk(isExpelled(undefined, AWAY))
  t.notOk(isExpelled(ANA, HOME), 'who has an id is known by it')
})

t.test('expelled: whoever an entry denies that still runs', async t => {
  let nowMs = 1000
  const entries = [
    entry('id', '7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62'), entry('address', '2001:db8::7', 2000),
    entry('range', '192.0.2.0/24', 2000)
  ]
  const isExpelled = expelledMatch({ client: undefined, entries }, () => nowMs)
  t.ok(isExpelled(BEN, parseAddress('198.51.100.1')!))
  t.ok(isExpelled(ANA, AWAY))
  t.ok(isExpelled(undefined, HOME))
  t.notOk(isExpelled(ANA, parseAddress('198.51.100.1')!))
  nowMs = 2000
  t.notOk(isExpelled(ANA, AWAY))
  t.notOk(isExpelled(undefined, HOME))
  t.ok(isExpelled(BEN, HOME))
})

t.test('expelled: a malformed entry is refused', async t => {
  const expelled = { client: undefined, entries: [entry('range', 'nonsense')] }
  t.throws(() => expelledMatch(expelled, () => 0), { code: 'USHER_DENY_ENTRY_INVALID' })
})
