/**
 * The built program, started by a tool in a process and a temporary folder of its own, on ports
 * that the kernel chooses. Its log is kept by nobody but whom it is told to.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PROGRAM_DIR } from './places.ts'

export interface Program {
  readonly pid: number
  /** Where it works: database and whatever else it makes. */
  readonly folder: string
  readonly routerUrl: string
  readonly monitorUrl: string
  readonly serverUrls: readonly string[]
  /** Resolves with its exit code when it ends, told to or not; null for a signal. */
  readonly exited: Promise<number | null>
  /** Resolves when it has ended and its folder is gone. */
  stop (): Promise<void>
}

export type LogLine = Readonly<Record<string, unknown>>

export interface ProgramOptions {
  /** Told of every line of its log. */
  readonly onLine?: (line: LogLine) => void
  /** Told of what it says beside its log. */
  readonly onComplaint?: (text: string) => void
  readonly nodeOptions?: string
  /** Fills the folder before the start. */
  readonly prepare?: (folder: string) => void
}

const SETTINGS = {
  HOST: '127.0.0.1', IP: '127.0.0.1', PORTS: '0,0,0', ROUTING_PORT: '0', MONITORING_PORT: '0', LOG_FILE: '-'
}

/** Rejects with what it complained of when it ends before it is ready. */
export async function startProgram (
  settings: Record<string, string> = {}, options: ProgramOptions = {}
): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-'))
  options.prepare?.(folder)
  const child = spawn(process.execPath, [join(PROGRAM_DIR, 'coordinator.js')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'], NODE_OPTIONS: options.nodeOptions ?? '', ...SETTINGS, ...settings
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  // A tool that fails must not leave it running.
  const kill = (): void => { child.kill('SIGKILL') }
  process.once('exit', kill)
  void exited.then(() => process.off('exit', kill))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const { router, monitor, servers } = await readyLine(child, exited, options)
    return {
      pid: child.pid!,
      folder,
      routerUrl: withoutSlash(router),
      monitorUrl: withoutSlash(monitor),
      serverUrls: (servers as unknown[]).map(withoutSlash),
      exited,
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function readyLine (
  child: ChildProcess, exited: Promise<number | null>, { onLine, onComplaint }: ProgramOptions
): Promise<LogLine> {
  let complaint = ''
  child.stderr!.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-COMPLAINT_LENGTH_MAX)
    onComplaint?.(text.toString())
  })
  return await new Promise((resolve, reject) => {
    createInterface(child.stdout!).on('line', text => {
      const line = parse(text)
      onLine?.(line)
      if (String(line['msg']).startsWith('Usher is ready')) resolve(line)
    })
    void exited.then(code => {
      reject(new Error(`the program ended with ${code} before it was ready: ${complaint}`))
    })
  })
}

/** Of what it complained of, the last. */
const COMPLAINT_LENGTH_MAX = 10_000

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
