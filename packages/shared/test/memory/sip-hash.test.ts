import t from 'tap'
import { halfSipHash13 } from '@usher/shared/memory/sip-hash.ts'
import { clientNumber } from './test-table.ts'

/** HalfSipHash-c-d byte by byte, as the paper writes it: slow, general, written independently. */
function halfSipHash (c: number, d: number, key: readonly number[], message: Uint8Array): number {
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
  const v = [key[0]!, key[1]!, 0x6c796765 ^ key[0]!, 0x74656462 ^ key[1]!]
  const round = (): void => {
    v[0] = (v[0]! + v[1]!) | 0; v[1] = rotate(v[1]!, 5) ^ v[0]; v[0] = rotate(v[0], 16)
    v[2] = (v[2]! + v[3]!) | 0; v[3] = rotate(v[3]!, 8) ^ v[2]
    v[0] = (v[0] + v[3]) | 0; v[3] = rotate(v[3], 7) ^ v[0]
    v[2] = (v[2] + v[1]) | 0; v[1] = rotate(v[1], 13) ^ v[2]; v[2] = rotate(v[2], 16)
  }
  const padded = new Uint8Array(Math.ceil((message.length + 1) / 4) * 4)
  padded.set(message)
  padded[padded.length - 1] = message.length
  const words = new DataView(padded.buffer)
  for (let at = 0; at < padded.length; at += 4) {
    const word = words.getInt32(at, true)
    v[3]! ^= word
    for (let i = 0; i < c; i++) round()
    v[0]! ^= word
  }
  v[2]! ^= 0xff
  for (let i = 0; i < d; i++) round()
  return v[1]! ^ v[3]!
}

t.test('sip hash: the general form gives the published 2-4 vectors', async t => {
  const key = [0x03020100, 0x07060504]
  const vectors = [0x5b9f35a9, 0xb85a4727 | 0, 0x03a662fa]
  vectors.forEach((expected, length) => {
    const message = Uint8Array.from({ length }, (_, i) => i)
    t.equal(halfSipHash(2, 4, key, message), expected)
  })
})

const word = (): number => (Math.random() * 2 ** 32) | 0

t.test('sip hash: agrees with the general form for any key, kind and words', async t => {
  for (let i = 0; i < 500; i++) {
    const [k0, k1, w0, w1, w2, w3] = [word(), word(), word(), word(), word(), word()]
    const kind = i & 1
    const message = new DataView(new ArrayBuffer(17))
    ;[w0, w1, w2, w3].forEach((w, index) => { message.setInt32(index * 4, w, true) })
    message.setUint8(16, kind)
    const expected = halfSipHash(1, 3, [k0, k1], new Uint8Array(message.buffer))
    t.equal(halfSipHash13(k0, k1, kind, w0, w1, w2, w3), expected)
  }
})

t.test('sip hash: spreads ids that count upwards evenly over 64 shards', async t => {
  const counts = new Array<number>(64).fill(0)
  const users = 64_000
  for (let i = 0; i < users; i++) {
    const { w0, w1, w2, w3 } = clientNumber(i)
    counts[halfSipHash13(11, 22, 0, w0, w1, w2, w3) & 63]!++
  }
  const deviation = Math.sqrt(users / 64)
  for (const count of counts) t.ok(Math.abs(count - 1000) < 6 * deviation, `${count} of 1000`)
})
