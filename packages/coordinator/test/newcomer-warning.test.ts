import t from 'tap'
import type { RefusedNetwork } from '@usher/shared/memory/refused-networks.ts'
import { newcomerWarning } from '../src/newcomer-warning.ts'
import { testLog } from './fixtures/log.ts'

t.test('newcomer warning: names the network, how many, and what to do, once a minute', async t => {
  const { log, lines } = testLog('info')
  let nowMs = 1_000_000
  let networks: RefusedNetwork[] = []
  const look = newcomerWarning({
    table: { refusedNetworks: () => networks }, now: () => nowMs, log
  })
  look()
  t.same(lines, [])
  networks = [
    { network: '203.0.113.7', notCounted: 680, sinceAgoMs: 400, lastAgoMs: 0 },
    { network: '198.51.100.1', notCounted: 3, sinceAgoMs: 300, lastAgoMs: 0 }
  ]
  look()
  t.match(lines, [{ level: 40, network: '203.0.113.7', notCounted: 680, moreNetworks: 1 }])
  t.match(lines[0]!['msg'], /deny it.*an office or a school.*TRUSTED_NETWORKS/)
  nowMs += 59_999
  look()
  t.equal(lines.length, 1)
  nowMs += 1
  networks = [{ network: '203.0.113.7', notCounted: 680, sinceAgoMs: 60_400, lastAgoMs: 60_000 }]
  look()
  t.equal(lines.length, 1, 'nothing new')
  nowMs += 1000
  networks = [{ network: '203.0.113.7', notCounted: 681, sinceAgoMs: 61_400, lastAgoMs: 10 }]
  look()
  t.equal(lines.length, 2)
})
