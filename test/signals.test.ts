/** No signal opens Node's debugger, and none that means nothing to Usher ends it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import '../scripts/setup.mjs'
import { PROGRAM_DIR } from '../scripts/kit/places.ts'
import { ask, startCluster, until, workingFolder } from './cluster.ts'

const UNUSED = ['SIGUSR1', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPWR'] as const

/** The debugger says so when it opens, and by then listens on its port. */
const DEBUGGER = /[Dd]ebugger listening/

t.test('signals: those that mean nothing are logged and ignored, and no debugger opens', async t => {
  const cluster = await startCluster(t)
  const portsBefore = listeningPorts(cluster.process.pid!)
  for (const signal of UNUSED) {
    cluster.process.kill(signal)
    await until(() => Promise.resolve(cluster.log), lines =>
      lines.some(line => line['signal'] === signal && /ignored/.test(line.msg)))
  }
  t.equal((await ask(cluster.ports[0]!)).status, 200)
  t.same(listeningPorts(cluster.process.pid!), portsBefore)
  t.notMatch(cluster.said(), DEBUGGER)
  t.equal(await cluster.stop(), 0)
})

/** Sends itself all of them when the last one is listened for, long before the program runs. */
const EARLY = `
  import { isMainThread } from 'node:worker_threads'
  const signals = ['SIGHUP', 'SIGUSR2', ${UNUSED.map(signal => `'${signal}'`).join()}]
  const missing = new Set(signals)
  const on = process.on
  if (isMainThread) process.on = function (signal, listener) {
    const result = on.call(this, signal, listener)
    if (missing.delete(signal) && missing.size === 0) {
      for (const name of signals) process.kill(process.pid, name)
    }
    return result
  }`

t.test('signals: during the start none ends the program; SIGHUP and SIGUSR2 act when it runs', async t => {
  const cwd = workingFolder(t, { 'preload.mjs': EARLY })
  const cluster = await startCluster(t, {}, { cwd, nodeOptions: '--import ./preload.mjs' })
  await cluster.logged(/all servers serve the files as they are now/)
  await cluster.logged(/all servers have been restarted/)
  t.same(cluster.log.filter(({ msg }) => /ignored/.test(msg)).map(line => line['signal']), UNUSED)
  t.notMatch(cluster.said(), DEBUGGER)
  t.equal(await cluster.stop(), 0)
})

t.test('signals: a debugger that opened before the program could listen is closed', async t => {
  const cwd = workingFolder(t, {
    'preload.mjs': `
      import { open } from 'node:inspector'
      import { isMainThread } from 'node:worker_threads'
      if (isMainThread) open(0)`
  })
  const cluster = await startCluster(t, {}, { cwd, nodeOptions: '--import ./preload.mjs' })
  t.match(cluster.said(), DEBUGGER)
  t.equal(listeningPorts(cluster.process.pid!).length, 5)
  await cluster.stop()
  const debugged = await startCluster(t, {}, { cwd, nodeOptions: '--inspect=127.0.0.1:0' })
  t.equal(listeningPorts(debugged.process.pid!).length, 6, 'unless it was asked for')
  await debugged.stop()
})

t.test('signals: the account command, which is told passwords, opens no debugger', async t => {
  const cwd = workingFolder(t)
  await (await startCluster(t, {}, { cwd })).stop()
  const command = spawn('sh', [
    '-c', 'unset NODE_OPTIONS; exec "$@"', 'sh', // tap's own code would listen for signals.
    process.execPath, join(PROGRAM_DIR, 'account.js'), 'add', 'a', '--permission', '-1'
  ], { cwd, env: { PATH: process.env['PATH'] }, stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  command.stderr.on('data', (text: Buffer) => { said += text.toString() })
  command.stdout.on('data', (text: Buffer) => { said += text.toString() })
  // From here on it waits for a password at its standard input.
  await until(() => Promise.resolve(said), text => text.includes('Database:'))
  command.kill('SIGUSR1')
  command.kill('SIGUSR2')
  command.stdin.end('a long and secret text\n')
  await once(command, 'close')
  t.equal(command.signalCode, null)
  t.match(said, 'Added "a"')
  t.notMatch(said, DEBUGGER)
})

t.test('signals: what npm runs before the program ignores them too', async t => {
  t.ok(process.listenerCount('SIGUSR1') > 0)
  t.ok(process.listenerCount('SIGUSR2') > 0)
})

/** Of TCP, of all kinds of addresses: as in /proc/PID/net, those whose sockets it holds. */
function listeningPorts (pid: number): string[] {
  const held = new Set(readdirSync(`/proc/${pid}/fd`).map(fd => linkOf(`/proc/${pid}/fd/${fd}`)))
  return ['tcp', 'tcp6'].flatMap(kind => readFileSync(`/proc/${pid}/net/${kind}`, 'utf8')
    .split('\n').slice(1).map(line => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && held.has(`socket:[${inode}]`))
    .map(([, address = '']) => address)).sort()
}

/** A descriptor may be closed meanwhile. */
function linkOf (path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
