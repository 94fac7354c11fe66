/**
 * A real engine on an address of its own, for tests and tools: keeps nothing on disk, and can be
 * frozen, killed, and started again empty. Ends with the process that has started it.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openEngine } from '@usher/shared/fleet/engine.ts'
import { parseEngineUrl, type EngineAddress } from '@usher/shared/fleet/engine-url.ts'

/** Those of this machine, the one that is taken by itself first. */
export const ENGINE_PROGRAMS = ['redis-server', 'valkey-server'].filter(isInstalled)
/** Why there is none. */
export const NO_ENGINE =
  'neither redis-server nor valkey-server was found (Debian: apt-get install redis-server)'

export interface EngineProcessOptions {
  readonly program?: string
  /** More of what redis-server takes: `--maxmemory-policy`, ... */
  readonly args?: readonly string[]
  /** What it finds in its folder, before it starts. */
  readonly prepare?: (place: { readonly host: string, readonly folder: string }) => void
  /** For the URL; by default there is no password. */
  readonly credentials?: string
}

/** Below those that the kernel gives out; each engine has an address of its own. */
const PORT = 16_379
const LOOK_MS = 5

export class EngineProcess {
  readonly host = newAddress()
  readonly port = PORT
  /** As CLUSTER_URL has it. */
  readonly url: string
  readonly address: EngineAddress
  /** Empty but for what the engine itself makes there. */
  readonly folder = mkdtempSync(join(tmpdir(), 'usher-engine-'))
  readonly #program: string
  readonly #args: readonly string[]
  #child: ChildProcess | undefined
  readonly #killAtExit = (): void => { this.#child?.kill('SIGKILL') }

  constructor (
    { program = ENGINE_PROGRAMS[0]!, args = [], credentials = '', prepare }:
    EngineProcessOptions = {}
  ) {
    this.#program = program
    this.#args = args
    this.url = `redis://${credentials}${this.host}:${PORT}`
    this.address = addressOf(this.url)
    prepare?.(this)
  }

  /** At the same address each time, empty. Resolves when it answers. */
  async start (): Promise<void> {
    const child = spawn(this.#program, [
      '--bind', this.host, '--port', String(PORT), '--save', '', '--appendonly', 'no',
      '--dir', this.folder, ...this.#args
    ], { stdio: 'ignore' })
    this.#child = child
    process.once('exit', this.#killAtExit)
    await untilAnswered(this.address, () => child.exitCode)
  }

  /** It answers nothing and forgets nothing; connections are still taken. */
  freeze (): void {
    this.#child!.kill('SIGSTOP')
  }

  thaw (): void {
    this.#child!.kill('SIGCONT')
  }

  /** Resolves when it is gone. */
  async kill (): Promise<void> {
    const child = this.#child
    process.off('exit', this.#killAtExit)
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async close (): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function addressOf (url: string): EngineAddress {
  const parsed = parseEngineUrl(url)
  if (parsed.refusal !== undefined) throw new Error(`${url}: ${parsed.refusal}`)
  return parsed.value
}

/** One of this machine's own that nothing else is bound to. */
export function newAddress (): string {
  const some = (): number => 1 + Math.floor(Math.random() * 250)
  return `127.${some()}.${some()}.${some()}`
}

/** Ready, or refused: in both cases it has answered. */
async function untilAnswered (
  address: EngineAddress, exitCode: () => number | null
): Promise<void> {
  const probe = { hasAnswered: false }
  const answered = (): void => { probe.hasAnswered = true }
  const engine = openEngine({ address, name: 'probe', onReady: answered, onRefused: answered })
  try {
    while (!probe.hasAnswered) {
      if (exitCode() !== null) throw new Error(`the engine ended with exit code ${exitCode()}`)
      await setTimeout(LOOK_MS)
    }
  } finally {
    await engine.close()
  }
}

function isInstalled (program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
