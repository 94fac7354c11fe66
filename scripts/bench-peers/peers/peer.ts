/** A server that the benchmark measures, and how one that is a program of its own is started. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { onCore } from '../cores.ts'
import type { Ground } from '../ground.ts'

/** What a visitor of the benchmark asks for. */
export type Service = 'page' | 'redirect' | 'beat' | 'decision' | 'tlsPage'

export interface Peer {
  readonly name: string
  /** Without one of them it takes no part in the cases that ask for it. */
  readonly services: readonly Service[]
  /** The most connections that it can be made to hold here; any number if left out. */
  readonly connectionsMax?: number
  start (ground: Ground, core: number): Promise<RunningPeer>
}

export interface RunningPeer {
  readonly pid: number
  /** Base URLs, without a slash at the end. */
  readonly urls: Partial<Record<Service, string>>
  stop (): Promise<void>
}

const LOOK_MS = 20
/** For the first connection to a server that was started. */
const START_MS_MAX = 20_000
/** Where Debian puts servers, which PATH is often short of. */
const FOLDERS = ['/usr/sbin', '/usr/bin']

/** The benchmark may fail or be ended before what it has started. */
const atExit = new Set<() => void>()
process.once('exit', () => { for (const kill of atExit) kill() })

/** The path of a program; undefined where it is not installed. */
export function findProgram (name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...FOLDERS]
  return folders.map(folder => join(folder, name)).find(path => existsSync(path))
}

/** Resolves when every one of its ports takes connections; rejects with what it complained of. */
export async function launch (
  command: readonly string[], core: number, urls: RunningPeer['urls'],
  options: { readonly cwd?: string, readonly env?: Record<string, string> } = {}
): Promise<RunningPeer> {
  const [file, ...args] = onCore(core, command)
  const child = spawn(file!, args, {
    ...options,
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => { complaint = (complaint + text.toString()).slice(-2000) })
  const exited = once(child, 'exit')
  const kill = (): void => { child.kill('SIGKILL') }
  atExit.add(kill)
  void exited.then(() => { atExit.delete(kill) })
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const timer = setTimeout(kill, START_MS_MAX)
    await exited
    clearTimeout(timer)
  }
  const failed = exited.then(([code]) => {
    throw new Error(`${command[0]} ended with ${code}: ${complaint}`)
  })
  const ports = Object.values(urls).map(url => Number(new URL(url).port))
  try {
    await Promise.race([failed, Promise.all(ports.map(listening))])
  } catch (error) {
    await stop()
    throw error
  }
  failed.catch(() => {}) // From here on its end is what `stop` waits for.
  return { pid: child.pid!, urls, stop }
}

async function listening (port: number): Promise<void> {
  const endMs = performance.now() + START_MS_MAX
  while (!await isTaken(port)) {
    if (performance.now() > endMs) throw new Error(`nothing listens on port ${port}`)
    await wait(LOOK_MS)
  }
}

function isTaken (port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => { resolve(false) })
  })
}
