import { once, type EventEmitter } from 'node:events'
import { connect, createServer, Server, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { Settings } from '@usher/shared/settings/settings.ts'
import { ownServers } from '@usher/shared/settings/servers.ts'
import { testServers } from '../../shared/test/settings/test-servers.ts'
import { checkPorts } from '../src/port-check.ts'

const HOST = '127.0.0.1'
/** Not an address: node:net binds it. */
const NAME = 'localhost'
/** A documentation address (RFC 5737): no machine has it. */
const NOWHERE = '192.0.2.1'

t.test('port check: names every taken port in one message, and what to do', async t => {
  const [first, second, third, free] = [
    await takenPort(t), await takenPort(t), await takenPort(t), await freePort()
  ]
  const settings = testSettings({
    servers: testServers([first, free, second]), routingPort: third, monitoringPort: 0
  })
  await t.rejects(checkPorts(settings), {
    code: 'USHER_PORTS_UNAVAILABLE',
    message: 'These ports cannot be used:\n' +
      `  PORTS: port ${first} is taken by another program\n` +
      `  PORTS: port ${second} is taken by another program\n` +
      `  ROUTING_PORT: port ${third} is taken by another program\n` +
      'Stop what holds them, or choose others: --ports, --routing-port, --monitoring-port.'
  })
  await t.resolves(bindOnce(free), 'a free one that was checked along is free again')
})

t.test('port check: names the monitor\'s port too', async t => {
  const port = await takenPort(t)
  await t.rejects(checkPorts(testSettings({ monitoringPort: port })), {
    message: `\n  MONITORING_PORT: port ${port} is taken by another program\n`
  })
})

t.test('port check: the decision port, where there is one', async t => {
  const port = await takenPort(t)
  await t.rejects(checkPorts(testSettings({ decisionPort: port })), {
    message: `\n  DECISION_PORT: port ${port} is taken by another program\n` +
      'Stop what holds them, or choose others: --ports, --routing-port, --monitoring-port, ' +
      '--decision-port.'
  })
  const { decisionPort, routingPort } = await checkPorts(testSettings({ decisionPort: 0 }))
  t.ok(decisionPort! > 0 && decisionPort !== routingPort)
})

t.test('port check: free ports stay as they are and are free afterwards', async t => {
  const [a, b, c, d] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const settings = testSettings({ servers: testServers([a, b]), routingPort: c, monitoringPort: d })
  const checked = await checkPorts(settings)
  t.strictSame(checked, settings)
  for (const port of [a, b, c, d]) await t.resolves(bindOnce(port), `${port}`)
})

t.test('port check: a port of 0 becomes a number, and no two are the same', async t => {
  const fixed = await freePort()
  const servers = testServers([0, fixed, 0, 0, 0, 0, 0, 0])
  const checked = await checkPorts(testSettings({ servers }))
  const ports = ownServers(checked.servers).map(({ port }) => port)
  const all = [...ports, checked.routingPort, checked.monitoringPort]
  t.strictSame(checked.servers.map(({ name }) => name), ports.map(String), 'names follow')
  t.equal(ports.length, 8)
  t.equal(ports[1], fixed)
  t.equal(new Set(all).size, 10, all.join(' '))
  t.ok(all.every(port => Number.isInteger(port) && port > 0 && port < 65_536), all.join(' '))
  for (const port of all) await t.resolves(bindOnce(port), `${port} is free`)
})

t.test('port check: the kernel chooses while all other ports are held', async t => {
  const fixed = await freePort()
  const calls: string[] = []
  const { close } = Server.prototype
  const emit: EventEmitter['emit'] = Server.prototype.emit
  t.intercept(Server.prototype, 'emit', {
    value (this: Server, event: string, ...args: unknown[]) {
      const isFixed = (this.address() as AddressInfo | null)?.port === fixed
      if (event === 'listening') calls.push(isFixed ? 'listen fixed' : 'listen')
      return emit.call(this, event, ...args)
    }
  })
  t.intercept(Server.prototype, 'close', {
    value (this: Server, ...args: Parameters<typeof close>) {
      calls.push('close')
      return close.apply(this, args)
    }
  })
  await checkPorts(testSettings({ routingPort: fixed, host: NAME, monitoringHost: NAME }))
  t.strictSame(calls, ['listen fixed', 'listen', 'listen', 'close', 'close', 'close'])
})

t.test('port check: a client that comes in meanwhile is let go and holds up no start', async t => {
  const port = await freePort()
  const { close } = Server.prototype
  let client: ReturnType<typeof connect> | undefined
  const { restore } = t.intercept(Server.prototype, 'close', {
    value (this: Server, ...args: Parameters<typeof close>) {
      client ??= connect(port, NAME).on('error', () => {})
      // It would wait for its answer for ever.
      client.once('connect', () => setImmediate(() => close.apply(this, args)))
      return this
    }
  })
  const checked = checkPorts(testSettings({ servers: testServers([port]), host: NAME }))
  await checked
  restore()
  if (!client!.destroyed) await once(client!, 'close')
})

t.test('port check: keeps every other setting', async t => {
  const settings = testSettings({ maxUsers: 77 })
  t.match(await checkPorts(settings), { host: HOST, monitoringHost: HOST, maxUsers: 77 })
})

t.test('port check: an address that is not this machine\'s is named', async t => {
  await t.rejects(checkPorts(testSettings({ servers: testServers([8000]), host: NOWHERE })), {
    message: `  PORTS: port 8000 cannot be bound: ${NOWHERE} is not an address of this machine\n` +
      `  ROUTING_PORT: port 0 cannot be bound: ${NOWHERE} is not an address of this machine\n`
  })
})

t.test('port check: the monitor\'s address is its own', async t => {
  await t.rejects(checkPorts(testSettings({ monitoringHost: NOWHERE })), {
    message: 'These ports cannot be used:\n' +
      `  MONITORING_PORT: port 0 cannot be bound: ${NOWHERE} is not an address of this machine\n`
  })
})

t.test('port check: says why in words that help', async t => {
  const cases: ReadonlyArray<readonly [code: string | undefined, reason: string]> = [
    ['EACCES', 'is not allowed to this user (ports below 1024 need the right to bind them)'],
    ['EMFILE', `cannot be bound on ${NAME}: no luck`],
    [undefined, `cannot be bound on ${NAME}: no luck`]
  ]
  for (const [code, reason] of cases) {
    const restore = t.intercept(Server.prototype, 'listen', {
      value (this: Server) {
        const error = Object.assign(new Error('no luck'), code === undefined ? {} : { code })
        process.nextTick(() => this.emit('error', error))
        return this
      }
    }).restore
    await t.rejects(checkPorts(testSettings({ servers: testServers([80]), host: NAME })), {
      message: `  PORTS: port 80 ${reason}\n`
    }, String(code))
    restore()
  }
})

function testSettings (changes: Partial<Settings>): Settings {
  const servers = testServers([0])
  const hosts = { host: HOST, monitoringHost: HOST, decisionHost: HOST }
  const ports = { routingPort: 0, monitoringPort: 0, decisionPort: undefined }
  return { ...hosts, servers, ...ports, ...changes } as Settings
}

/** Held until the test ends. */
async function takenPort (t: Test): Promise<number> {
  const server = createServer()
  const port = await listen(server, 0)
  t.teardown(() => server.close())
  return port
}

async function freePort (): Promise<number> {
  return await bindOnce(0)
}

async function bindOnce (port: number): Promise<number> {
  const server = createServer()
  const bound = await listen(server, port)
  await new Promise(resolve => { server.close(resolve) })
  return bound
}

function listen (server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, () => { resolve((server.address() as AddressInfo).port) })
  })
}
