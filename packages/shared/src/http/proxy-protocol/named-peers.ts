/**
 * Who is at the other end of a socket: the address that it comes from or, where that is a trusted
 * proxy which names its clients by the PROXY protocol, whom the proxy has named. Runs in the thread
 * of its port.
 */
import type { Socket } from 'node:net'
import { LightSocket, type AnySocket } from '../fast/accept.ts'
import { NOBODY, peerReader, type Peer } from '../vocabulary/forwarded.ts'

/** `trusted`: every connection from a trusted proxy begins with a header of the PROXY protocol. */
export type ProxyProtocol = 'off' | 'trusted'

export interface PeerOptions {
  /** Addresses and CIDRs of proxies. */
  readonly trustProxy: readonly string[]
  /** `off` if left out. */
  readonly proxyProtocol?: ProxyProtocol
}

/** Whom proxies have named, by socket; with TLS also by the one that carries the plain text. */
const named = new WeakMap<AnySocket, Peer>()
/** Sockets with TLS on them, by their ends: nothing else leads there from the one on top. */
const beneathTls = new Map<string, Socket>()

/** A proxy has said who this is. @param hasTls another socket is to come on top of this one */
export function name (socket: Socket, peer: Peer, hasTls: boolean): void {
  named.set(socket, peer)
  if (!hasTls) return
  const ends = endsOf(socket)
  beneathTls.set(ends, socket)
  socket.once('close', () => {
    if (beneathTls.get(ends) === socket) beneathTls.delete(ends)
  })
}

/** Throws a TypeError when an element of `trustProxy` is neither address nor CIDR. */
export function socketPeerReader (
  { trustProxy, proxyProtocol }: PeerOptions
): (socket: AnySocket) => Peer {
  const readPeer = peerReader(trustProxy)
  if (proxyProtocol !== 'trusted') return ({ remoteAddress }) => readPeer(remoteAddress)
  return socket => {
    const known = named.get(socket)
    if (known !== undefined) return known
    const peer = readPeer(socket.remoteAddress)
    if (!peer.isProxy) return peer
    const beneath = socket instanceof LightSocket ? undefined : beneathTls.get(endsOf(socket))
    const found = beneath === undefined ? undefined : named.get(beneath)
    if (found !== undefined) named.set(socket, found)
    return found ?? NOBODY
  }
}

function endsOf ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
