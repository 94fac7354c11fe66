/**
 * The built program, started by a tool in a process and a temporary folder of its own, on ports
 * that the kernel chooses. Its log is not kept.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Program {
  readonly routerUrl: string
  readonly monitorUrl: string
  readonly serverUrls: readonly string[]
  /** Resolves when it has ended and its folder is gone. */
  stop (): Promise<void>
}

const SETTINGS = {
  HOST: '127.0.0.1', IP: '127.0.0.1', PORTS: '0,0,0', ROUTING_PORT: '0', MONITORING_PORT: '0', LOG_FILE: '-'
}

/** Rejects with what it complained of when it ends before it is ready. */
export async function startProgram (settings: Record<string, string> = {}): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-'))
  const child = spawn(process.execPath, [join(import.meta.dirname, 'coordinator.js')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...SETTINGS, ...settings },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const exited = once(child, 'exit')
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => { complaint += text.toString() })
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    const lines = createInterface(child.stdout)
    lines.on('line', text => {
      const line = JSON.parse(text) as Record<string, unknown>
      if (!String(line['msg']).startsWith('Usher is ready')) return
      resolve(line)
      // The rest only has to go somewhere: the last line may be cut off by the program's end.
      lines.close()
      child.stdout.resume()
    })
    void exited.then(([code]) => {
      reject(new Error(`the program ended with ${code} before it was ready: ${complaint}`))
    })
  })

  async function stop (): Promise<void> {
    child.kill('SIGTERM')
    await exited
    rmSync(folder, { recursive: true, force: true })
  }

  try {
    const { router, monitor, servers } = await ready
    return {
      routerUrl: withoutSlash(router),
      monitorUrl: withoutSlash(monitor),
      serverUrls: (servers as unknown[]).map(withoutSlash),
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function withoutSlash (url: unknown): string {
  return String(url).replace(/\/$/, '')
}
