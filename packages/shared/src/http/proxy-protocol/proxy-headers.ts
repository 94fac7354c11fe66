/**
 * The beginning of connections from trusted proxies, where PROXY_PROTOCOL says that each begins
 * with a header: waits for it, within a time and a number of bytes, takes whom it names for the
 * client, and lets the port begin with what follows. A connection without a proper one is closed;
 * nothing else of it is read. Serves any door; runs in its thread.
 */
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { monotonicNowMs } from '../../clock.ts'
import { limitPeer } from '../../peer-limit.ts'
import { ThrottledWarning } from '../../throttled-warning.ts'
import { Peer, peerReader } from '../vocabulary/forwarded.ts'
import { name, type PeerOptions } from './named-peers.ts'
import { looksLikeHeader, readProxyHeader, type ProxyHeader } from './proxy-header.ts'

export interface ProxyHeaderOptions extends PeerOptions {
  /** For the whole header. */
  readonly socketTimeoutMs: number
  /** Defined where TLS begins behind the header. */
  readonly tls: object | undefined
  readonly meter?: ProxyHeaderMeter | undefined
  readonly log: Logger
}

export interface ProxyHeaderMeter {
  /** A connection was closed for the sake of a header that it has, or has not. */
  proxyHeaderRefused? (): void
}

const REFUSED =
  'a connection from a proxy in TRUST_PROXY was closed, because it does not begin with a header ' +
  'of the PROXY protocol as PROXY_PROTOCOL=trusted asks for'

const STRAY =
  'a request was refused (400), because it is a header of the PROXY protocol where none is due: ' +
  'from an address that is not in TRUST_PROXY, or a second one. Nothing of it is believed'

/** Takes what comes next. @returns whether to read on */
export type Receive = (bytes: Buffer) => boolean

const NOTHING = Buffer.alloc(0)

export class ProxyHeaders {
  readonly #options: ProxyHeaderOptions
  readonly #readPeer: (remoteAddress: string | undefined) => Peer
  readonly #refused: ThrottledWarning
  readonly #stray: ThrottledWarning

  constructor (options: ProxyHeaderOptions) {
    this.#options = options
    this.#readPeer = peerReader(options.trustProxy)
    this.#refused = new ThrottledWarning(options.log, monotonicNowMs, REFUSED)
    this.#stray = new ThrottledWarning(options.log, monotonicNowMs, STRAY)
  }

  /** Whether a new connection begins with a header. All others must not. */
  isDue ({ remoteAddress }: Pick<Socket, 'remoteAddress'>): boolean {
    return this.#readPeer(remoteAddress).isProxy
  }

  /** Looks at what was refused as a request. */
  noteRefused ({ remoteAddress: address }: Socket, bytes: Buffer): void {
    if (!looksLikeHeader(bytes)) return
    this.#options.meter?.proxyHeaderRefused?.()
    this.#stray.note(() => ({ address }))
  }

  /**
   * Returns what to call with all that comes on the connection, until it has called `begin` with
   * what follows the header.
   */
  expect (socket: Socket, begin: Receive): Receive {
    let seen = NOTHING
    const refuse = (reason: string): void => {
      if (socket.destroyed) return
      const { remoteAddress: proxy } = socket
      socket.destroy()
      this.#options.meter?.proxyHeaderRefused?.()
      this.#refused.note(() => ({ proxy, reason }))
    }
    // Whoever only looks whether the port is open says nothing.
    const end = (): void => {
      if (seen.length > 0) refuse('it ends too early')
      else socket.destroy()
    }
    const endLimit = limitPeer(this.#options.socketTimeoutMs, () => {
      refuse('it did not come in time')
    })
    socket.on('error', ignore).on('end', end).once('close', endLimit)
    return bytes => {
      const all = seen.length === 0 ? bytes : Buffer.concat([seen, bytes])
      const header = readProxyHeader(all)
      if (header === 'incomplete') {
        seen = Buffer.from(all)
        return true
      }
      if ('refusal' in header) {
        refuse(header.refusal)
        return false
      }
      endLimit()
      socket.off('end', end)
      name(socket, this.#peerOf(socket, header), this.#options.tls !== undefined)
      return begin(all.subarray(header.length))
    }
  }

  #peerOf ({ remoteAddress }: Socket, header: ProxyHeader): Peer {
    const proxy = this.#readPeer(remoteAddress)
    switch (header.from) {
      case 'proxy': return proxy
      // It may be anybody whose bytes the proxy passes on: only the address is the proxy's.
      case 'unknown': return new Peer(proxy.address, false)
      case 'client': {
        const client = this.#readPeer(header.address)
        return header.isTls ? new Peer(client.address, client.isProxy, true) : client
      }
    }
  }
}

function ignore (): void {}
