/**
 * What a proxy says about the client behind it: its address, and the authority and scheme that it
 * named. `X-Forwarded-*` counts only when the peer itself is a trusted proxy, for anybody can send
 * these fields; what is malformed is passed over. Runs in the thread of its door.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import proxyAddr from '@fastify/proxy-addr'
import { parseAddress, UNKNOWN_ADDRESS } from '../../client.ts'
import type { Address } from '../../client.ts'
import { parseAuthority } from './authority.ts'

/** Where a request comes from, as RequestValue has it. */
export interface RequestSource {
  readonly address: Address
  readonly authority: string | undefined
  readonly isSecure: boolean
}

/**
 * The reader of a door's requests. @param trustProxy addresses and CIDRs; throws a TypeError when
 * one is neither.
 */
export function sourceReader (
  trustProxy: readonly string[], isTls: boolean
): (request: IncomingMessage) => RequestSource {
  // A peer's address is the connection's, so it is parsed once for all its requests.
  const peers = new WeakMap<Socket, Address>()
  const peerOf = (socket: Socket): Address => {
    let peer = peers.get(socket)
    if (peer === undefined) {
      peer = parseAddress(socket.remoteAddress ?? '') ?? UNKNOWN_ADDRESS
      peers.set(socket, peer)
    }
    return peer
  }
  const direct = (request: IncomingMessage): RequestSource => ({
    address: peerOf(request.socket), authority: request.headers.host, isSecure: isTls
  })
  if (trustProxy.length === 0) return direct

  const isTrusted = proxyAddr.compile([...trustProxy])
  const isProxy = proxyCheck(trustProxy)
  return request => {
    const source = direct(request)
    if (!isProxy(request.socket.remoteAddress)) return source
    return {
      address: forwardedAddress(request, isTrusted) ?? source.address,
      authority: forwardedHost(request) ?? source.authority,
      isSecure: forwardedIsSecure(request) ?? source.isSecure
    }
  }
}

/** Whether a peer is a trusted proxy; its address is as the socket has it. */
export function proxyCheck (
  trustProxy: readonly string[]
): (remoteAddress: string | undefined) => boolean {
  if (trustProxy.length === 0) return () => false
  const isTrusted = proxyAddr.compile([...trustProxy])
  return remoteAddress => remoteAddress !== undefined && isTrusted(remoteAddress, 0)
}

/**
 * The nearest address that is not a trusted proxy's; the farthest one if all are. What stands
 * before a hop that is no address was not written by a trusted proxy.
 */
function forwardedAddress (
  request: IncomingMessage, isTrusted: (address: string, hop: number) => boolean
): Address | undefined {
  const hops = String(request.headers['x-forwarded-for'] ?? '').split(',').reverse()
  let nearest: Address | undefined
  for (const [index, hop] of hops.entries()) {
    const text = withoutPort(hop.trim())
    const address = parseAddress(text)
    if (address === undefined) break
    nearest = address
    if (!isTrusted(text, index + 1)) break
  }
  return nearest
}

/**
 * Azure's gateways and some load balancers write the client's port too: `203.0.113.7:51234`,
 * `[2001:db8::1]:443`; others write IPv6 in brackets alone (RFC 7239 section 6 has both forms).
 */
function withoutPort (hop: string): string {
  const [, v6, v4] = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/.exec(hop) ?? []
  return v6 ?? v4 ?? hop
}

function forwardedHost (request: IncomingMessage): string | undefined {
  const host = lastOf(request.headers['x-forwarded-host'])
  return host !== undefined && parseAuthority(host) !== undefined ? host : undefined
}

function forwardedIsSecure (request: IncomingMessage): boolean | undefined {
  const scheme = lastOf(request.headers['x-forwarded-proto'])?.toLowerCase()
  return scheme === 'https' || scheme === 'http' ? scheme === 'https' : undefined
}

/** The last element of a list: what the nearest proxy, the one we trust, has seen itself. */
function lastOf (field: string | string[] | undefined): string | undefined {
  return field?.toString().split(',').at(-1)!.trim()
}
