/**
 * Whose connections they are: how many each address holds, and which of them may be ended when the
 * server is crowded and an address holds more than its share. A trusted proxy's are for many and
 * count for nobody. Ends nothing by itself; belongs to one server's connections.
 */
import type { Socket } from 'node:net'
import { parseAddress } from '../../client.ts'
import { networkOf, addressQuota } from '../../per-address-quota.ts'

/** Connections that are looked at for one to end; the rest have their turn the next time. */
const LOOKS_MAX = 50

interface Holding {
  count: number
  /** Those on which HTTP has begun, the one that was looked at longest ago first. */
  readonly open: Set<Socket>
}

export class ConnectionQuota {
  readonly #share: number
  readonly #isProxy: (remoteAddress: string | undefined) => boolean
  readonly #holdings = new Map<string, Holding>()
  /** Addresses with more than their share. */
  readonly #over = new Set<string>()

  constructor (
    maxConnections: number, isProxy: (remoteAddress: string | undefined) => boolean
  ) {
    this.#share = addressQuota(maxConnections)
    this.#isProxy = isProxy
  }

  /** A connection was accepted; it counts until its socket closes. */
  accept (socket: Socket): void {
    const holder = this.#networkOf(socket)
    if (holder === undefined) return
    const holding = this.#holdings.get(holder) ?? { count: 0, open: new Set() }
    this.#holdings.set(holder, holding)
    if (++holding.count > this.#share) this.#over.add(holder)
    socket.once('close', () => {
      if (--holding.count <= this.#share) this.#over.delete(holder)
      if (holding.count === 0) this.#holdings.delete(holder)
    })
  }

  /** HTTP begins on this socket, which with TLS is not the accepted one. */
  open (socket: Socket): void {
    const holder = this.#networkOf(socket)
    const holding = holder === undefined ? undefined : this.#holdings.get(holder)
    if (holding === undefined) return
    holding.open.add(socket)
    socket.once('close', () => holding.open.delete(socket))
  }

  isOverQuota (socket: Socket): boolean {
    const holder = this.#networkOf(socket)
    return holder !== undefined && this.#over.has(holder)
  }

  /** One of an address that has more than its share, of `first`'s own before others'. */
  findOverQuota (first: Socket, mayEnd: (socket: Socket) => boolean): Socket | undefined {
    const own = this.#networkOf(first)
    const holders = own !== undefined && this.#over.has(own) ? [own] : this.#over
    for (const holder of holders) {
      const found = findOldest(this.#holdings.get(holder)!.open, mayEnd)
      if (found !== undefined) return found
    }
    return undefined
  }

  #networkOf ({ remoteAddress }: Socket): string | undefined {
    if (this.#isProxy(remoteAddress)) return undefined
    const address = parseAddress(remoteAddress ?? '')
    if (address === undefined) return undefined
    return Object.values(networkOf(address)).join(' ')
  }
}

/** Whoever was looked at goes to the end, so that a search does not begin with the same ones. */
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
