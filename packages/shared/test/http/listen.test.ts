import net from 'node:net'
import t from 'tap'
import { canSharePorts, hasReusePort, hostsToTry, listenOn } from '@usher/shared/http/listen.ts'

// eslint-disable-next-line n/no-deprecated-api -- what listens is not public
const { TCP } = (process as { binding?: Function }).binding!('tcp_wrap')

/** A documentation address (RFC 5737): no machine has it. */
const NOWHERE = '192.0.2.1'

t.test('listen: only the IPv6 wildcard has something to fall back to', async t => {
  t.strictSame(hostsToTry('::'), ['::', '0.0.0.0'])
  t.strictSame(hostsToTry('127.0.0.1'), ['127.0.0.1'])
})

t.test('listen: takes the first address that the machine has', async t => {
  const server = net.createServer()
  t.teardown(() => server.close())
  const port = await listenOn(server, 0, [NOWHERE, '127.0.0.1'])
  t.match(server.address(), { address: '127.0.0.1', port })
  t.equal(server.listenerCount('error'), 0)
})

t.test('listen: two share a port where Node and the system can, and nobody else takes it', async t => {
  const [first, second, third] = [net.createServer(), net.createServer(), net.createServer()]
  t.teardown(() => {
    first.close()
    second.close()
  })
  const port = await listenOn(first, 0, ['127.0.0.1'], true)
  const sharing = listenOn(second, port, ['127.0.0.1'], true)
  if (canSharePorts) t.equal(await sharing, port)
  else await t.rejects(sharing, { code: 'EADDRINUSE' })
  await t.rejects(listenOn(third, port, ['127.0.0.1']), { code: 'EADDRINUSE' })
})

t.test('listen: which versions of Node share ports', async t => {
  for (const [version, expected] of [
    ['20.19.0', false], ['22.11.0', false], ['22.12.0', true], ['23.0.0', false], ['23.1.0', true],
    ['24.0.0', true], ['26.1.0', true]
  ] as const) t.equal(hasReusePort(version), expected, version)
})

t.test('listen: rejects with the system\'s error', async t => {
  const first = net.createServer()
  const second = net.createServer()
  t.teardown(() => first.close())
  const port = await listenOn(first, 0, ['127.0.0.1'])
  await t.rejects(listenOn(second, port, ['127.0.0.1', '::1']), { code: 'EADDRINUSE' })
  await t.rejects(listenOn(second, 0, [NOWHERE]), { code: 'EADDRNOTAVAIL' })
  await t.rejects(listenOn(second, 0, []), RangeError)
})

t.test('listen: thousands may wait to be accepted, not Node\'s 511', async t => {
  const server = net.createServer()
  t.teardown(() => server.close())
  const listens = t.capture(server, 'listen', server.listen.bind(server))
  await listenOn(server, 0, ['localhost'])
  t.match(listens(), [{ args: [{ backlog: 4096 }] }])
  const backlogs = t.capture(TCP.prototype, 'listen', TCP.prototype.listen)
  await listenOn(net.createServer().unref(), 0, ['127.0.0.1'])
  t.ok(backlogs().length > 0)
  for (const { args } of backlogs()) t.strictSame(args, [4096])
})
