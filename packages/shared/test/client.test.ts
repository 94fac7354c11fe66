import { isIP } from 'node:net'
import t from 'tap'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import {
  areSameWords, clientOfAddress, formatAddress, formatClient, parseAddress, parseClientId,
  UNKNOWN_ADDRESS, type Words128
} from '@usher/shared/client.ts'

const V4 = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'

/** `undefined` for a text that is refused, else its canonical form. */
function checkId (text: string): string | undefined {
  const client = parseClientId(text)
  return client === undefined ? undefined : formatClient(client)
}

function checkAddress (text: string): string | undefined {
  const address = parseAddress(text)
  return address === undefined ? undefined : formatAddress(address)
}

t.test('client: a UUID of any version and any case is an id, kept in lower case', async t => {
  const cases: readonly string[] = [
    V4, V4.toUpperCase(), '6F1c2B0e-93D4-4c11-8A77-0b9E5d2F4a61',
    '2ed6657d-e927-11ea-9a03-0242ac120002', // version 1
    '6fa459ea-ee8a-3ca4-894e-db77e160355e', // version 3
    '886313e1-3b8a-5372-9b90-0c9aee199e5d', // version 5
    '1ef21d2f-1207-6660-8c4f-419efbd44d48', // version 6
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f', // version 7
    '00000000-0000-0000-0000-000000000001',
    'ffffffff-ffff-ffff-ffff-ffffffffffff', // the max UUID
    '12345678-1234-0234-0234-123456789abc' // no variant that is in use
  ]
  for (const text of cases) t.equal(checkId(text), text.toLowerCase(), text)
})

t.test('client: anything but a UUID is no id, nor is the nil UUID', async t => {
  const cases: readonly string[] = [
    '', ' ', 'nil', '192.0.2.1', '00000000-0000-0000-0000-000000000000',
    V4.slice(1), V4.slice(0, -1), `${V4}0`, ` ${V4}`, `${V4} `, `${V4}\n`, `{${V4}}`,
    `urn:uuid:${V4}`, V4.replaceAll('-', ''), V4.replaceAll('-', '0'), V4.replaceAll('-', '_'),
    V4.replace('6', 'g'), V4.replace('6', '@'), V4.replace('6', '`'), V4.replace('6', 'G'),
    V4.replace('6', '/'), V4.replace('6', ':'), V4.replace('6', '-'), V4.replace('1c', '１c'),
    V4.replace('6', '\u0146'), V4.replace('6', '\u0000'), `-${V4.slice(1)}`, `${V4.slice(0, -1)}-`,
    V4.replace('-93d4', '9-3d4'), V4.replace('6f', '+f'), V4.replace('6f', '%36f').slice(0, 36)
  ]
  for (const text of cases) t.equal(checkId(text), undefined, JSON.stringify(text))
  for (let at = 0; at < V4.length; at++) {
    const text = `${V4.slice(0, at)}x${V4.slice(at + 1)}`
    t.equal(checkId(text), undefined, text)
  }
})

t.test('client: an address has one canonical text', async t => {
  const cases: ReadonlyArray<[text: string, canonical: string]> = [
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['0000:0000:0000:0000:0000:0000:0000:0001', '::1'],
    ['::192.0.2.1', '::c000:201'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['::ffff:0:1.2.3.4', '::ffff:0:102:304'],
    ['2001:DB8::A', '2001:db8::a'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['fe80::1%eth0', 'fe80::1'],
    ['fe80::1%br_lan.7', 'fe80::1'],
    ['FE80::1%1', 'fe80::1'],
    ['::ffff:192.0.2.1%lo', '192.0.2.1']
  ]
  for (const [text, canonical] of cases) t.equal(checkAddress(text), canonical, text)
})

t.test('client: what is no address is refused', async t => {
  const cases: readonly string[] = [
    '', ' ', '.', ':', ':::', 'localhost', V4, '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.-4',
    '01.2.3.4', '0x1.2.3.4', '1.2.3.4 ', ' 1.2.3.4', '1.2.3.4\n', '16909060', '1.2.3.4:80',
    '1.2.3.4/32', '1.2.3.4%eth0', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::',
    'g::', '[::1]', '::1 ', ' ::1', '::1\n', '::1/128', '::ffff:1.2.3', '::ffff:256.2.3.4',
    '::ffff:01.2.3.4', '::ffff:0x1.2.3.4', '::ffff:1.2.3.4:5', '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4', 'fe80::1%', 'fe80::1%a%b', 'fe80::1%et h', 'fe80::1%eth0\n', '%eth0'
  ]
  for (const text of cases) t.equal(checkAddress(text), undefined, JSON.stringify(text))
})

t.test('client: takes for an address exactly what the system does', async t => {
  const piece = fc.constantFrom(
    ':', '::', '0', '1', 'ffff', '::ffff:', '.', '1.2.3.4', '255', '256', '01', '0x1', 'a', 'G', ' '
  )
  const text = fc.oneof(
    fc.array(piece, { maxLength: 10 }).map(pieces => pieces.join('')), fc.ipV4(), fc.ipV6(),
    fc.ipV4Extended()
  )
  fc.assert(fc.property(text, text => {
    return (parseAddress(text) !== undefined) === (isIP(text) !== 0)
  }), { numRuns: 5000 })
})

t.test('client: reads an address as ipaddr.js does', async t => {
  const group = fc.constantFrom('0', '1', 'ff', '0a0', 'FFFF', '::', '1:2:3', 'ffff:1.2.3.4')
  const text = fc.oneof(
    fc.ipV4(), fc.ipV6(), fc.ipV4().map(v4 => `::ffff:${v4}`),
    fc.array(group, { minLength: 1, maxLength: 8 })
      .map(groups => groups.join(':').replace(/:{3,}/g, '::'))
  ).filter(text => isIP(text) !== 0 && !/^::(?!f{4}:)[^:]*\./i.test(text))
  fc.assert(fc.property(text, text => {
    const parsed = ipaddr.parse(text)
    const v6 = parsed instanceof ipaddr.IPv4 ? parsed.toIPv4MappedAddress() : parsed
    const view = new DataView(Uint8Array.from(v6.toByteArray()).buffer)
    const [w0, w1, w2, w3] = [0, 4, 8, 12].map(at => view.getInt32(at))
    return areSameWords(parseAddress(text)!, { w0: w0!, w1: w1!, w2: w2!, w3: w3! })
  }), { numRuns: 5000 })
})

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
/** Words of small numbers and zeros too, so that runs of zeros and mapped addresses come up. */
const anyWord = fc.oneof(word, fc.constantFrom(0, 0, -1, 0xffff, 1))
const words: fc.Arbitrary<Words128> = fc.record({
  w0: anyWord, w1: anyWord, w2: anyWord, w3: anyWord
})

t.test('client: every id and every address survive the way to text and back', async t => {
  fc.assert(fc.property(words, words => {
    const isNil = areSameWords(words, UNKNOWN_ADDRESS)
    const id = parseClientId(formatClient({ kind: 'id', ...words }))
    const address = parseAddress(formatAddress(words))!
    return (isNil ? id === undefined : areSameWords(id!, words) && id!.kind === 'id') &&
      areSameWords(address, words)
  }), { numRuns: 2000 })
})

t.test('client: all texts of one address are the same words', async t => {
  fc.assert(fc.property(fc.ipV4(), text => {
    const address = parseAddress(text)!
    return areSameWords(address, parseAddress(`::ffff:${text}`)!) &&
      address.w0 === 0 && address.w1 === 0 && address.w2 === 0xffff &&
      formatAddress(address) === text
  }))
  fc.assert(fc.property(fc.ipV6(), text => {
    const address = parseAddress(text)!
    return areSameWords(address, parseAddress(text.toUpperCase())!) &&
      areSameWords(address, parseAddress(`${text}%eth0`)!)
  }))
})

t.test('client: a visitor without an id is known by address, as text and as words', async t => {
  for (const text of ['192.0.2.1', '2001:db8::1']) {
    const client = clientOfAddress(parseAddress(text)!)
    t.equal(client.kind, 'ip')
    t.equal(formatClient(client), text)
  }
})

t.test('client: words are the same when all four are', async t => {
  const base = { w0: 1, w1: 2, w2: 3, w3: 4 }
  t.ok(areSameWords(base, { ...base }))
  for (const key of ['w0', 'w1', 'w2', 'w3'] as const) {
    t.notOk(areSameWords(base, { ...base, [key]: 9 }), key)
  }
})
