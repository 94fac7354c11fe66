import t from 'tap'
import { DAY_MS, problemOf, readCertificate, warningsOf } from '@usher/shared/certificate.ts'
import { CERT, EXPIRED_CERT, OTHER_CERT } from './fixtures/tls-pems.ts'

const FROM_MS = Date.parse('2020-01-01T00:00:00Z')
const TO_MS = Date.parse('2120-01-01T00:00:00Z')
const EXPIRED_MS = Date.parse('2021-01-01T00:00:00Z')

t.test('certificate: is wrong before it begins, soon before it ends, and after', async t => {
  const certificate = readCertificate(OTHER_CERT)
  const cases = [
    [FROM_MS - 1, 'not_yet_valid'],
    [FROM_MS, 'none'],
    [TO_MS - 14 * DAY_MS, 'none'],
    [TO_MS - 14 * DAY_MS + 1, 'expires_soon'],
    [TO_MS - 1, 'expires_soon'],
    [TO_MS, 'expired']
  ] as const
  for (const [nowMs, expected] of cases) {
    t.equal(problemOf(certificate, nowMs), expected, new Date(nowMs).toISOString())
  }
})

t.test('certificate: a chain is as good as the worst of it', async t => {
  for (const chain of [`${OTHER_CERT}${EXPIRED_CERT}`, `${EXPIRED_CERT}${OTHER_CERT}`]) {
    const { validFromMs, validToMs } = readCertificate(chain)
    t.strictSame([validFromMs, validToMs], [FROM_MS, EXPIRED_MS])
  }
})

t.test('certificate: is for its alternative names, and for nothing else', async t => {
  const certificate = readCertificate(`${OTHER_CERT}${CERT}`)
  const cases: ReadonlyArray<[host: string, expected: boolean]> = [
    ['shop.example', true],
    ['www.shop.example', true],
    ['192.0.2.7', true],
    ['example', false],
    ['a.www.shop.example', false],
    ['localhost', false],
    ['192.0.2.8', false],
    ['2001:db8::1', false]
  ]
  for (const [host, expected] of cases) t.equal(certificate.isFor(host), expected, host)
  t.notOk(readCertificate(CERT).isFor('localhost'), 'the subject is nothing that browsers look at')
})

t.test('certificate: warnings say what is wrong, from when on, and what to do', async t => {
  const certificate = readCertificate(OTHER_CERT)
  const renew = 'Renew TLS_CERT, then send SIGHUP'
  type Case = [nowMs: number, hosts: readonly string[], expected: readonly string[]]
  const cases: readonly Case[] = [
    [EXPIRED_MS, ['shop.example', '192.0.2.7'], []],
    [FROM_MS - 1, [], ['the certificate is not valid before 2020-01-01T00:00:00.000Z: ' +
      `until then browsers refuse it. ${renew}`]],
    [TO_MS, [], [`the certificate expired at 2120-01-01T00:00:00.000Z: browsers refuse it. ${renew}`]],
    [TO_MS - 13.5 * DAY_MS, [], ['the certificate expires in 13 days, at ' +
      `2120-01-01T00:00:00.000Z: then browsers refuse it. ${renew}`]],
    [TO_MS - DAY_MS, [], [/expires in 1 day, at/.source]],
    [TO_MS - 1, [], [/expires in less than a day, at/.source]],
    [EXPIRED_MS, ['a.example', 'shop.example', 'b.example'], ['the certificate is not for a.example, ' +
      'b.example of PUBLIC_HOSTS: browsers refuse it there']]
  ]
  for (const [nowMs, hosts, expected] of cases) {
    t.match(warningsOf(certificate, hosts, nowMs), expected)
    t.equal(warningsOf(certificate, hosts, nowMs).length, expected.length)
  }
})
