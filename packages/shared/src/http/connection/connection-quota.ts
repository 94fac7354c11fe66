/**
 * The per-address quota of connections: how many each network has open, and which of them may be
 * ended when the server is crowded and a network is over its quota. A trusted proxy's connections
 * carry many clients and are not counted. Ends nothing by itself; belongs to one server's
 * connections.
 */
import { addressQuota } from '../../per-address-quota.ts'
import type { AnySocket } from '../fast/accept.ts'
import { NOBODY, type Peer } from '../vocabulary/forwarded.ts'

/** Connections that are looked at for one to end; the rest have their turn the next time. */
const LOOKS_MAX = 50

/** What one network holds. */
interface NetworkConnections {
  readonly key: string
  count: number
  /** Those on which HTTP has begun, the one that was looked at longest ago first. */
  readonly open: Set<AnySocket>
}

export class ConnectionQuota {
  readonly #quotaMax: number
  readonly #readPeer: (socket: AnySocket) => Peer
  readonly #byNetwork = new Map<string, NetworkConnections>()
  /** Networks over their quota. */
  readonly #over = new Set<NetworkConnections>()

  constructor (maxConnections: number, readPeer: (socket: AnySocket) => Peer) {
    this.#quotaMax = addressQuota(maxConnections)
    this.#readPeer = readPeer
  }

  /** A connection was accepted; it counts until `leave`. */
  accept (socket: AnySocket): void {
    const key = this.#keyOf(socket)
    if (key === undefined) return
    const held = this.#byNetwork.get(key) ?? { key, count: 0, open: new Set() }
    this.#byNetwork.set(key, held)
    if (++held.count > this.#quotaMax) this.#over.add(held)
  }

  /** The accepted socket has closed. */
  leave (socket: AnySocket): void {
    const held = this.#networkOf(socket)
    if (held === undefined) return
    if (--held.count <= this.#quotaMax) this.#over.delete(held)
    if (held.count === 0) this.#byNetwork.delete(held.key)
  }

  /** HTTP begins on this socket, which with TLS is not the accepted one. */
  open (socket: AnySocket): void {
    this.#networkOf(socket)?.open.add(socket)
  }

  /** HTTP has ended on this socket. */
  close (socket: AnySocket): void {
    this.#networkOf(socket)?.open.delete(socket)
  }

  /** A light socket has become another one. */
  replace (light: AnySocket, socket: AnySocket): void {
    const open = this.#networkOf(light)?.open
    if (open?.delete(light) === true) open.add(socket)
  }

  isOverQuota (socket: AnySocket): boolean {
    const held = this.#networkOf(socket)
    return held !== undefined && this.#over.has(held)
  }

  /** A connection of a network over its quota: of `first`'s own network before others. */
  findOverQuota (first: AnySocket, mayEnd: (socket: AnySocket) => boolean): AnySocket | undefined {
    const own = this.#networkOf(first)
    const networks = own !== undefined && this.#over.has(own) ? [own] : this.#over
    for (const { open } of networks) {
      const found = findOldest(open, mayEnd)
      if (found !== undefined) return found
    }
    return undefined
  }

  #networkOf (socket: AnySocket): NetworkConnections | undefined {
    const key = this.#keyOf(socket)
    return key === undefined ? undefined : this.#byNetwork.get(key)
  }

  #keyOf (socket: AnySocket): string | undefined {
    const peer = this.#readPeer(socket)
    return peer.isProxy || peer === NOBODY ? undefined : peer.network
  }
}

/** A socket that was looked at goes to the end, so that the next search begins with others. */
function findOldest (
  sockets: Set<AnySocket>, mayEnd: (socket: AnySocket) => boolean
): AnySocket | undefined {
  let looks = 0
  for (const socket of sockets) {
    sockets.delete(socket)
    sockets.add(socket)
    if (mayEnd(socket)) return socket
    if (++looks === LOOKS_MAX) return undefined
  }
  return undefined
}
