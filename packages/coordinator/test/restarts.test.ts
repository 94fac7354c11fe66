import t from 'tap'
import { WorkerGone } from '@usher/shared/errors.ts'
import { testServers } from '../../shared/test/settings/test-servers.ts'
import { Restarts } from '../src/restarts.ts'
import { oneAtATime } from '@usher/shared/turns.ts'
import { testLog } from './fixtures/log.ts'
import { until } from './fixtures/until.ts'

/** Servers whose threads are replaced when a test says so. */
function testRestarts ({ canSharePorts = true, reserved = [0, 0, 0] } = {}) {
  const { log, lines } = testLog('info')
  const did: string[] = []
  const begun: Array<{ resolve: () => void, reject: (error: Error) => void }> = []
  const inTurn = oneAtATime()
  const restarts = new Restarts({
    servers: testServers([8000, 8001, 8002], [{ name: 'red' }, { name: 'green' }, { name: 'blue' }]),
    table: {
      usersPerServer: () => ({ active: new Int32Array(3), reserved: Int32Array.from(reserved) })
    },
    states: {
      setRestarting (server, isRestarting) { did.push(`${server} ${isRestarting ? 'off' : 'back'}`) }
    },
    workers: {
      replaceServer (server, isSideBySide) {
        did.push(`${server} ${isSideBySide ? 'beside' : 'after'}`)
        return new Promise((resolve, reject) => { begun.push({ resolve, reject }) })
      }
    },
    inTurn,
    canSharePorts,
    log
  })
  const next = async (): Promise<typeof begun[number]> => {
    await until(() => begun.length > 0)
    return begun.shift()!
  }
  return { restarts, did, lines, reserved, next, inTurn }
}

t.test('restarts: beside each other where ports can be shared; else it takes no visitors meanwhile', async t => {
  for (const [canSharePorts, expected] of [
    [true, ['1 beside', '1 back']], [false, ['1 off', '1 after', '1 back']]
  ] as const) {
    const { restarts, did, next } = testRestarts({ canSharePorts })
    const restarted = restarts.one(1)
    ;(await next()).resolve()
    await restarted
    t.strictSame(did, expected)
  }
  await t.rejects(testRestarts().restarts.one(3), { name: 'RangeError' })
})

t.test('restarts: whoever has been sent to a port that closes arrives first', async t => {
  const { restarts, did, next, reserved } = testRestarts({
    canSharePorts: false, reserved: [0, 2, 0]
  })
  const restarted = restarts.one(1)
  await until(() => did.length === 1)
  reserved[1] = 1
  t.strictSame(did, ['1 off'])
  reserved[1] = 0
  ;(await next()).resolve()
  await restarted
  t.strictSame(did, ['1 off', '1 after', '1 back'])
})

t.test('restarts: one that fails says why, and is what it was', async t => {
  const { restarts, did, next } = testRestarts({ canSharePorts: false })
  const failed = restarts.one(0)
  ;(await next()).reject(new Error('no index.html'))
  await t.rejects(failed, {
    code: 'USHER_RESTART_FAILED', message: 'server red was not restarted: no index.html'
  })
  const gone = restarts.one(0)
  ;(await next()).reject(new WorkerGone('server red', 'restart'))
  await t.rejects(gone, { code: 'USHER_WORKER_GONE' })
  t.strictSame(did, ['0 off', '0 after', '0 back', '0 off', '0 after', '0 back'])
})

t.test('restarts: one at a time, and never during a reload; the same one waits once', async t => {
  const { restarts, did, next, inTurn } = testRestarts()
  let endReload = (): void => {}
  const reload = inTurn(() => new Promise<void>(resolve => { endReload = resolve }))
  const asked = [restarts.one(0), restarts.one(0), restarts.one(1)]
  await new Promise(setImmediate)
  t.strictSame(did, [])
  endReload()
  await reload
  const first = await next()
  t.strictSame(did, ['0 beside'])
  const again = restarts.one(0) // That one has begun: what has changed since is not in it.
  first.resolve()
  ;(await next()).resolve()
  ;(await next()).resolve()
  await Promise.all([...asked, again])
  t.strictSame(did.filter(what => what.endsWith('beside')), ['0 beside', '1 beside', '0 beside'])
})

t.test('restarts: all in turn, whatever is down is left out; asked twice at once they are one', async t => {
  const { restarts, did, next, lines } = testRestarts()
  const all = [restarts.all(), restarts.all()]
  ;(await next()).resolve()
  ;(await next()).reject(new WorkerGone('server green', 'restart'))
  ;(await next()).resolve()
  await Promise.all(all)
  t.strictSame(did.filter(what => what.endsWith('beside')), ['0 beside', '1 beside', '2 beside'])
  t.match(lines, [{ level: 30, msg: 'all servers have been restarted' }])
})

t.test('restarts: all once more, if they are asked for while they go on', async t => {
  const { restarts, did, next } = testRestarts()
  const first = restarts.all()
  const begun = await next()
  const more = [restarts.all(), restarts.all(), restarts.all()]
  begun.resolve()
  for (let left = 5; left > 0; left--) (await next()).resolve()
  await Promise.all([first, ...more])
  t.equal(did.filter(what => what.endsWith('beside')).length, 6)
})

t.test('restarts: all end at the first that fails, and nobody is told but the log', async t => {
  const { restarts, did, next, lines } = testRestarts()
  const all = restarts.all()
  ;(await next()).resolve()
  ;(await next()).reject(new Error('no index.html'))
  await all
  t.strictSame(did.filter(what => what.endsWith('beside')), ['0 beside', '1 beside'])
  t.match(lines, [{
    level: 50, server: 'green', msg: /behind this one are not restarted/, err: { code: 'USHER_RESTART_FAILED' }
  }])
})
