import t from 'tap'
import { UNKNOWN_ADDRESS } from '@usher/shared/client.ts'
import { hostRefusal } from '../../../src/monitor/access/host-check.ts'

t.test('host check: a foreign host name is refused', async t => {
  const cases: Array<[authority: string | undefined, status: number | undefined]> = [
    ['192.0.2.1:8081', undefined],
    ['localhost:8081', undefined],
    ['box', undefined],
    ['console.example', undefined],
    [undefined, undefined],
    ['rebound.example:8081', 421]
  ]
  for (const [authority, status] of cases) {
    t.equal(hostRefusal(
      { address: UNKNOWN_ADDRESS, authority, isSecure: false }, ['console.example'], 'box'
    )?.status, status, authority ?? '')
  }
})
