/**
 * Takes a server's new connections over from node:net before it makes sockets of them: each becomes
 * one socket that is read into a buffer which all of them share (the public option `onread`),
 * where node:net takes 64 KB for every read. The one thing here that is not public is the handle of
 * a listening server and of what it accepts; without it there are ordinary sockets.
 */
import net from 'node:net'

/** What node:net knows a connection by. */
interface Handle {
  readonly fd?: number
  close (): void
}

type OnConnection = (this: unknown, error: number, handle: Handle | undefined) => void

/** Whoever reads a socket; its bytes stand in the buffer until it returns. */
export interface Reader {
  /** @returns false to read no more until the socket is resumed */
  read (buffer: Buffer, length: number): boolean
}

export interface AcceptParts {
  /** False: the connection is closed at once. @param descriptor -1 where there is none */
  readonly mayAccept: (descriptor: number) => boolean
  readonly open: (socket: net.Socket) => Reader
}

const READ_BYTES = 65_536

/** False where this Node does not have what it takes. @param server is listening already */
export function acceptShared (server: net.Server, { mayAccept, open }: AcceptParts): boolean {
  const { _handle: listening } = server as { _handle?: { onconnection?: OnConnection } | null }
  const onConnection = listening?.onconnection
  if (listening === undefined || listening === null || onConnection === undefined) return false
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  listening.onconnection = function (error, handle) {
    if (error !== 0 || handle === undefined) return onConnection.call(this, error, handle)
    if (!mayAccept(handle.fd ?? -1)) return handle.close()
    // Nothing is read before this function has returned.
    const callback = (length: number): boolean => reader.read(buffer, length)
    const options = { handle, allowHalfOpen: true, onread: { buffer, callback } }
    const socket = new net.Socket(options as net.SocketConstructorOpts)
    socket.setNoDelay(true)
    const reader = open(socket)
  }
  return true
}
