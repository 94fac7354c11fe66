import t from 'tap'
import type { ServerState } from '@usher/shared/memory/layout.ts'
import { replaceServers } from '@usher/shared/settings/server-list.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import { testExternal, testServers } from '../../../../shared/test/settings/test-servers.ts'
import { ServerWatch, type ServerEvent } from '../../../src/monitor/figures/server-watch.ts'

function testWatch (...states: ServerState[]) {
  const restarts = states.map(() => 0)
  const cluster = { states, restarts, upSinceS: states.map(() => 100), reloads: 3 }
  const watch = new ServerWatch(
    { serverState: server => cluster.states[server]! },
    {
      restarts: server => cluster.restarts[server]!,
      upSinceS: server => cluster.upSinceS[server]!,
      reloads: () => cluster.reloads
    },
    testServers(states.map((_, server) => 8000 + server))
  )
  const portOf = (server: ServerEvent['server']): number | undefined =>
    server === undefined ? undefined : Number(server.name)
  return { cluster, look: () => watch.look().map(({ type, server }) => [type, portOf(server)]) }
}

t.test('server watch: what a change of state is called', async t => {
  const cases: ReadonlyArray<[before: ServerState, now: ServerState, events: string[]]> = [
    ['up', 'up', []],
    ['up', 'draining', ['drain']],
    ['draining', 'up', ['ready']],
    ['up', 'down', ['down']],
    ['draining', 'down', ['down']],
    ['down', 'down', []],
    ['down', 'up', ['up']],
    ['down', 'draining', ['up']],
    ['up', 'starting', ['restart']],
    ['draining', 'starting', ['restart']],
    ['down', 'starting', []],
    ['starting', 'draining', []],
    ['starting', 'up', []],
    ['starting', 'down', []],
    ['up', 'maintenance', ['drain']],
    ['down', 'maintenance', ['drain']],
    ['starting', 'maintenance', []],
    ['maintenance', 'maintenance', []],
    ['maintenance', 'up', ['ready']],
    ['maintenance', 'draining', []],
    ['maintenance', 'down', ['down']]
  ]
  for (const [before, now, events] of cases) {
    const { cluster, look } = testWatch('up', before)
    cluster.states[1] = now
    t.same(look(), events.map(type => [type, 8001]), `${before}, ${now}`)
    t.same(look(), [], 'each is told once')
  }
})

t.test('server watch: a server that died and is back between two looks', async t => {
  const { cluster, look } = testWatch('up', 'draining')
  cluster.restarts[1] = 1
  t.same(look(), [['down', 8001], ['up', 8001]])
  t.same(look(), [])
})

t.test('server watch: a server that was restarted on purpose has not been down', async t => {
  const { cluster, look } = testWatch('up', 'draining')
  cluster.upSinceS[1] = 107
  t.same(look(), [['restart', 8001]], 'beside its old thread')
  t.same(look(), [])
  cluster.states[0] = 'starting'
  t.same(look(), [['restart', 8000]], 'in its place')
  cluster.upSinceS[0] = 109
  t.same(look(), [])
  cluster.states[0] = 'up'
  t.same(look(), [])
})

t.test('server watch: a replacement is counted a moment before it is up', async t => {
  const { cluster, look } = testWatch('up')
  cluster.states[0] = 'down'
  t.same(look(), [['down', 8000]])
  cluster.restarts[0] = 1
  t.same(look(), [])
  cluster.states[0] = 'up'
  t.same(look(), [['up', 8000]])
})

t.test('server watch: who is added and who is removed, also where one takes the place of another', async t => {
  const servers: readonly Slot[] = [...testServers([8000]), ...testExternal(1, ['a', 'b'])]
  const watch = new ServerWatch(
    { serverState: () => 'up' }, { restarts: () => 0, upSinceS: () => 100, reloads: () => 0 }, servers)
  const change = (...slots: Slot[]): string[] => {
    replaceServers(servers, [servers[0]!, ...slots])
    return watch.look().map(({ type, server }) => `${type} ${server?.name} at ${server?.index}`)
  }
  const [a, b, c] = testExternal(1, ['a', 'b', 'c'])
  const gone = { kind: 'removed', index: 1, name: 'a' } as const
  t.same(change(a!, b!), [])
  t.same(change(a!, b!, c!), ['add c at 3'])
  t.same(change(gone, b!, c!), ['remove a at 1'])
  t.same(change(gone, b!, c!), [])
  t.same(change({ ...c!, name: 'd', index: 1 }, b!, c!), ['add d at 1'])
  t.same(change({ ...c!, name: 'e', index: 1 }, b!, c!), ['remove d at 1', 'add e at 1'])
  t.same(change(a!, b!, c!), ['remove e at 1', 'add a at 1'])
})

t.test('server watch: a reload is of all servers', async t => {
  const { cluster, look } = testWatch('up', 'up')
  t.same(look(), [], 'those before the first look are past')
  cluster.reloads = 4
  cluster.states[0] = 'draining'
  t.same(look(), [['drain', 8000], ['reload', undefined]])
  t.same(look(), [])
})
