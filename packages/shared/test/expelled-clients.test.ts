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
  const isLeaver = expelledMatch({ client: ANA, entries: [] }, () => 0)
  t.ok(isLeaver(ANA, HOME))
  t.ok(isLeaver({ ...ANA }, AWAY))
  t.notOk(isLeaver(BEN, HOME))
  t.notOk(isLeaver(undefined, HOME))
  t.notOk(isLeaver({ ...ANA, kind: 'ip' }, HOME), 'an address of the same bits is another client')
})

t.test('expelled: a client known by its address is whoever names nobody there', async t => {
  const isLeaver = expelledMatch({ client: clientOfAddress(HOME), entries: [] }, () => 0)
  t.ok(isLeaver(undefined, HOME))
  t.ok(isLeaver(clientOfAddress(HOME), HOME), 'as the user table has it')
  t.notOk(isLeaver(undefined, AWAY))
  t.notOk(isLeaver(ANA, HOME), 'who has an id is known by it')
})

t.test('expelled: whoever an entry denies that still runs', async t => {
  let nowMs = 1000
  const entries = [
    entry('id', '7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62'), entry('address', '2001:db8::7', 2000),
    entry('range', '192.0.2.0/24', 2000)
  ]
  const isLeaver = expelledMatch({ client: undefined, entries }, () => nowMs)
  t.ok(isLeaver(BEN, parseAddress('198.51.100.1')!))
  t.ok(isLeaver(ANA, AWAY))
  t.ok(isLeaver(undefined, HOME))
  t.notOk(isLeaver(ANA, parseAddress('198.51.100.1')!))
  nowMs = 2000
  t.notOk(isLeaver(ANA, AWAY))
  t.notOk(isLeaver(undefined, HOME))
  t.ok(isLeaver(BEN, HOME))
})

t.test('expelled: a malformed entry is refused', async t => {
  const expelled = { client: undefined, entries: [entry('range', 'nonsense')] }
  t.throws(() => expelledMatch(expelled, () => 0), { code: 'USHER_DENY_ENTRY_INVALID' })
})
