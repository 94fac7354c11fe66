/** The log's file or console is full or closed: all else goes on, and the log says so once. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  ask, startCluster, until, Visitor, workingFolder, type Cluster, type StartOptions
} from './cluster.ts'
import { Operator } from '../scripts/kit/operator.ts'
import { smallDisks } from './small-disk.ts'

const PASSWORD = 'correct horse battery'
const VISITS = 5
const DENIED_ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
/** So that every thread has something to say at every visit. */
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', LOG_LEVEL: 'debug' }
const WITH_ADMIN = { ...SETTINGS, ADMIN_PASSWORD: PASSWORD }

const messages = ({ log }: Cluster, wanted: RegExp): string[] =>
  log.map(({ msg }) => msg).filter(msg => wanted.test(msg))

async function visit (t: Test, cluster: Cluster): Promise<void> {
  for (let visit = 0; visit < VISITS; visit++) {
    const visitor = new Visitor()
    const port = await visitor.enter(cluster)
    t.equal((await visitor.ask(port, '/heartbeat')).status, 204)
  }
}

async function operate (t: Test, cluster: Cluster): Promise<void> {
  const operator = new Operator(cluster)
  t.equal((await operator.logIn('admin', PASSWORD)).status, 200)
  t.equal((await operator.post('/deny', { userId: DENIED_ID })).status, 200)
  const headers = { cookie: `client_id=${DENIED_ID}` }
  t.equal((await ask(cluster.routingPort, '/', { headers })).status, 403)
  t.equal((await operator.post('/allow', { userId: DENIED_ID })).status, 200)
}

t.test('log trouble: a file that takes nothing is named once, all else goes on', async t => {
  const cluster = await startCluster(t, { ...WITH_ADMIN, LOG_FILE: '/dev/full' })
  await visit(t, cluster)
  await operate(t, cluster)
  t.equal(await cluster.stop(), 0)
  t.same(messages(cluster, /lost/), ['log lines are lost: LOG_FILE cannot be written'])
  t.match(cluster.log.find(({ msg }) => /lost/.test(msg)), { level: 50, reason: /ENOSPC/ })
})

for (const makeDisk of smallDisks()) {
  t.test('log trouble: a full disk that gets room again has every line but those lost', async t => {
    const cwd = workingFolder(t)
    const disk = makeDisk(t, cwd)
    t.comment(disk.name)
    const file = join(disk.dir, 'server.log')
    const cluster = await startCluster(t, { ...SETTINGS, LOG_FILE: file }, { cwd })
    const pid = cluster.process.pid!
    disk.fill(pid)
    await until(() => visit(t, cluster), () => messages(cluster, /^log lines are lost/).length > 0)
    await visit(t, cluster)
    t.equal(messages(cluster, /lost/).length, 1)
    disk.makeRoom(pid)
    await until(() => visit(t, cluster), () => messages(cluster, /^resolved/).length > 0)
    t.equal(await cluster.stop(), 0)

    const said = await cluster.logged(/^resolved: log lines were lost/)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const whole = lines.filter(isJson)
    t.ok(lines.length - whole.length <= 1, 'one line at most was cut off')
    t.equal(whole.length, cluster.log.length - Number(said['lostLines']), 'it knows how many are lost')
    t.same(messages(cluster, /lost/), [
      'log lines are lost: LOG_FILE cannot be written', 'resolved: log lines were lost: LOG_FILE cannot be written'
    ])
  })
}

function isJson (line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

/** What a shell does with the program, and what its log file has of it then. */
const CONSOLES: ReadonlyArray<readonly [name: string, shell: string, said: readonly string[]]> = [
  ['| head -1', 'mkfifo out; head -1 <out & exec "$@" >out', ['log lines are lost: the console cannot be written']],
  // A pipe holds 64 KiB, and this one is not read.
  ['stalled', 'mkfifo out; exec 3<>out; head -c 65536 /dev/zero >&3; exec "$@" >out', [
    'log lines are lost: the console cannot be written'
  ]],
  ['full', 'exec "$@" >/dev/full 2>/dev/full', ['log lines are lost: the console cannot be written']],
  ['closed', 'exec "$@" >&- 2>&-', []]
]

for (const [name, shell, said] of CONSOLES) {
  t.test(`log trouble: a console that is ${name} stops nothing`, async t => {
    const cwd = workingFolder(t)
    const options: StartOptions = { cwd, shell, logFile: join(cwd, 'server.log') }
    const cluster = await startCluster(t, WITH_ADMIN, options)
    await visit(t, cluster)
    await operate(t, cluster)
    t.equal(await cluster.stop(), 0)
    await cluster.logged(/^stopped/)
    t.same(messages(cluster, /lost/), said)
  })
}

t.test('log trouble: a first password that no console takes is nobody\'s', async t => {
  const cwd = workingFolder(t)
  const logFile = join(cwd, 'server.log')
  const shell = 'exec "$@" 2>/dev/full'
  const first = await startCluster(t, SETTINGS, { cwd, shell, logFile })
  await visit(t, first)
  t.match(await first.logged(/nobody can log in/), { level: 50, msg: /ADMIN_PASSWORD/ })
  t.equal(await first.stop(), 0)
  const second = await startCluster(t, WITH_ADMIN, { cwd })
  await operate(t, second)
})
