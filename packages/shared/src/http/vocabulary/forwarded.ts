/**
 * What a proxy says about the client behind it: its address, and the authority and scheme that it
 * named. `X-Forwarded-*` counts only when the peer itself is a trusted proxy, for anybody can send
 * these fields; what is malformed is passed over. Who the peer is where proxies say it before the
 * first request: proxy-protocol/. Runs in the thread of its door.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { createRequire } from 'node:module'
import type ProxyAddr from '@fastify/proxy-addr'
import { parseAddress, UNKNOWN_ADDRESS } from '../../client.ts'
import type { Address } from '../../client.ts'
import { networkKey } from '../../networks.ts'
import { remembering } from '../../remembering.ts'
import { parseAuthority } from './authority.ts'
import { requestFields, type RequestFields } from './values.ts'

/** Where a request comes from, as RequestValue has it. */
export interface RequestSource {
  readonly address: Address
  readonly authority: string | undefined
  readonly isSecure: boolean
}

/** The other end of a connection, the same for all its requests. */
export class Peer {
  readonly address: Address
  /** Whether it is a trusted proxy, which speaks for many clients. */
  readonly isProxy: boolean
  /** Whether it came by TLS to a proxy in between, as that proxy says. */
  readonly isSecure: boolean
  #network: string | undefined

  constructor (address: Address, isProxy: boolean, isSecure = false) {
    this.address = address
    this.isProxy = isProxy
    this.isSecure = isSecure
  }

  /** As a key: its narrowest network. Finding it out takes as long as a whole request. */
  get network (): string {
    this.#network ??= networkKey(this.address)
    return this.#network
  }
}

const require = createRequire(import.meta.url)
const PEERS_MAX = 4096
/** `X-Forwarded-For` as it comes with each of a visitor's requests. */
const FORWARDED_MAX = 16_384
/** The connection was closed before anybody looked, or its proxy has not said who it is. */
export const NOBODY = new Peer(UNKNOWN_ADDRESS, false)

/**
 * Who is at the other end of a socket, by an address as `remoteAddress` has it. @param trustProxy
 * addresses and CIDRs; throws a TypeError when one is neither.
 */
export function peerReader (
  trustProxy: readonly string[]
): (remoteAddress: string | undefined) => Peer {
  const isTrusted = trustCheck(trustProxy)
  const readPeer = remembering(PEERS_MAX, remoteAddress =>
    new Peer(parseAddress(remoteAddress) ?? UNKNOWN_ADDRESS, isTrusted(remoteAddress, 0)))
  return remoteAddress => remoteAddress === undefined ? NOBODY : readPeer(remoteAddress)
}

type TrustCheck = ReturnType<typeof ProxyAddr.compile>

/** The package is loaded only where there are proxies. */
function trustCheck (trustProxy: readonly string[]): TrustCheck {
  if (trustProxy.length === 0) return () => false
  return (require('@fastify/proxy-addr') as typeof ProxyAddr).compile([...trustProxy])
}

/** The reader of a door's requests. @param trustProxy as for peerReader */
export function sourceReader (
  trustProxy: readonly string[], isTls: boolean
): (headers: RequestFields, peer: Peer) => RequestSource {
  const isTrusted = trustCheck(trustProxy)
  // To compare an address with the proxies' networks takes as long as the rest of a request.
  const readForwarded = remembering(FORWARDED_MAX, field => forwardedAddress(field, isTrusted))
  return (headers, { address, isProxy, isSecure }) => {
    const isSecured = isTls || isSecure
    if (!isProxy) return { address, authority: headers.host, isSecure: isSecured }
    return {
      address: readForwarded(headers['x-forwarded-for'] ?? '') ?? address,
      authority: forwardedHost(headers) ?? headers.host,
      isSecure: forwardedIsSecure(headers) ?? isSecured
    }
  }
}

/** The same of a request of node:http. @param readPeer as for its server */
export function messageSourceReader (
  readPeer: (socket: Socket) => Peer, trustProxy: readonly string[], isTls: boolean
): (message: Pick<IncomingMessage, 'headers' | 'socket'>) => RequestSource {
  const readSource = sourceReader(trustProxy, isTls)
  return ({ headers, socket }) => readSource(requestFields(headers), readPeer(socket))
}

/**
 * The nearest address that is not a trusted proxy's; the farthest one if all are. What stands
 * before a hop that is no address was not written by a trusted proxy.
 */
function forwardedAddress (
  field: string, isTrusted: (address: string, hop: number) => boolean
): Address | undefined {
  const hops = field.split(',').reverse()
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

function forwardedHost (headers: RequestFields): string | undefined {
  const host = lastOf(headers['x-forwarded-host'])
  return host !== undefined && parseAuthority(host) !== undefined ? host : undefined
}

function forwardedIsSecure (headers: RequestFields): boolean | undefined {
  const scheme = lastOf(headers['x-forwarded-proto'])?.toLowerCase()
  return scheme === 'https' || scheme === 'http' ? scheme === 'https' : undefined
}

/** The last element of a list: what the nearest proxy, the one we trust, has seen itself. */
function lastOf (field: string | undefined): string | undefined {
  return field?.slice(field.lastIndexOf(',') + 1).trim()
}
