import t from 'tap'
import { ForeignOriginWarning, ForeignWarning } from '@usher/shared/foreign-warning.ts'

t.test('foreign warning: a line a minute names PUBLIC_HOSTS and the page that was refused', async t => {
  const lines: object[] = []
  let nowMs = 0
  const log = { warn: (fields: object, msg?: string) => { lines.push({ ...fields, msg }) } }
  const warning = new ForeignWarning(log, () => nowMs)
  const authority = '10.0.0.7:8000'
  warning.note({ authority, headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } })
  t.strictSame(lines, [], 'no name would make another site ours')
  for (let count = 0; count < 3; count++) {
    warning.note({ authority, headers: { origin: 'https://www.example.org', referer: 'https://x.example/' } })
  }
  t.match(lines, [{ page: 'https://www.example.org', host: authority, msg: /PUBLIC_HOSTS/ }])
  nowMs = 60_000
  warning.note({ authority, headers: { referer: `https://example.org/${'x'.repeat(1000)}` } })
  t.match(lines.at(-1), { page: /^https:\/\/example\.org\/x{80}$/, unlogged: 2 })
  t.equal(lines.length, 2)
})

t.test('foreign warning: of a page that names a server, its origin and ALLOWED_ORIGINS', async t => {
  const lines: object[] = []
  const log = { warn: (fields: object, msg?: string) => { lines.push({ ...fields, msg }) } }
  const warning = new ForeignOriginWarning(log, () => 0)
  warning.note({ query: '?server=shop-a', headers: { 'sec-fetch-site': 'cross-site' } })
  t.strictSame(lines, [], 'an image, perhaps, of anybody')
  const headers = { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' }
  warning.note({ query: '?server=shop-a', headers })
  t.match(lines, [{ origin: 'https://shop.example', server: 'shop-a', msg: /ALLOWED_ORIGINS/ }])
})
