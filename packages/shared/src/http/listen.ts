/**
 * Binds a server to an address, and to the next one where the machine lacks the first one's kind.
 */
import type { AddressInfo, Server } from 'node:net'
import { BACKLOG, openPort } from './opened-port.ts'

/** What a machine says that has no IPv6, or not that address. */
const LACKING = ['EAFNOSUPPORT', 'EADDRNOTAVAIL']

/** The addresses to try for a `HOST` setting, in order. */
export function hostsToTry (host: string): readonly string[] {
  return host === '::' ? ['::', '0.0.0.0'] : [host]
}

/**
 * Whether two servers of this program can listen on one port (SO_REUSEPORT), so that one takes the
 * other's place without a gap. Only programs of the same user can join them. Connections that wait
 * to be accepted by one that closes are lost, unless net.ipv4.tcp_migrate_req is 1.
 */
export const canSharePorts = process.platform === 'linux' && hasReusePort(process.versions.node)

/** Node 22.12, 23.1 and later; earlier ones ignore the option. */
export function hasReusePort (version: string): boolean {
  const [major, minor] = version.split('.').map(Number) as [number, number]
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)
}

/**
 * Listens on the first of `hosts` that this machine has; returns the port, which with 0 the kernel
 * chose. Rejects with the system's error (EADDRINUSE, EACCES, ...).
 * @param isShared others that say so may listen there, too
 */
export async function listenOn (
  server: Server, port: number, hosts: readonly string[], isShared = false
): Promise<number> {
  for (const [at, host] of hosts.entries()) {
    try {
      return await listenOnce(server, port, host, isShared)
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!LACKING.includes(code) || at === hosts.length - 1) throw error
    }
  }
  throw new RangeError('listenOn needs at least one host')
}

async function listenOnce (
  server: Server, wanted: number, host: string, reusePort: boolean
): Promise<number> {
  const opened = openPort(host, wanted, reusePort)
  if (opened === undefined) return await listenByHost(server, wanted, host, reusePort)
  await opened.passTo(server)
  opened.release()
  return opened.port
}

/** As node:net does it. */
function listenByHost (
  server: Server, port: number, host: string, reusePort: boolean
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: BACKLOG, reusePort }, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
