/**
 * From the start of the program to its first redirect, without the delay of routing, in turn with
 * an empty Node program that loads pino and better-sqlite3, and with one that does nothing but
 * start a thread that listens. The ratios of wall-clock times, and those of processor time.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ROOT } from '../kit/places.ts'
import { PROGRAM, startProgram } from '../kit/program.ts'
import { spread } from '../measure/figures.ts'
import { verdictOf, type BenchPart } from './report/report.ts'

const EMPTY = "require('pino'); require('better-sqlite3'); process.stdout.write('loaded')"
/** What the first redirect waits for at least: a thread whose port is open. */
const LISTENER = `const { Worker } = require('node:worker_threads')
  const code = "require('node:net').createServer().listen(0, '127.0.0.1', " +
    "() => require('node:worker_threads').parentPort.postMessage(1))"
  new Worker(code, { eval: true }).on('message', () => { process.stdout.write('listens') })`
const FIRST_PASSWORD = { ADMIN_PASSWORD: 'a password of the benchmark' }
/** Of the programs below, the one that the goal is about. */
const USHER_AT = 2
const LOOK_MS = 2
const LOOKS_MS_MAX = 30_000
const CLOCK_TICK_MS = 10
/** Each takes a tenth of a second, and no two take the same time. */
const STARTS_PER_ROUND = 5
const GOAL = { floor: 1.5, goal: 1.2 }

interface Start {
  readonly wallMs: number
  /** Of all of its threads; undefined where /proc does not say. */
  readonly cpuMs: number | undefined
}

export const benchFirstRedirect: BenchPart = async ({ rounds }) => {
  const earlier = await folderOfEarlierRun()
  const programs: ReadonlyArray<readonly [name: string, start: () => Promise<Start>]> = [
    ['empty, loads pino and better-sqlite3', () => startNode(EMPTY)],
    ['empty, starts a thread that listens', () => startNode(LISTENER)],
    ['Usher, three servers, for the first time', startFirst],
    ['Usher, three servers, again', () => startUsher(earlier)]
  ]
  const starts = programs.map((): Start[] => [])
  try {
    for (const [, start] of programs) await start() // Files come into the system's cache.
    for (let round = 0; round < rounds * STARTS_PER_ROUND; round++) {
      for (const [at, [, start]] of programs.entries()) starts[at]!.push(await start())
    }
  } finally {
    rmSync(earlier, { recursive: true, force: true })
  }
  const ratiosOf = (at: number, read: (start: Start) => number): number[] =>
    starts[at]!.map((start, round) => read(start) / read(starts[0]![round]!))
  const wallOf = ({ wallMs }: Start): number => wallMs
  const cpuOf = ({ cpuMs }: Start): number => cpuMs ?? NaN
  const ratios = ratiosOf(USHER_AT, wallOf)
  const ratio = [...ratios].sort((a, b) => a - b)[ratios.length >> 1]!
  return {
    tables: [{
      id: 'first-redirect',
      title: 'From the start to the first redirect',
      columns: ['program', 'ms', 'processor time, ms', 'ratio of ms', 'ratio of processor time'],
      rows: programs.map(([name], at) => [
        name,
        spread(starts[at]!.map(wallOf), 0),
        spread(starts[at]!.map(cpuOf), 0),
        spread(ratiosOf(at, wallOf), 2),
        spread(ratiosOf(at, cpuOf), 2)
      ]),
      notes: [
        `The delay is 0. Medians of ${rounds * STARTS_PER_ROUND} starts of each, in turn; ratios ` +
        'are to the first row, start by start.',
        'The time of the program that starts a thread is Node\'s own: less cannot be had with one.'
      ],
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

function startNode (code: string): Promise<Start> {
  return timeStart(['-e', code], ROOT, {}, async child => {
    await once(child.stdout!, 'data')
  })
}

async function startFirst (): Promise<Start> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-'))
  try {
    return await startUsher(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where the program has run before and stopped: its database is there. */
async function folderOfEarlierRun (): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-'))
  const program = await startProgram({ LOG_FILE: '-', ...FIRST_PASSWORD }, { folder })
  await program.stop()
  return folder
}

async function startUsher (folder: string): Promise<Start> {
  const port = await freePort()
  const settings = {
    HOST: '127.0.0.1',
    IP: '127.0.0.1',
    PORTS: '0,0,0',
    ROUTING_PORT: String(port),
    MONITORING_PORT: '0',
    DELAY_BETWEEN_ROUTING: '0',
    LOG_FILE: '-',
    ...FIRST_PASSWORD
  }
  return await timeStart([PROGRAM], folder, settings, async () => {
    const endMs = performance.now() + LOOKS_MS_MAX
    while (!await isRedirected(port)) {
      if (performance.now() > endMs) throw new Error('no redirect came')
      await setTimeout(LOOK_MS)
    }
  })
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
