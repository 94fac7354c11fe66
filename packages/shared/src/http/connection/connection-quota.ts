/**
 * The per-address quota of connections: how many each network has open, and which of them may be
 * ended when the server is crowded and a network is over its quota. A trusted proxy's connections
 * carry many clients and are not counted. Ends nothing by itself; belongs to one server's
 * connections.
 */
import type { Socket } from 'node:net'
import { parseAddress } from '../../client.ts'
import { networkKey } from '../../networks.ts'
import { addressQuota } from '../../per-address-quota.ts'

/** Connections that are looked at for one to end; the rest have their turn the next time. */
const LOOKS_MAX = 50

interface NetworkConnections {
  count: number
  /** Those on which HTTP has begun, the one that was looked at longest ago first. */
  readonly open: Set<Socket>
}

export class ConnectionQuota {
  readonly #quotaMax: number
  readonly #isProxy: (remoteAddress: string | undefined) => boolean
  readonly #byNetwork = new Map<string, NetworkConnections>()
  /** Networks over their quota. */
  readonly #over = new Set<string>()

  constructor (
    maxConnections: number, isProxy: (remoteAddress: string | undefined) => boolean
  ) {
    this.#quotaMax = addressQuota(maxConnections)
    this.#isProxy = isProxy
  }

  /** A connection was accepted; it counts until its socket closes. */
  accept (socket: Socket): void {
    const network = this.#networkOf(socket)
    if (network === undefined) return
    const held = this.#byNetwork.get(network) ?? { count: 0, open: new Set() }
    this.#byNetwork.set(network, held)
    if (++held.count > this.#quotaMax) this.#over.add(network)
    socket.once('close', () => {
      if (--held.count <= this.#quotaMax) this.#over.delete(network)
      if (held.count === 0) this.#byNetwork.delete(network)
    })
  }

  /** HTTP begins on this socket, which with TLS is not the accepted one. */
  open (socket: Socket): void {
    const network = this.#networkOf(socket)
    const held = network === undefined ? undefined : this.#byNetwork.get(network)
    if (held === undefined) return
    held.open.add(socket)
    socket.once('close', () => held.open.delete(socket))
  }

  isOverQuota (socket: Socket): boolean {
    const network = this.#networkOf(socket)
    return network !== undefined && this.#over.has(network)
  }

  /** A connection of a network over its quota: of `first`'s own network before others. */
  findOverQuota (first: Socket, mayEnd: (socket: Socket) => boolean): Socket | undefined {
    const own = this.#networkOf(first)
    const networks = own !== undefined && this.#over.has(own) ? [own] : this.#over
    for (const network of networks) {
      const found = findOldest(this.#byNetwork.get(network)!.open, mayEnd)
      if (found !== undefined) return found
    }
    return undefined
  }

  #networkOf ({ remoteAddress }: Socket): string | undefined {
    if (this.#isProxy(remoteAddress)) return undefined
    const address = parseAddress(remoteAddress ?? '')
    if (address === undefined) return undefined
    return networkKey(address)
  }
}

/** A socket that was looked at goes to the end, so that the next search begins with others. */
function findOldest (
  sockets: Set<Socket>, mayEnd: (socket: Socket) => boolean
): Socket | undefined {
  let looks = 0
  for (const socket of sockets) {
    sockets.delete(socket)
    sockets.add(socket)
    if (mayEnd(socket)) return socket
    if (++looks === LOOKS_MAX) return undefined
  }
  return undefined
}
