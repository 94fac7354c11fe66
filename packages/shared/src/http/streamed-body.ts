/**
 * Sends a body piece by piece, at the pace of its client: one piece is in memory at a time, and the
 * next is read when the kernel has taken it. For both doors; runs in the thread of its door.
 */
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { StreamedBody } from './vocabulary/values.ts'

/**
 * Closes the body. False when not all of it was sent: the client has gone, or the rest cannot be
 * had. The caller cuts the connection then, so that the client sees that the length was not
 * reached; why the body ended is told where it is read.
 *
 * @param target what writes to the socket, or the socket
 */
export async function sendStreamed (
  body: StreamedBody, target: Writable, socket: Socket
): Promise<boolean> {
  try {
    for (let left = body.bytes; left > 0;) {
      const piece = await body.next()
      if (!await isTaken(piece, target, socket)) return false
      left -= piece.length
    }
    return true
  } catch {
    return false
  } finally {
    body.close()
  }
}

/** False when the connection closes before. */
function isTaken (piece: Buffer, target: Writable, socket: Socket): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false)
  return new Promise(resolve => {
    const closed = (): void => { resolve(false) }
    socket.once('close', closed)
    target.write(piece, error => {
      socket.off('close', closed)
      resolve(error === null || error === undefined)
    })
  })
}
