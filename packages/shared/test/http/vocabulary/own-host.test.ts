/** Which names a redirect may carry and the monitor answers to. */
import t from 'tap'
import { isOwnHost } from '../../../src/http/vocabulary/own-host.ts'

t.test('own host: addresses, localhost, the machine and what PUBLIC_HOSTS lists', async t => {
  const cases: Array<[host: string, isOwn: boolean]> = [
    ['192.0.2.7', true],
    ['[2001:db8::1]', true],
    ['localhost', true],
    ['box', true],
    ['www.example.org', true],
    ['example.org', false],
    ['localhost.example.org', false],
    ['', false],
    ['[nonsense]', false]
  ]
  for (const [host, isOwn] of cases) {
    t.equal(isOwnHost(host, ['www.example.org'], 'Box'), isOwn, host)
  }
})
