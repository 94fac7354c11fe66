/**
 * From the start of the program to its first redirect, in turn with an empty Node program that
 * loads pino and better-sqlite3. The ratio of wall-clock times, and that of processor time.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ROOT } from '../kit/places.ts'
import { PROGRAM } from '../kit/program.ts'
import { spread } from '../measure/figures.ts'
import { verdictOf, type BenchPart } from './report/report.ts'

const EMPTY = "require('pino'); require('better-sqlite3'); process.stdout.write('loaded')"
const LOOK_MS = 2
const LOOKS_MS_MAX = 30_000
const CLOCK_TICK_MS = 10
const GOAL = { floor: 1.5, goal: 1.2 }

interface Start {
  readonly wallMs: number
  /** Of all of its threads; undefined where /proc does not say. */
  readonly cpuMs: number | undefined
}

export const benchFirstRedirect: BenchPart = async ({ rounds }) => {
  await startEmpty() // Files come into the system's cache.
  await startUsher()
  const pairs: Array<readonly [empty: Start, usher: Start]> = []
  for (let round = 0; round < rounds; round++) pairs.push([await startEmpty(), await startUsher()])
  const ratios = pairs.map(([empty, usher]) => usher.wallMs / empty.wallMs)
  const ratio = [...ratios].sort((a, b) => a - b)[ratios.length >> 1]!
  const row = (name: string, starts: readonly Start[]): string[] => [
    name,
    spread(starts.map(({ wallMs }) => wallMs), 0),
    spread(starts.map(({ cpuMs }) => cpuMs ?? NaN), 0)
  ]
  return {
    tables: [{
      id: 'first-redirect',
      title: 'From the start to the first redirect',
      columns: ['program', 'ms', 'processor time, ms'],
      rows: [
        row('empty, loads pino and better-sqlite3', pairs.map(([empty]) => empty)),
        row('Usher, three servers, delay 0', pairs.map(([, usher]) => usher)),
        ['ratio, pair by pair', spread(ratios, 2), '']
      ],
      notes: ['Until then Usher has started five threads, whose boot is Node\'s own.'],
      command: 'npm run bench:peers'
    }],
    plots: [],
    goals: [{
      case: 'first redirect',
      floor: '1.5 x an empty Node program that loads pino and better-sqlite3',
      goal: '1.2 x',
      measured: `${ratio.toFixed(2)} x`,
      verdict: verdictOf(ratio, GOAL)
    }]
  }
}

function startEmpty (): Promise<Start> {
  return timeStart(['-e', EMPTY], ROOT, {}, async child => {
    await once(child.stdout!, 'data')
  })
}

async function startUsher (): Promise<Start> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'usher-'))
  const settings = {
    HOST: '127.0.0.1',
    IP: '127.0.0.1',
    PORTS: '0,0,0',
    ROUTING_PORT: String(port),
    MONITORING_PORT: '0',
    DELAY_BETWEEN_ROUTING: '0',
    LOG_FILE: '-',
    ADMIN_PASSWORD: 'a password of the benchmark'
  }
  try {
    return await timeStart([PROGRAM], folder, settings, async () => {
      const endMs = performance.now() + LOOKS_MS_MAX
      while (!await isRedirected(port)) {
        if (performance.now() > endMs) throw new Error('no redirect came')
        await setTimeout(LOOK_MS)
      }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function timeStart (
  args: readonly string[], cwd: string, settings: Record<string, string>,
  isThere: (child: ChildProcess) => Promise<void>
): Promise<Start> {
  const startMs = performance.now()
  const child = spawn(process.execPath, args, {
    cwd, env: { PATH: process.env['PATH'], ...settings }, stdio: ['ignore', 'pipe', 'inherit']
  })
  if (args[0] === PROGRAM) child.stdout.resume()
  const exited = once(child, 'exit')
  try {
    await isThere(child)
    return { wallMs: performance.now() - startMs, cpuMs: cpuMsOf(child.pid!) }
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

/** User and system time, fields 14 and 15 of proc_pid_stat(5). */
function cpuMsOf (pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS
  } catch {
    return undefined
  }
}

function isRedirected (port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
    })
    socket.once('data', text => {
      resolve(text.toString('latin1').startsWith('HTTP/1.1 302'))
      socket.destroy()
    })
    socket.on('error', () => {}) // Nobody listens yet.
    socket.on('close', () => { resolve(false) })
  })
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
