/** How the program stops: under load, by every signal, with nothing lost. */
import autocannon from 'autocannon'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import t from 'tap'
import { PROGRAM, type LogLine } from '../scripts/kit/program.ts'
import { ask, ROOT, spread, startCluster, until, Visitor, workingFolder } from './cluster.ts'

const CLIENTS = 20

t.test('stop: SIGTERM under keep-alive load loses no request that was begun', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0.05' })
  const targets = [...cluster.ports, cluster.routingPort]
  const failures: string[] = []
  // A connection that the kernel has made and that is not accepted yet ends with its listener, so
  // the stop comes when every client has had an answer.
  const served = targets.map(() => new Set<autocannon.Client>())
  const loads = targets.map((port, index) => {
    const options = { url: `http://127.0.0.1:${port}/`, connections: CLIENTS, duration: 20 }
    const load = autocannon(options, () => {})
    load.on('reqError', (error: NodeJS.ErrnoException) => failures.push(error.code ?? error.message))
    load.on('response', (client, status) => {
      served[index]!.add(client)
      if (status !== 200 && status !== 302) failures.push(`status ${status}`)
    })
    return load
  })
  await until(() => Promise.resolve(served), sets => sets.every(({ size }) => size === CLIENTS))
  const code = await cluster.stop()
  for (const load of loads) (load as unknown as { stop (): void }).stop()
  t.equal(code, 0)
  t.same(failures.filter(failure => failure !== 'ECONNREFUSED'), [])
})

t.test('stop: a waiting visitor is redirected at once', async t => {
  const cluster = await startCluster(t, { DELAY_BETWEEN_ROUTING: '30' })
  const startMs = performance.now()
  const waiting = ask(cluster.routingPort, '/a?b=c')
  // A method that is refused at once: when it is answered, the loop has come round to both.
  await ask(cluster.routingPort, '/', { method: 'POST' })
  const code = cluster.stop('SIGINT')
  const answer = await waiting
  t.equal(answer.status, 302)
  t.equal(answer.headers.connection, 'close')
  t.equal(await code, 0)
  t.ok(performance.now() - startMs < 15_000, 'long before the wait was over')
})

t.test('stop: a request whose first byte was read is answered, a silent connection ended', async t => {
  const cluster = await startCluster(t)
  const silent = connect(cluster.ports[0]!, '127.0.0.1')
  const begun = connect(cluster.ports[0]!, '127.0.0.1')
  await Promise.all([once(silent, 'connect'), once(begun, 'connect')])
  begun.write('GET / HT')
  silent.resume()
  await ask(cluster.ports[0]!) // The server's loop has come round: the first bytes were read.
  const code = cluster.stop()
  await until(() => isRefused(cluster.ports[0]!), refused => refused)
  begun.write('TP/1.1\r\nHost: localhost\r\n\r\n')
  let answer = ''
  begun.on('data', (bytes: Buffer) => { answer += bytes.toString() })
  await Promise.all([once(begun, 'close'), once(silent, 'close')])
  const head = answer.split('\r\n\r\n')[0]
  t.match(head, /^HTTP\/1\.1 200 OK[^]*Connection: close/)
  t.equal(await code, 0)
})

t.test('stop: whoever the router had begun to read is redirected, though the servers have ended', async t => {
  const cluster = await startCluster(t)
  const begun = connect(cluster.routingPort, '127.0.0.1')
  await once(begun, 'connect')
  begun.write('GET / HT')
  await ask(cluster.routingPort, '/', { method: 'POST' }) // The router's loop has come round.
  const code = cluster.stop()
  const down = (): Promise<LogLine[]> =>
    Promise.resolve(cluster.log.filter(({ msg }) => msg === 'server is down'))
  await until(down, servers => servers.length === cluster.ports.length)
  begun.write('TP/1.1\r\nHost: localhost\r\n\r\n')
  let answer = ''
  begun.on('data', (bytes: Buffer) => { answer += bytes.toString() })
  await once(begun, 'close')
  t.match(answer, /^HTTP\/1\.1 302 Found[^]*Connection: close/)
  t.equal(await code, 0)
})

async function isRefused (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => false),
    new Promise<boolean>(resolve => { socket.on('error', () => { resolve(true) }) })
  ])
  socket.destroy()
  return outcome
}

t.test('stop: the active users of a clean stop are back after the start', async t => {
  const cwd = workingFolder(t)
  const first = await startCluster(t, { DELAY_BETWEEN_ROUTING: '0' }, { cwd })
  const visitors = Array.from({ length: 6 }, () => new Visitor())
  const ports: number[] = []
  for (const visitor of visitors) ports.push(await visitor.enter(first))
  await visitors[5]!.ask(ports[5]!, '/leave', { method: 'POST' })
  t.equal(await first.stop(), 0)
  const stayed = ports.slice(0, 5)
  const counted = first.log.filter(line => line.msg === 'active users when it stopped')
  t.same(counted.map(line => line['users']), spread(first, stayed))
  const ids = first.log.filter(line => line.msg === 'ids of the active users').flatMap(line => line['ids'])
  t.equal(new Set(ids).size, 5)

  const second = await startCluster(t, {
    PORTS: first.ports.join(','), DELAY_BETWEEN_ROUTING: '0'
  }, { cwd })
  const again: number[] = []
  for (const visitor of visitors.slice(0, 5)) again.push(await visitor.enter(second))
  t.same(again, stayed, 'each on their own server')
  t.equal(statSync(join(cwd, 'db/usher.db')).mode & 0o777, 0o600)
  t.equal(statSync(join(cwd, 'server.log')).mode & 0o777, 0o600)
})

t.test('stop: Ctrl-C twice within a moment is one, a later second signal ends at once with 1', async t => {
  const twice = await startCluster(t)
  twice.process.kill('SIGINT')
  t.equal(await twice.stop('SIGINT'), 0)

  const impatient = await startCluster(t, { SHUTDOWN_TIMEOUT: '60' })
  const held = await heldOpen(impatient.ports[0]!)
  const startMs = performance.now()
  impatient.process.kill('SIGTERM')
  await impatient.logged(/^stopping/)
  await until(() => Promise.resolve(performance.now() - startMs), elapsedMs => elapsedMs > 600)
  t.equal(await impatient.stop('SIGTERM'), 1)
  held.destroy()
})

t.test('stop: who never finishes a request is cut off, and the users are saved in time', async t => {
  const cluster = await startCluster(t, { SHUTDOWN_TIMEOUT: '2', SOCKET_TIMEOUT: '60' })
  const held = [await heldOpen(cluster.ports[0]!), await heldOpen(cluster.routingPort)]
  t.equal(await cluster.stop(), 0)
  t.ok(cluster.log.some(line => /worker did not stop in time/.test(line.msg)))
  t.ok(cluster.log.some(line => /connections to the router took too long/.test(line.msg)))
  t.ok(cluster.log.some(line => line.msg === 'ids of the active users'), 'the users were reached')
  t.notOk(cluster.log.some(line => /could not be saved/.test(line.msg)))
  for (const socket of held) socket.destroy()
})

/** A connection whose request never comes to its end. */
async function heldOpen (port: number): Promise<ReturnType<typeof connect>> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write('POST /leave HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n')
  await ask(port)
  return socket
}

t.test('stop: npm start passes a signal on, and a closed terminal stops gracefully', async t => {
  const cwd = workingFolder(t)
  const log = join(cwd, 'server.log')
  const flags = ['--host', '127.0.0.1', '--ports', '0,0,0', '--routing-port', '0',
    '--monitoring-port', '0', '--log-file', log, '--db-path', join(cwd, 'usher.db')]
  const npm = spawn('npm', ['start', '--silent', '--', ...flags], { cwd: ROOT, stdio: 'ignore' })
  const npmEnded = once(npm, 'exit')
  await ready(log)
  npm.kill('SIGTERM')
  await npmEnded
  t.equal((await lastLine(log))['msg'], 'stopped')

  // A pseudo-terminal of Python's, whose master is closed as a closed window does.
  const terminalLog = join(cwd, 'terminal.log')
  const command = [process.execPath, PROGRAM, ...flags.with(9, terminalLog)]
  const script = 'import os, pty, sys\npid, master = pty.fork()\n' +
    'if pid == 0: os.execv(sys.argv[1], sys.argv[1:])\nprint(pid, flush=True)\n' +
    'sys.stdin.readline()\nos.close(master)\nprint(os.waitpid(pid, 0)[1] >> 8, flush=True)\n'
  const terminal = spawn('python3', ['-c', script, ...command], { stdio: ['pipe', 'pipe', 'inherit'] })
  let printed = ''
  terminal.stdout.on('data', (text: Buffer) => { printed += text.toString() })
  await ready(terminalLog)
  terminal.stdin.end('close\n')
  await once(terminal, 'close')
  t.equal(printed.trim().split('\n').at(-1), '0', 'exit code')
  t.equal((await lastLine(terminalLog))['msg'], 'stopped')
})

async function ready (log: string): Promise<void> {
  await until(() => readLines(log), lines => lines.some(line => /is ready/.test(String(line['msg']))))
}

async function lastLine (log: string): Promise<Record<string, unknown>> {
  const lines = await until(() => readLines(log), lines => lines.at(-1)?.['msg'] === 'stopped')
  return lines.at(-1)!
}

function readLines (log: string): Promise<Array<Record<string, unknown>>> {
  try {
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    return Promise.resolve(lines.map(line => JSON.parse(line) as Record<string, unknown>))
  } catch {
    return Promise.resolve([])
  }
}

t.test('stop: a console that was closed stops nothing', async t => {
  const cluster = await startCluster(t)
  cluster.process.stdout!.destroy()
  await new Visitor().enter(cluster)
  t.equal(await cluster.stop(), 0)
})
