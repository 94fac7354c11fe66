/** Ids for guests: well-formed, and as random as their source. */
import t from 'tap'
import { newGuestId } from '../room-script/guest-id.ts'

const filled = (byte: number): Pick<Crypto, 'getRandomValues'> => ({
  getRandomValues: array => {
    (array as unknown as Uint8Array).fill(byte)
    return array
  }
})

t.test('guest id: every bit is random but for version and variant', async t => {
  t.equal(newGuestId(filled(0x00)), '00000000-0000-4000-8000-000000000000')
  t.equal(newGuestId(filled(0xff)), 'ffffffff-ffff-4fff-bfff-ffffffffffff')
  t.equal(newGuestId(filled(0x1a)), '1a1a1a1a-1a1a-4a1a-9a1a-1a1a1a1a1a1a')
})

t.test('guest id: no two are the same', async t => {
  const ids = new Set(Array.from({ length: 100 }, () => newGuestId(globalThis.crypto)))
  t.equal(ids.size, 100)
  for (const id of ids) t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
