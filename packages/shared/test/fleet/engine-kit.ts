/**
 * Real engines for tests: each listens on an address of its own, keeps nothing on disk, and ends
 * with its test. They can be frozen, killed, and started again empty.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import { openEngine, type CallEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import { parseEngineUrl, type EngineAddress } from '@usher/shared/fleet/engine-url.ts'

/** Those of this machine, the one that tests take by themselves first. */
export const ENGINE_PROGRAMS = ['redis-server', 'valkey-server'].filter(isInstalled)
/** For the options of a test. */
export const ENGINE_SKIP = ENGINE_PROGRAMS.length === 0
  ? 'neither redis-server nor valkey-server was found (Debian: apt-get install redis-server)'
  : false

/** Below those that the kernel gives out; each engine has an address of its own. */
const PORT = 16_379

export interface TestEngine {
  readonly host: string
  readonly port: number
  /** As CLUSTER_URL has it. */
  readonly url: string
  readonly address: EngineAddress
  /** Empty but for what the engine itself makes there. */
  readonly folder: string
  /** It answers nothing and forgets nothing; connections are still taken. */
  freeze (): void
  thaw (): void
  /** Resolves when it is gone. */
  kill (): Promise<void>
  /** At the same address, empty; after `kill`. Resolves when it answers. */
  restart (): Promise<void>
  /** On a connection of the test's own, which waits until the engine answers. */
  readonly call: CallEngine
}

export interface TestEngineOptions {
  readonly program?: string
  /** More of what redis-server takes: `--maxmemory-policy`, ... */
  readonly args?: readonly string[]
  /** Of the connection that `call` uses; by default there is no password. */
  readonly credentials?: string
}

/** Runs one until the test ends; resolves when it answers. */
export async function startEngine (
  t: Test, { program = ENGINE_PROGRAMS[0]!, args = [], credentials = '' }: TestEngineOptions = {}
): Promise<TestEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-engine-'))
  const host = newAddress()
  const url = `redis://${credentials}${host}:${PORT}`
  const address = addressOf(url)
  const start = (): ChildProcess => spawn(program, [
    '--bind', host, '--port', String(PORT), '--save', '', '--appendonly', 'no', '--dir', folder, ...args
  ], { stdio: 'ignore' })
  let child = start()
  let own: Engine | undefined
  const call: CallEngine = async (...words) => {
    own ??= openEngine({ address, name: 'test' })
    while (!own.isReady) await setTimeout(5)
    return await own.call(...words)
  }
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  t.teardown(async () => {
    await own?.close()
    await kill()
    rmSync(folder, { recursive: true })
  })
  const untilThere = async (): Promise<void> => {
    await untilAnswered(address, () => child.exitCode)
  }
  await untilThere()
  return {
    host,
    port: PORT,
    url,
    address,
    folder,
    call,
    freeze () { child.kill('SIGSTOP') },
    thaw () { child.kill('SIGCONT') },
    kill,
    async restart () {
      child = start()
      await untilThere()
    }
  }
}

export function addressOf (url: string): EngineAddress {
  const parsed = parseEngineUrl(url)
  if (parsed.refusal !== undefined) throw new Error(`${url}: ${parsed.refusal}`)
  return parsed.value
}

/** Ready, or refused: in both cases it has answered. */
async function untilAnswered (
  address: EngineAddress, exitCode: () => number | null
): Promise<void> {
  const probe = { hasAnswered: false }
  const answered = (): void => { probe.hasAnswered = true }
  const engine = openEngine({ address, name: 'probe', onReady: answered, onRefused: answered })
  while (!probe.hasAnswered) {
    if (exitCode() !== null) throw new Error(`the engine ended with exit code ${exitCode()}`)
    await setTimeout(5)
  }
  await engine.close()
}

/** One of this machine's own that nothing else is bound to. */
function newAddress (): string {
  const some = (): number => 1 + Math.floor(Math.random() * 250)
  return `127.${some()}.${some()}.${some()}`
}

function isInstalled (program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
