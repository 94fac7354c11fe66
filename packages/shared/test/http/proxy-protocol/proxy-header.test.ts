import fc from 'fast-check'
import t from 'tap'
import { formatAddress, parseAddress } from '@usher/shared/client.ts'
import { HEADER_BYTES_MAX, readProxyHeader, type HeaderReading } from '@usher/shared/http/proxy-protocol/proxy-header.ts'
import { PROXY_HEADERS, type ProxyHeaderCase } from '../cases/proxy-headers.ts'

const BEHIND = 'GET / HTTP/1.1\r\n'

function read (text: string): HeaderReading {
  return readProxyHeader(Buffer.from(text, 'latin1'))
}

/** As a case says it. */
function told (reading: HeaderReading): string {
  if (reading === 'incomplete') return reading
  if ('refusal' in reading) return `refused: ${reading.refusal}`
  if (reading.from !== 'client') return reading.from
  return formatAddress(parseAddress(reading.address)!) + (reading.isTls ? ' by TLS' : '')
}

function check (given: ProxyHeaderCase, reading: HeaderReading): boolean {
  if (given.isRefused === true) return told(reading).startsWith(`refused: ${given.says}`)
  return told(reading) === given.says + (given.isTls === true ? ' by TLS' : '')
}

t.test('proxy header: each case, with and without anything behind it', async t => {
  for (const given of PROXY_HEADERS) {
    const name = `section ${given.section}: ${given.name}`
    for (const bytes of [given.bytes, given.bytes + BEHIND]) {
      const reading = read(bytes)
      t.ok(check(given, reading), `${name}: ${told(reading)}`)
      if (given.isRefused === true) continue
      t.equal((reading as { length: number }).length, given.bytes.length, `${name}: its length`)
    }
  }
})

t.test('proxy header: in pieces it is incomplete until it is whole or refused', async t => {
  for (const given of PROXY_HEADERS) {
    const found: string[] = []
    for (let length = 1; length <= Math.min(given.bytes.length, 300); length++) {
      const reading = read(given.bytes.slice(0, length))
      if (reading === 'incomplete') continue
      found.push(told(reading))
      if (length < given.bytes.length && given.isRefused !== true) break
    }
    if (given.bytes.length > 300) continue
    t.not(found.length, 0, `${given.name}: is decided`)
    if (given.isRefused === true) t.match(found[0], /^refused: /, `${given.name}: refused at once`)
    else t.equal(found.length, 1, `${given.name}: not before its last byte`)
  }
})

t.test('proxy header: whatever comes, it is decided within a bound', async t => {
  const beginning = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', PROXY_HEADERS[50]!.bytes.slice(0, 13))
  fc.assert(fc.property(beginning, fc.uint8Array({ maxLength: 400 }), (begin, rest) => {
    const bytes = Buffer.concat([Buffer.from(begin, 'latin1'), rest])
    if (bytes.length === 0) return
    const reading = readProxyHeader(bytes)
    if (reading === 'incomplete') return bytes.length < HEADER_BYTES_MAX
    return 'refusal' in reading || reading.length <= bytes.length
  }), { numRuns: 20_000 })
  t.pass('no throw, no length beyond what came')
})
