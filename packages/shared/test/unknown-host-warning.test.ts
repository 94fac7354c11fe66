import t from 'tap'
import { UnknownHostWarning } from '@usher/shared/unknown-host-warning.ts'

t.test('unknown host: each name is one warning, which says what to type', async t => {
  const { warning, lines } = testWarning([])
  for (const host of ['shop.example', 'shop.example', 'www.shop.example', 'shop.example']) {
    warning.note(host)
  }
  t.strictSame(lines, [
    [{ host: 'shop.example' }, 'requests come for shop.example, which PUBLIC_HOSTS does not list: ' +
      'redirects lead to 192.0.2.7 instead. If this name is yours, set ' +
      'PUBLIC_HOSTS=shop.example and restart'],
    [{ host: 'www.shop.example' }, 'requests come for www.shop.example, which PUBLIC_HOSTS does ' +
      'not list: redirects lead to 192.0.2.7 instead. If this name is yours, set ' +
      'PUBLIC_HOSTS=www.shop.example and restart']
  ])
})

t.test('unknown host: what is listed already stays in what to type', async t => {
  const { warning, lines } = testWarning(['a.example', 'b.example'])
  warning.note('c.example')
  t.match(lines[0]![1], /set PUBLIC_HOSTS=a\.example,b\.example,c\.example and restart$/)
})

t.test('unknown host: names that cannot be set are no warning, and made-up ones end', async t => {
  const { warning, lines } = testWarning([])
  for (const host of ['', 'a$b.example', '-a', 'a..b', '%41.example', '127.1', `${'a'.repeat(64)}.b`]) {
    warning.note(host)
  }
  t.strictSame(lines, [])
  for (let at = 0; at < 20; at++) warning.note(`n${at}.example`)
  t.equal(lines.length, 8)
})

function testWarning (publicHosts: readonly string[]) {
  const lines: Array<[object, string]> = []
  const warn = (fields: object, message: string): void => { lines.push([fields, message]) }
  const warning =
    new UnknownHostWarning({ warn } as never, publicHosts, 'redirects lead to 192.0.2.7 instead')
  return { warning, lines }
}
