/**
 * docs/deploying.md, run as it is written but for the folder and the ports, while visitors come in
 * by the router and load pages: no request fails, and what they see is one release.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync, mkdirSync, readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync,
  writeFileSync
} from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PROGRAM } from '../scripts/kit/program.ts'
import { ask, ROOT, samePorts, startCluster, Visitor, workingFolder, type Cluster } from './cluster.ts'

const DOCUMENT = readFileSync(join(ROOT, 'docs/deploying.md'), 'utf8')
const PASSWORD = 'correct horse battery'
const SETTINGS = {
  ADMIN_PASSWORD: PASSWORD, HOST: '127.0.0.1', DELAY_BETWEEN_ROUTING: '0', SOCKET_TIMEOUT: '60'
}
const VISITOR_COUNT = 12

/** The blocks of one language in a section. */
function blocks (heading: string, language: 'sh' | 'ini'): string[] {
  const section = DOCUMENT.split(/^## /m).find(text => text.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`no section ${heading}`)
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))]
    .map(([, block]) => block!)
}

interface Machine {
  readonly cwd: string
  /** The program while it runs. */
  cluster?: Cluster
}

/** A working folder with a build in it, and the commands that a server has installed. */
function newMachine (t: Test): Machine {
  const cwd = workingFolder(t, {
    bin: {
      usher: `#!/bin/sh\nexec ${process.execPath} ${PROGRAM} "$@"\n`,
      systemctl: '#!/bin/sh\n[ "$*" = "reload usher" ] && kill -HUP "$(cat usher.pid)"\n'
    },
    build: { 'index.html': 'release 1' }
  })
  for (const name of ['usher', 'systemctl']) chmodSync(join(cwd, 'bin', name), 0o755)
  return { cwd }
}

/** With another release number if one is given; rejects with what it said when it fails. */
async function run ({ cwd, cluster }: Machine, script: string, release?: number): Promise<void> {
  const [port, ...ports] = cluster?.ports ?? []
  const own = script.replaceAll('/srv/usher', cwd)
    .replaceAll('8000 8001 8002', [port, ...ports].join(' '))
    .replaceAll('127.0.0.1:8081', `127.0.0.1:${cluster?.monitoringPort}`)
    .replaceAll(/^RELEASE=2$/gm, `RELEASE=${release ?? 2}`)
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', own], {
    cwd, env: { PATH: `${join(cwd, 'bin')}:${process.env['PATH']}`, PASSWORD }
  })
  let said = ''
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.on('data', (text: Buffer) => { said += text.toString() })
  }
  const [code] = await once(shell, 'close')
  if (code !== 0) throw new Error(`ended with ${code}: ${said}\n${own}`)
}

async function start (
  t: Test, machine: Machine, heading: string, given: Record<string, string> = {},
  own = (text: string) => text
): Promise<Cluster> {
  const [settings = ''] = blocks(heading, 'ini')
  writeFileSync(join(machine.cwd, 'usher.env'), own(settings))
  const cluster = await startCluster(t, { ...SETTINGS, ...given }, { cwd: machine.cwd })
  writeFileSync(join(machine.cwd, 'usher.pid'), String(cluster.process.pid))
  machine.cluster = cluster
  return cluster
}

interface Crowd {
  /** What each visit has seen, page after page. */
  readonly visits: ReadonlyArray<readonly string[]>
  readonly failed: readonly string[]
  readonly requestCount: number
  /** Resolves when everybody has left. */
  end (): Promise<void>
}

/** People who come by the router, load three pages at the server it sends them to, and leave. */
function letVisit (t: Test, cluster: Cluster): Crowd {
  const visits: string[][] = []
  const failed: string[] = []
  let requestCount = 0
  const over = new AbortController()
  const visit = async (visitor: Visitor, agent: http.Agent): Promise<void> => {
    const seen: string[] = []
    visits.push(seen)
    const port = await visitor.knock(cluster)
    requestCount += 5
    for (let page = 0; page < 3; page++) {
      const { status, body } = await visitor.ask(port, '/', { agent })
      if (status === 200) seen.push(body)
      else failed.push(`${status}: ${body}`)
    }
    const { status } = await visitor.ask(port, '/leave', { method: 'POST', agent })
    if (status !== 200) failed.push(`leave: ${status}`)
  }
  const all = Promise.all(Array.from({ length: VISITOR_COUNT }, async () => {
    const visitor = new Visitor()
    const agent = new http.Agent({ keepAlive: true })
    while (!over.signal.aborted) {
      await visit(visitor, agent).catch((error: unknown) => { failed.push(String(error)) })
    }
    agent.destroy()
  }))
  const end = async (): Promise<void> => {
    over.abort()
    await all
  }
  t.teardown(end)
  return { visits, failed, end, get requestCount () { return requestCount } }
}

async function pages ({ ports }: Cluster): Promise<string[]> {
  return await Promise.all(ports.map(async port => (await ask(port)).body))
}

function holdAll (t: Test, crowd: Crowd): void {
  t.strictSame(crowd.failed, [], `0 of ${crowd.requestCount} requests failed`)
  t.ok(crowd.requestCount > 100, 'under load')
}

t.test('deploying: a release goes live and is taken back, and nobody notices', async t => {
  const machine = newMachine(t)
  const { cwd } = machine
  const [first, ...others] = blocks('A release is a folder, and a link says which', 'sh')
  t.equal(others.length, 0)
  await run(machine, first!)
  const cluster = await start(t, machine, 'A release is a folder, and a link says which')
  t.same(await pages(cluster), ['release 1', 'release 1', 'release 1'])

  writeFileSync(join(cwd, 'build/index.html'), 'release 2')
  const crowd = letVisit(t, cluster)
  for (const block of blocks('A new release', 'sh')) await run(machine, block)
  t.same(await pages(cluster), ['release 2', 'release 2', 'release 2'])
  const [back] = blocks('Going back', 'sh')
  await run(machine, back!)
  await run(machine, blocks('A new release', 'sh')[1]!, 1)
  t.same(await pages(cluster), ['release 1', 'release 1', 'release 1'])
  await crowd.end()
  holdAll(t, crowd)
  t.same(new Set(crowd.visits.flat()), new Set(['release 1', 'release 2']))
})

t.test('deploying: where the link leads counts at the reload and not before', async t => {
  const machine = newMachine(t)
  const { cwd } = machine
  await run(machine, blocks('A release is a folder, and a link says which', 'sh')[0]!)
  const cluster = await start(t, machine, 'A release is a folder, and a link says which')
  mkdirSync(join(cwd, 'releases/2'))
  symlinkSync('releases/2', join(cwd, 'current.new'))
  renameSync(join(cwd, 'current.new'), join(cwd, 'current'))
  unlinkSync(join(cwd, 'releases/1/index.html'))
  t.same(await pages(cluster), ['release 1', 'release 1', 'release 1'], 'what was loaded is served')
  writeFileSync(join(cwd, 'releases/2/index.html'), 'release 2')
  cluster.process.kill('SIGHUP')
  await cluster.logged(/all servers serve the files as they are now/)
  t.same(await pages(cluster), ['release 2', 'release 2', 'release 2'])
})

t.test('deploying: a release that is there already, or is not as it must be, goes nowhere', async t => {
  const machine = newMachine(t)
  const { cwd } = machine
  const [deploy] = blocks('A new release', 'sh')
  await run(machine, blocks('A release is a folder, and a link says which', 'sh')[0]!)
  const cluster = await start(t, machine, 'A release is a folder, and a link says which')
  await t.rejects(run(machine, deploy!, 1), /releases\/1.*File exists/)
  writeFileSync(join(cwd, 'build/_headers'), '/*\n  what is no header\n')
  await t.rejects(run(machine, deploy!, 2), /_headers.*2/)
  t.equal(readlinkSync(join(cwd, 'current')), 'releases/1')
  t.same(await pages(cluster), ['release 1', 'release 1', 'release 1'])
})

t.test('deploying: one server after another, nobody sees two releases in one visit', async t => {
  const machine = newMachine(t)
  const { cwd } = machine
  const heading = 'One server after another'
  await run(machine, blocks('A release is a folder, and a link says which', 'sh')[0]!)
  const before = await start(t, machine, 'A release is a folder, and a link says which')
  await before.stop()
  for (const port of before.ports) symlinkSync('releases/1', join(cwd, `site-${port}`))
  mkdirSync(join(cwd, 'releases/2'))
  for (const [name, text] of [['index.html', 'release 2'], ['release.txt', '2\n']] as const) {
    writeFileSync(join(cwd, 'releases/2', name), text)
  }
  const cluster = await start(t, machine, heading, samePorts(before), text =>
    text.replace('site-8000,site-8001,site-8002', before.ports.map(port => `site-${port}`).join(',')))
  t.same(await pages(cluster), ['release 1', 'release 1', 'release 1'])

  const crowd = letVisit(t, cluster)
  const [roll] = blocks(heading, 'sh')
  await run(machine, roll!)
  t.same(await pages(cluster), ['release 2', 'release 2', 'release 2'])
  await run(machine, roll!, 1)
  t.same(await pages(cluster), ['release 1', 'release 1', 'release 1'], 'and back')
  await crowd.end()
  holdAll(t, crowd)
  const mixed = crowd.visits.filter(seen => new Set(seen).size > 1)
  t.same(mixed, [])
  t.same(new Set(crowd.visits.flat()), new Set(['release 1', 'release 2']))
})
