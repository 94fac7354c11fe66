import t from 'tap'
import { followServers } from '@usher/shared/settings/server-list.ts'
import type { ServerLimits } from '@usher/shared/memory/capacity.ts'
import type { Order } from '@usher/shared/messages.ts'
import type { ExternalServer, Slot, StoredServer } from '@usher/shared/settings/servers.ts'
import { CHECK, testExternal, testServers } from '../../shared/test/settings/test-servers.ts'
import { ServerKeeper } from '../src/server-keeper.ts'
import { testLog } from './fixtures/log.ts'

const stored = (name: string, more: Partial<StoredServer> = {}): StoredServer =>
  ({ name, publicUrl: `https://${name}.example`, weight: undefined, capacity: undefined, check: {}, ...more })

/**
 * What happens, in order; threads answer when those of `held` are called, at once by default. Those
 * of `late` do not answer in time.
 */
function testKeeper ({ isHeld = false, late = [] as readonly string[] } = {}) {
  const threads = { late }
  const retries: Array<() => void> = []
  /** Those that are due are tried. */
  const pass = async (): Promise<void> => {
    for (const retry of retries.splice(0)) retry()
    await new Promise(setImmediate)
  }
  const events: string[] = []
  const orders: Order[] = []
  const limits: Array<readonly ServerLimits[]> = []
  const checked: Array<readonly ExternalServer[]> = []
  const held: Array<() => void> = []
  const { log, lines } = testLog()
  const live = {
    capacity: [] as readonly number[],
    returnGraceMs: 20_000,
    healthPath: ['/'],
    healthInterval: [2000],
    healthTimeout: [1000],
    healthRise: [2],
    healthFall: [3],
    healthStatus: [{ min: 200, max: 399 }]
  }
  const servers: readonly Slot[] = [...testServers([8000]), ...testExternal(1, ['a'])]
  const keeper = new ServerKeeper({
    settings: { servers, live },
    table: {
      setServerCount: count => { events.push(`${count} count`) },
      setLimits: all => { limits.push(all) },
      isReferred: () => false
    },
    states: {
      add: server => { events.push(`add ${server}`) },
      remove: server => { events.push(`remove ${server}`) }
    },
    health: {
      replace: all => {
        checked.push(all)
        events.push(`check ${all.map(({ name }) => name).join(' ')}`)
      }
    },
    tellEach: async order => {
      orders.push(order)
      events.push('tell')
      if (isHeld) await new Promise<void>(resolve => { held.push(resolve) })
      if (threads.late.length === 0) events.push('told')
      const error = new Error('too slow')
      return threads.late.map(worker => ({ worker, error }))
    },
    onChange: () => {},
    afterPause: action => {
      retries.push(action)
      return () => { retries.splice(retries.indexOf(action), 1) }
    },
    log
  })
  followServers(servers, () => { events.push(`now ${servers.map(({ name }) => name).join(' ')}`) })
  events.length = 0
  return {
    keeper, servers, live, events, orders, limits, checked, lines, held, threads, retries, pass
  }
}

t.test('server keeper: one that is new is checked once every thread knows it', async t => {
  const { keeper, servers, events, orders, checked } = testKeeper()
  t.match(await keeper.setStored([stored('b', { check: { rise: 7 } })], false), {
    servers, leftOut: [], late: []
  })
  t.strictSame(events, [
    '3 count', 'add 2', 'now 8000 a b', 'check a', 'tell', 'told', 'check a b'
  ])
  t.match(orders, [{ type: 'replace-servers', servers: [{}, {}, { name: 'b', index: 2, source: 'console' }] }])
  t.strictSame(checked.at(-1)![1]!.check, { ...CHECK, rise: 7 })
})

t.test('server keeper: one that is gone is checked no more, before anything else', async t => {
  const { keeper, events } = testKeeper()
  await keeper.setStored([stored('b')], false)
  events.length = 0
  await keeper.setStored([], false)
  t.strictSame(events, ['3 count', 'remove 2', 'now 8000 a b', 'check a', 'tell', 'told', 'check a'])
})

t.test('server keeper: what is as it was is told to nobody', async t => {
  const { keeper, orders } = testKeeper()
  await keeper.setStored([stored('b')], false)
  await keeper.setStored([stored('b')], false)
  t.equal(orders.length, 1)
})

t.test('server keeper: at the start nobody is waited for, later every thread is', async t => {
  const { keeper, held, checked } = testKeeper({ isHeld: true })
  await keeper.setStored([stored('b')], true)
  t.equal(checked.at(-1)!.length, 2)
  let isDone = false
  const later = keeper.setStored([stored('b'), stored('c')], false).then(() => { isDone = true })
  while (held.length < 2) await new Promise(setImmediate)
  t.equal(isDone, false)
  t.equal(checked.at(-1)!.length, 2, 'and it is not checked before')
  for (const letGo of held) letGo()
  await later
  t.equal(checked.at(-1)!.length, 3)
})

t.test('server keeper: a monitor that starts waits for no list that was to reach the one before', async t => {
  const { keeper, servers, held } = testKeeper({ isHeld: true })
  const ofTheDead = keeper.setStored([stored('b')], false)
  while (held.length < 1) await new Promise(setImmediate)
  const ofItsSuccessor = keeper.setStored([stored('b'), stored('c')], true)
  const first = await Promise.race([ofTheDead.then(() => 'the earlier one'), ofItsSuccessor])
  t.match(first, { servers, late: [] }, 'as long as it is not answered it takes no orders')
  for (const letGo of held) letGo()
  await ofTheDead
})

t.test('server keeper: a thread that is late is named, and told again until it knows', async t => {
  const { keeper, servers, checked, orders, lines, threads, retries, pass } = testKeeper({ late: ['server 8000'] })
  t.match(await keeper.setStored([stored('b')], false), { servers, late: ['server 8000'] })
  t.match(lines.filter(({ level }) => level === 50), [{ worker: 'server 8000', err: { message: 'too slow' } }])
  t.equal(checked.at(-1)!.length, 1, 'nobody is sent there')
  t.match(await keeper.setStored([stored('b')], false), { late: ['server 8000'] }, 'as long as it is so')
  await pass()
  t.strictSame([orders.length, retries.length], [3, 1], 'one retry at a time')
  t.equal(checked.at(-1)!.length, 1)
  threads.late = []
  await pass()
  t.strictSame(orders.at(-1), { type: 'replace-servers', servers: [...servers] })
  t.equal(checked.at(-1)!.length, 2)
  t.strictSame([orders.length, retries.length], [4, 0], 'and then no more')
})

t.test('server keeper: a later list that every thread has taken over brings the earlier one, too', async t => {
  const { keeper, checked, orders, threads, pass } = testKeeper({ late: ['server 8000'] })
  await keeper.setStored([stored('b')], false)
  threads.late = []
  await keeper.setStored([stored('b'), stored('c')], false)
  t.equal(checked.at(-1)!.length, 3)
  await pass()
  t.equal(orders.length, 2)
})

t.test('server keeper: an answer to an earlier list says nothing of what came since', async t => {
  const { keeper, checked, held } = testKeeper({ isHeld: true })
  const first = keeper.setStored([stored('b')], false)
  const second = keeper.setStored([stored('b'), stored('c')], false)
  held[0]!()
  await first
  t.strictSame(checked.at(-1)!.map(({ name }) => name), ['a', 'b'])
  held[1]!()
  await second
  t.strictSame(checked.at(-1)!.map(({ name }) => name), ['a', 'b', 'c'])
})

t.test('server keeper: once it is closed nobody is told again', async t => {
  const { keeper, orders, retries } = testKeeper({ late: ['monitor'] })
  await keeper.setStored([stored('b')], false)
  keeper.close()
  t.equal(retries.length, 0)
  await keeper.setStored([], false)
  t.strictSame([orders.length, retries.length], [2, 0])
})

t.test('server keeper: weights and capacities are those of the settings and of the console', async t => {
  const { keeper, live, limits } = testKeeper()
  live.capacity = [10]
  const said = [
    ...testServers([8000], [{ weight: undefined, capacity: 10 }]),
    ...testExternal(1, ['a'], [{ weight: undefined, capacity: 10 }])
  ]
  await keeper.setOfSettings(said)
  await keeper.setStored([stored('b'), stored('c', { capacity: 40 })], false)
  t.strictSame(limits.at(-1), [
    { capacity: 10, weight: 1 }, { capacity: 10, weight: 1 }, { capacity: 10, weight: 1 },
    { capacity: 40, weight: 4 }
  ])
})

t.test('server keeper: of what the settings say for each server, the console\'s have the default', async t => {
  const { keeper, live, checked } = testKeeper()
  live.healthPath = ['/x', '/y']
  live.healthFall = [9]
  await keeper.setStored([stored('b')], false)
  t.strictSame(checked.at(-1)![1]!.check, { ...CHECK, path: '/', fall: 9 })
})

t.test('server keeper: the settings win over the console, until they name the server no more', async t => {
  const { keeper, servers, lines } = testKeeper()
  t.match(await keeper.setStored([stored('a', { publicUrl: 'https://other.example' })], false), { leftOut: ['a'] })
  t.match(servers[1], { source: 'settings', publicUrl: 'https://a.example' })
  t.match(lines.filter(({ level }) => level === 40), [{ server: 'a', msg: /not in force/ }])
  await keeper.setOfSettings(testServers([8000]))
  t.match(servers[1], { source: 'console', publicUrl: 'https://other.example', index: 1 })
})
