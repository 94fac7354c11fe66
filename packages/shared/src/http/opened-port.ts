/**
 * A port that is open before there is what answers on it: who comes meanwhile waits. In a thread
 * that starts.
 */
import { createServer, type Server } from 'node:net'
import { holdConnections } from './fast/accept.ts'
import { BACKLOG, canSharePorts, hostsToTry, listenOn } from './listen.ts'

export interface OpenedPort {
  readonly port: number
  /** `server` listens there from now on, and closes it; resolves when it does. */
  passTo (server: Server): Promise<void>
  /** Gives those who wait to whoever accepts by now. */
  release (): void
}

/** Rejects as `listenOn`, and where connections cannot be held. */
export async function openPort (host: string, wanted: number): Promise<OpenedPort> {
  const opened = createServer()
  const port = await listenOn(opened, wanted, hostsToTry(host), canSharePorts)
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
