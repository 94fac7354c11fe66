import t from 'tap'
import { CERT, EXPIRED_CERT, OTHER_CERT } from '../../shared/test/fixtures/tls-pems.ts'
import { CertificateWatch } from '../src/certificate-watch.ts'
import { testLog } from './fixtures/log.ts'

const HOUR_MS = 3_600_000
const EXPIRED_MS = Date.parse('2021-01-01T00:00:00Z')

t.test('certificate watch: warns at once, when something changes, and every day', async t => {
  const { watch, pass, lines } = testWatch(EXPIRED_MS - 15 * 24 * HOUR_MS)
  watch.watch(EXPIRED_CERT)
  t.strictSame(lines(), [], 'while nothing is wrong')
  pass(24)
  t.strictSame(lines(), [])
  pass(1)
  t.match(lines(), [/expires in 13 days/], 'as soon as it is')
  pass(23)
  t.equal(lines().length, 1)
  pass(1)
  t.match(lines()[1], /expires in 12 days/)
  pass(14 * 24)
  t.match(lines().at(-1), /expired at 2021-01-01/)
  t.equal(lines().length, 2 + 14)
  watch.close()
})

t.test('certificate watch: a new certificate is looked at at once, and ends the warnings', async t => {
  const { watch, pass, lines } = testWatch(EXPIRED_MS, ['shop.example'])
  watch.watch(EXPIRED_CERT)
  t.match(lines(), [/expired at/, /not for shop\.example/])
  watch.watch(EXPIRED_CERT)
  t.equal(lines().length, 4, 'another one that is no better')
  watch.watch(OTHER_CERT)
  pass(100)
  t.equal(lines().length, 4)
  watch.watch(CERT)
  t.match(lines().slice(4), [/not valid before 2026-11-23/, /not for shop\.example/])
  watch.close()
})

function testWatch (startMs: number, publicHosts: readonly string[] = []) {
  const { log, lines } = testLog()
  let passedMs = 0
  const watch = new CertificateWatch({
    publicHosts, wallNow: () => startMs + passedMs, now: () => passedMs, log
  })
  return {
    watch,
    lines: () => lines.map(({ msg }) => msg),
    pass (hours: number): void {
      for (let hour = 0; hour < hours; hour++) {
        passedMs += HOUR_MS
        watch.look()
      }
    }
  }
}
