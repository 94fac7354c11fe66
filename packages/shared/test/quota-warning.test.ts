import t from 'tap'
import { parseAddress } from '@usher/shared/client.ts'
import { QuotaWarning } from '@usher/shared/quota-warning.ts'

t.test('share warning: a line a minute, and the rest are counted', async t => {
  const lines: object[] = []
  let nowMs = 0
  const log = { warn: (fields: object) => { lines.push(fields) } }
  const warning = new QuotaWarning(log, () => nowMs)
  const address = parseAddress('192.0.2.7')!
  for (let count = 0; count < 1000; count++) warning.note(address)
  t.strictSame(lines, [{ address: '192.0.2.7' }])
  nowMs = 59_999
  warning.note(address)
  t.equal(lines.length, 1)
  nowMs = 60_000
  warning.note(address)
  t.strictSame(lines.at(-1), { address: '192.0.2.7', unlogged: 1000 })
  nowMs = 120_000
  warning.note(address)
  t.strictSame(lines.at(-1), { address: '192.0.2.7' })
})
