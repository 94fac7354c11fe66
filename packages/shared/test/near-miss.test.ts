import t from 'tap'
import { nearMiss } from '@usher/shared/near-miss.ts'

t.test('near-miss: names the nearest known name, or none when none is near', async t => {
  const known = ['ROUTING_PORT', 'MONITORING_PORT', 'PORTS', 'HOST', 'IP']
  const cases: ReadonlyArray<[string, string | undefined]> = [
    ['ROUTNIG_PORT', 'ROUTING_PORT'],
    ['routing-port', 'ROUTING_PORT'],
    ['RoutingPort', 'ROUTING_PORT'],
    ['ROTING_PRT', 'ROUTING_PORT'],
    ['ROUTXXX_PORT', 'ROUTING_PORT'],
    ['ROUXXXX_PORT', undefined],
    ['PORT', 'PORTS'],
    ['PRT', 'PORTS'],
    ['PR', undefined],
    ['P', undefined],
    ['IPS', 'IP'],
    ['XY', undefined],
    ['', undefined],
    ['COLOUR', undefined]
  ]
  for (const [given, expected] of cases) t.equal(nearMiss(given, known), expected, given)
})

t.test('near-miss: knows nothing when nothing is known', async t => {
  t.equal(nearMiss('PORTS', []), undefined)
})
