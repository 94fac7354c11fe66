/**
 * A port that is open before there is what answers on it: who comes meanwhile waits. In a thread
 * that starts.
 */
import { createServer, type AddressInfo, type Server } from 'node:net'
import { boundHandle, holdConnections } from './fast/accept.ts'
import { BACKLOG, hostsToTry, listenOn } from './listen.ts'

export interface OpenedPort {
  readonly port: number
  /** `server` listens there from now on, and closes it; resolves when it does. */
  passTo (server: Server): Promise<void>
  /** Gives those who wait to whoever accepts by now. */
  release (): void
}

/**
 * Rejects as `listenOn`, and where connections cannot be held.
 * @param isShared others that say so may listen there, too
 */
export async function openPort (
  host: string, wanted: number, isShared: boolean
): Promise<OpenedPort> {
  const opened = createServer()
  const handle = boundHandle(host, wanted, isShared)
  if (handle === undefined) await listenOn(opened, wanted, hostsToTry(host), isShared)
  else await listenOnHandle(opened, handle)
  const { port } = opened.address() as AddressInfo
  const release = holdConnections(opened)
  if (release === undefined) {
    opened.close()
    throw new Error('this Node has no handle of a server')
  }
  return {
    port,
    passTo: server => new Promise(resolve => { server.listen(opened, BACKLOG, resolve) }),
    release
  }
}

function listenOnHandle (server: Server, handle: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(handle, BACKLOG, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
