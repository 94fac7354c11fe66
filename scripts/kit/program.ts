/**
 * The built program in a process of its own, for tools and tests: on this machine only, on ports
 * that the kernel chooses. Its log is passed to `onLine` and not kept.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PROGRAM_DIR } from './places.ts'

export const PROGRAM = join(PROGRAM_DIR, 'coordinator.js')

export interface LogLine {
  readonly msg: string
  readonly [field: string]: unknown
}

export interface Program {
  readonly process: ChildProcess
  /** Where it works: database and whatever else it makes. */
  readonly folder: string
  /** Of the servers. */
  readonly ports: readonly number[]
  readonly routingPort: number
  readonly monitoringPort: number
  /** Undefined without one. */
  readonly decisionPort: number | undefined
  readonly routerUrl: string
  readonly monitorUrl: string
  readonly serverUrls: readonly string[]
  /** Resolves with its exit code when it ends, told to or not; null for a signal. */
  readonly exited: Promise<number | null>
  /** Resolves with its exit code when it has ended; a folder that was made for it is gone then. */
  stop (signal?: NodeJS.Signals): Promise<number | null>
}

export interface ProgramOptions {
  /** Where it works; without one in a temporary folder, and with no log file. */
  readonly folder?: string
  /** Fills the folder before the start. */
  readonly prepare?: (folder: string) => void
  /** The path of coordinator.js; another build than this tree's. */
  readonly program?: string
  /** What a shell does in its place; "$@" is the program: `ulimit -n 60; exec "$@"`. */
  readonly shell?: string
  readonly nodeOptions?: string
  /** Where its log is read; its standard output if left out. */
  readonly logFile?: string
  /** Called with every line of its log. */
  readonly onLine?: (line: LogLine) => void
  /** Called with what it prints to standard error. */
  readonly onComplaint?: (text: string) => void
  /** Called with its IPC messages; without it there is no IPC channel. */
  readonly onMessage?: (message: unknown) => void
}

const SETTINGS = {
  HOST: '127.0.0.1', IP: '127.0.0.1', PORTS: '0,0,0', ROUTING_PORT: '0', MONITORING_PORT: '0'
}
const FILE_LOOK_MS = 20
/** Of its standard error, the end that is kept. */
const COMPLAINT_LENGTH_MAX = 10_000

/** Rejects with its standard error when it ends before it is ready. */
export async function startProgram (
  settings: Record<string, string> = {}, options: ProgramOptions = {}
): Promise<Program> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'usher-'))
  options.prepare?.(folder)
  const quiet = options.folder === undefined ? { LOG_FILE: '-' } : {}
  const child = spawnIn(folder, { ...quiet, ...settings }, options)
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  // The process that started it may fail or end first.
  const kill = (): void => { child.kill('SIGKILL') }
  process.once('exit', kill)
  void exited.then(() => process.off('exit', kill))
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    child.kill(signal)
    const code = await exited
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    return code
  }
  try {
    const ready = await readyLine(child, exited, options)
    const serverUrls = (ready['servers'] as unknown[]).map(withoutSlash)
    const [routerUrl, monitorUrl] = [withoutSlash(ready['router']), withoutSlash(ready['monitor'])]
    return {
      process: child,
      folder,
      ports: serverUrls.map(portOf),
      routingPort: portOf(routerUrl),
      monitoringPort: portOf(monitorUrl),
      decisionPort: ready['decisions'] === undefined ? undefined : portOf(String(ready['decisions'])),
      routerUrl,
      monitorUrl,
      serverUrls,
      exited,
      stop
    }
  } catch (error) {
    await stop('SIGKILL')
    throw error
  }
}

function spawnIn (
  cwd: string, settings: Record<string, string>,
  { program = PROGRAM, shell, nodeOptions = '', onMessage }: ProgramOptions
): ChildProcess {
  const command = [process.execPath, program]
  const [file, ...args] = shell === undefined ? command : ['sh', '-c', shell, 'sh', ...command]
  const child = spawn(file!, args, {
    cwd,
    env: { PATH: process.env['PATH'], NODE_OPTIONS: nodeOptions, ...SETTINGS, ...settings },
    stdio: ['ignore', 'pipe', 'pipe', ...(onMessage === undefined ? [] : ['ipc' as const])]
  })
  if (onMessage !== undefined) child.on('message', onMessage)
  return child
}

async function readyLine (
  child: ChildProcess, exited: Promise<number | null>,
  { onLine, onComplaint, logFile }: ProgramOptions
): Promise<LogLine> {
  let complaint = ''
  child.stderr!.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-COMPLAINT_LENGTH_MAX)
    onComplaint?.(text.toString())
  })
  return await new Promise((resolve, reject) => {
    const take = (text: string): void => {
      const line = parse(text)
      onLine?.(line)
      if (line.msg.startsWith('Usher is ready')) resolve(line)
    }
    if (logFile === undefined) createInterface(child.stdout!).on('line', take)
    else followLines(logFile, take, exited)
    void exited.then(code => {
      reject(new Error(`ended with ${code} before it was ready: ${complaint}`))
    })
  })
}

/** Calls `take` with every whole line of a file that grows, until `ended`. */
function followLines (path: string, take: (line: string) => void, ended: Promise<unknown>): void {
  let taken = 0
  const look = (): void => {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
    for (const line of lines.slice(taken)) take(line)
    taken = lines.length
  }
  const timer = setInterval(look, FILE_LOOK_MS)
  void ended.then(() => {
    clearInterval(timer)
    look()
  })
}

/** The last line may be cut off by the program's end. */
function parse (text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine
  } catch {
    return { msg: text }
  }
}

function withoutSlash (url: unknown): string {
  return String(url).replace(/\/$/, '')
}

function portOf (url: string): number {
  return Number(new URL(url).port)
}
