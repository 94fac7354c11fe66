import t from 'tap'
import { chooser } from '@usher/shared/balancing/chooser.ts'
import type { BalancedServer } from '@usher/shared/balancing/policies.ts'
import type { Loads } from '@usher/shared/balancing/tournament.ts'
import { NO_SERVER } from '@usher/shared/memory/layout.ts'

t.test('chooser: on a tie the lowest port wins, compared as a number, wherever it is listed', async t => {
  const cases: ReadonlyArray<[ports: number[], loads: number[], expected: number]> = [
    [[8002, 8001, 8000], [0, 0, 0], 8000],
    [[9000, 80, 8080], [1, 2, 1], 8080],
    [[10000, 9999], [0, 0], 9999],
    [[8000, 8001, 8002], [2, 1, 1], 8001]
  ]
  for (const [ports, loads, expected] of cases) {
    const servers = serversOf(ports)
    t.equal(ports[choose(servers, loads)!], expected, ports.join(', '))
    t.same(servers.map(({ port }) => port), ports, 'the list is left alone')
  }
})

t.test('chooser: gives a policy the weight, the availability and the loads of this call', async t => {
  const servers = serversOf([3, 2, 1], [1, 1, 4])
  t.equal(choose(servers, [1, 1, 3]), 2, 'the heavy one has room')
  t.equal(choose(servers, [1, 2, 3], server => server !== 2), 0)
  t.equal(choose(servers, [0, 0, 0], () => false), undefined)
  const again = chooser('fewest-users', servers, () => true)
  t.equal(again({ loads: loadsOf([0, 1, 9], 1), current: NO_SERVER })?.server, 0)
  t.equal(again({ loads: loadsOf([1, 0, 9], 2), current: NO_SERVER })?.server, 1)
  t.equal(again({ loads: loadsOf([1, 2, 4], 3), current: 1 })?.server, 1, 'the visitor stays')
})

function serversOf (ports: readonly number[], weights?: readonly number[]): BalancedServer[] {
  return ports.map((port, index) => ({ index, port, weight: weights?.[index] ?? 1 }))
}

function choose (
  servers: readonly BalancedServer[], loads: readonly number[],
  isAvailable: (server: number) => boolean = () => true
): number | undefined {
  const choosing = chooser('fewest-users', servers, isAvailable)
  return choosing({ loads: loadsOf(loads, 0), current: NO_SERVER })?.server
}

function loadsOf (loads: readonly number[], reading: number): Loads {
  return { values: Int32Array.from(loads), reading, changes: [] }
}
