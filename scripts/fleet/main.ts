/**
 * `npm run fleet`: an engine and three nodes on this machine, each at an address of its own, to try
 * a fleet by hand. Runs until it is interrupted, or for a time; nothing of it is kept.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { findProgram } from '../bench-peers/peers/peer.ts'
import { startProgram, type Program } from '../kit/program.ts'

interface Plan {
  /** Undefined: until it is interrupted. */
  readonly seconds: number | undefined
  readonly hasFreePorts: boolean
}

const USAGE_EXIT = 2
const SECONDS_MAX = 86_400
const ENGINES = ['valkey-server', 'redis-server']
/** Each with its address: the loopback network has as many as one likes. */
const NODES: ReadonlyArray<readonly [name: string, host: string]> = [
  ['oak', '127.0.0.2'], ['elm', '127.0.0.3'], ['ash', '127.0.0.4']
]
const USUAL_PORTS = { PORTS: '8000,8001,8002', ROUTING_PORT: '8080', MONITORING_PORT: '8081' }
const SOCKET_MS_MAX = 10_000
const SOCKET_LOOK_MS = 20

const plan = parse(process.argv.slice(2))
const engineProgram = ENGINES.map(findProgram).find(path => path !== undefined)
if (engineProgram === undefined) {
  process.stderr.write(`fleet: ${ENGINES.join(' or ')} is needed (in Debian: redis-server)\n`)
  process.exitCode = 1
} else {
  await runFleet(engineProgram, plan)
}

async function runFleet (engineProgram: string, { seconds, hasFreePorts }: Plan): Promise<void> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => { interrupted.abort() })
  }
  const folder = mkdtempSync(join(tmpdir(), 'usher-fleet-'))
  const engine = await startEngine(engineProgram, folder)
  const nodes: Program[] = []
  try {
    const password = randomBytes(9).toString('base64url')
    const settings = {
      CLUSTER_URL: `unix://${join(folder, 'engine')}`,
      CLUSTER_SECRET: randomBytes(32).toString('base64url'),
      ADMIN_PASSWORD: password,
      ...hasFreePorts ? {} : USUAL_PORTS
    }
    // One after another: each knows then what the ones before it have said.
    for (const [name, host] of NODES) {
      nodes.push(await startProgram({ ...settings, NODE_NAME: name, HOST: host, IP: host }))
    }
    announce(nodes, password)
    await wait((seconds ?? SECONDS_MAX) * 1000, undefined, interrupted).catch(() => {})
  } catch (error) {
    process.stderr.write(`fleet: ${(error as Error).message}\n`)
    process.exitCode = 1
  } finally {
    await Promise.all(nodes.map(node => node.stop()))
    await end(engine)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Listens on a socket in the folder; resolves when it is there. */
async function startEngine (program: string, folder: string): Promise<ChildProcess> {
  const socket = join(folder, 'engine')
  const engine = spawn(program, [
    '--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no',
    '--maxmemory-policy', 'noeviction', '--dir', folder
  ], { stdio: 'ignore', detached: true }) // An interrupt is for us first.
  process.once('exit', () => { engine.kill('SIGKILL') })
  const endMs = performance.now() + SOCKET_MS_MAX
  while (!existsSync(socket)) {
    if (engine.exitCode !== null || performance.now() > endMs) {
      throw new Error(`${program} has opened no socket in ${folder}`)
    }
    await wait(SOCKET_LOOK_MS)
  }
  return engine
}

async function end (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill()
  await exited
}

function announce (nodes: readonly Program[], password: string): void {
  const rows = nodes.map(({ routerUrl, monitorUrl }, at) =>
    `  ${NODES[at]![0]}   visitors ${routerUrl}   console ${monitorUrl}`)
  process.stdout.write([
    'Three nodes are one fleet now:', ...rows,
    `Log in as admin, password ${password}. Ctrl-C ends it all.`, ''
  ].join('\n'))
}

function parse (args: string[]): Plan {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seconds: { type: 'string' },
        'free-ports': { type: 'boolean', default: false }
      }
    })
    const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
    if (seconds !== undefined && !(seconds > 0 && seconds <= SECONDS_MAX)) {
      throw new Error(`--seconds is "${values.seconds}"; it must be more than 0 and at most ${SECONDS_MAX}`)
    }
    return { seconds, hasFreePorts: values['free-ports'] }
  } catch (error) {
    process.stderr.write(`fleet: ${(error as Error).message}\n\n` +
      'npm run fleet -- [--seconds N] [--free-ports]\n')
    process.exit(USAGE_EXIT)
  }
}
