/** Proxies that stand in front of a test's cluster, each run until the test ends. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { until } from './cluster.ts'

/** One of this machine's own that nothing else is bound to. */
function newAddress (): string {
  const some = (): number => 1 + Math.floor(Math.random() * 250)
  return `127.${some()}.${some()}.${some()}`
}

/** Below those that the kernel gives out. */
export const PROXY_PORT = 20_443

export interface Proxy {
  readonly folder: string
  /** Where it listens for each of its names, always on PROXY_PORT. */
  readonly addresses: ReadonlyMap<string, string>
}

/**
 * Runs it until the test ends; resolves when it takes connections.
 * @param isReady if left out, its ports are looked at
 */
export async function startProxy (
  t: Test, names: readonly string[],
  run: (folder: string, addressOf: (name: string) => string) => ChildProcess,
  isReady?: (folder: string) => Promise<boolean>
): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  const addresses = new Map(names.map(name => [name, newAddress()]))
  const child = run(folder, name => addresses.get(name)!)
  const said = text(child.stderr!)
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the proxy ended: ${await said}`)
    if (isReady !== undefined) return await isReady(folder)
    return (await Promise.all([...addresses.values()].map(isOpen))).every(isThere => isThere)
  }, isThere => isThere)
  return { folder, addresses }
}

function isOpen (address: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect({ host: address, port: PROXY_PORT, timeout: 1_000 })
    const end = (isThere: boolean) => () => {
      socket.destroy()
      resolve(isThere)
    }
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false))
  })
}
