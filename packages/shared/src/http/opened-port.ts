/**
 * A port that is open before there is what answers on it: who comes meanwhile waits. It is opened
 * by its handle alone: node:net loads node:dns for the address of a host and node:cluster for a
 * primary that may hold the port, some 2 ms of each thread's start.
 * What is not public here: `tcp_wrap`, and a server's `_handle` and `_listen2`, as node:net gives a
 * handle to a server.
 */
import type { Server } from 'node:net'
import { internals } from './fast/internals.ts'

export interface OpenedPort {
  readonly port: number
  /** `server` listens there from now on, and closes it; those who wait do so until `release`. */
  passTo (server: Server): Promise<void>
  /** Gives those who wait to whoever accepts by now. */
  release (): void
  /** Of one that was not passed on: those who wait are disconnected. */
  close (): void
}

/** What listens; its methods return 0, or an error below that. */
interface ListeningHandle {
  onconnection: (...connection: Connection) => void
  bind (host: string, port: number, flags: number): number
  bind6 (host: string, port: number, flags: number): number
  listen (backlog: number): number
  getsockname (name: { port?: number }): number
  close (): void
}

type Connection = [error: number, handle: { close (): void } | undefined]

interface Tcp {
  readonly TCP: new (kind: number) => ListeningHandle
  readonly constants: { readonly SERVER: number, readonly UV_TCP_REUSEPORT?: number }
}

type ServerWithHandle = Server & {
  _handle?: ListeningHandle | null
  readonly _listen2?: (address: null, port: number, family: number, backlog: number) => void
}

/**
 * Connections that wait to be accepted. Node's 511 overflow when thousands come at once, and
 * whoever is turned away there tries again a second later. The kernel takes less where its own
 * limit is lower (net.core.somaxconn, 4096 since Linux 5.4).
 */
export const BACKLOG = 4096

/**
 * Undefined where it cannot be opened, or not so: net.Server.listen does it then, or says why not.
 * @param host an IP address @param wanted 0 lets the kernel choose
 * @param isShared others that say so may listen there, too
 */
export function openPort (
  host: string, wanted: number, isShared: boolean
): OpenedPort | undefined {
  const found = internals<Tcp>('tcp_wrap')
  const flags = isShared ? found?.constants?.UV_TCP_REUSEPORT : 0
  if (flags === undefined || found?.TCP === undefined) return undefined
  const handle = new found.TCP(found.constants!.SERVER)
  const waiting: Connection[] = []
  handle.onconnection = (...connection) => { waiting.push(connection) }
  const name: { port?: number } = {}
  const isOpen = handle[host.includes(':') ? 'bind6' : 'bind'](host, wanted, flags) === 0 &&
    handle.listen(BACKLOG) === 0 && handle.getsockname(name) === 0
  if (!isOpen) {
    handle.close()
    return undefined
  }
  return {
    port: name.port!,
    passTo: server => listenByHandle(server, handle),
    release () {
      for (const connection of waiting.splice(0)) handle.onconnection(...connection)
    },
    close () {
      handle.close()
      for (const [, connection] of waiting) connection?.close()
    }
  }
}

function listenByHandle (server: ServerWithHandle, handle: ListeningHandle): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    if (server._listen2 === undefined) {
      server.listen(handle, BACKLOG)
      return
    }
    server._handle = handle
    server._listen2(null, -1, -1, BACKLOG)
  })
}
