import t from 'tap'
import { parseClientId, UNKNOWN_ADDRESS } from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import { DenyListKeeper } from '../src/deny-list-keeper.ts'

const ANA = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const BEN = '7f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a62'

const id = (text: string, untilMs?: number): DenyEntry => ({ kind: 'id', text, untilMs })

function testKeeper () {
  const clock = { nowMs: 1000 }
  const keeper = new DenyListKeeper(() => clock.nowMs)
  return {
    keeper,
    clock,
    isDenied: (text: string) => keeper.list.isDenied(parseClientId(text)!, UNKNOWN_ADDRESS)
  }
}

t.test('deny list keeper: the router refuses at once, and replacements boot with the list', async t => {
  const { keeper, isDenied } = testKeeper()
  t.equal(keeper.entries, undefined, 'not known yet')
  keeper.replace([id(ANA)])
  t.same([isDenied(ANA), isDenied(BEN)], [true, false])
  t.same(keeper.entries, [id(ANA)])
  keeper.replace([])
  t.equal(isDenied(ANA), false)
})

t.test('deny list keeper: only what is new has to be carried out', async t => {
  const { keeper } = testKeeper()
  t.same(keeper.replace([id(ANA)]), [id(ANA)])
  keeper.setEnforced([id(ANA)])
  t.same(keeper.replace([id(ANA), id(BEN)]), [id(BEN)])
  keeper.setEnforced([id(BEN)])
  t.same(keeper.replace([id(BEN)]), [])
  t.same(keeper.replace([id(ANA), id(BEN)]), [id(ANA)], 'who was allowed back may be here again')
})

t.test('deny list keeper: what failed is carried out the next time', async t => {
  const { keeper } = testKeeper()
  keeper.replace([id(ANA)])
  t.same(keeper.replace([id(ANA)]), [id(ANA)])
})

t.test('deny list keeper: an entry that ran out is new when it comes again', async t => {
  const { keeper, clock } = testKeeper()
  keeper.setEnforced(keeper.replace([id(ANA, 2000), id(BEN)]))
  clock.nowMs = 1999
  t.same(keeper.replace([id(ANA, 5000), id(BEN)]), [], 'a longer time concerns nobody new')
  clock.nowMs = 2000
  t.same(keeper.replace([id(ANA, 5000), id(BEN)]), [id(ANA, 5000)])
  keeper.setEnforced([id(ANA, 5000)])
  clock.nowMs = 5000
  t.same(keeper.replace([id(ANA, 5000), id(BEN)]), [], 'one that is over concerns nobody')
})

t.test('deny list keeper: one that is taken back while it is carried out is not done', async t => {
  const { keeper } = testKeeper()
  const added = keeper.replace([id(ANA)])
  keeper.replace([])
  keeper.setEnforced(added)
  t.same(keeper.replace([id(ANA)]), [id(ANA)])
})

t.test('deny list keeper: a malformed entry changes nothing', async t => {
  const { keeper, isDenied } = testKeeper()
  keeper.replace([id(ANA)])
  t.throws(() => keeper.replace([id(BEN), id('nobody')]), { code: 'USHER_DENY_ENTRY_INVALID' })
  t.same(keeper.entries, [id(ANA)])
  t.same([isDenied(ANA), isDenied(BEN)], [true, false])
})
