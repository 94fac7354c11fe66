/** The way from one node to the engine: it can be cut and stalled, and be whole again. */
import { once } from 'node:events'
import net from 'node:net'
import { newAddress } from '../../packages/shared/test/fleet/engine-process.ts'

interface Place {
  readonly host: string
  readonly port: number
}

/** whole; nothing is let through, and connections stand; there are none, and none are taken. */
type LinkState = 'whole' | 'stalled' | 'cut'

export class LinkProxy {
  readonly host = newAddress()
  readonly port: number
  readonly #engine: Place
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  #state: LinkState = 'whole'

  constructor (engine: Place) {
    this.#engine = engine
    this.port = engine.port
    this.#server = net.createServer(socket => { this.#take(socket) })
  }

  async start (): Promise<void> {
    this.#server.listen(this.port, this.host)
    await once(this.#server, 'listening')
  }

  become (state: LinkState): void {
    this.#state = state
    for (const socket of this.#sockets) {
      if (state === 'cut') socket.destroy()
      else if (state === 'stalled') socket.pause()
      else socket.resume()
    }
  }

  async close (): Promise<void> {
    this.become('cut')
    this.#server.close()
    await once(this.#server, 'close')
  }

  #take (near: net.Socket): void {
    if (this.#state === 'cut') {
      near.destroy()
      return
    }
    const far = net.connect(this.#engine)
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('data', bytes => { other.write(bytes) })
      socket.on('error', () => {}) // It closes.
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
      if (this.#state === 'stalled') socket.pause()
    }
  }
}
