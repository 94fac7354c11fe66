/** The request class of the checked server. Runs in the thread of its server. */
import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * A request that the parser may still find in its chunk when its connection has been cut: it looks
 * like a change of protocol then, and nothing behind it is read. The rest of a chunk of 64 KB would
 * take the parser some 15 ms, which is many connections' worth.
 */
export class StoppableRequest extends IncomingMessage {
  constructor (socket: Socket) {
    super(socket)
    if (!socket.destroyed) return
    // node:http takes it back when nobody listens for upgrades.
    Object.defineProperty(this, 'upgrade', { get: () => true, set: () => {} })
  }
}
