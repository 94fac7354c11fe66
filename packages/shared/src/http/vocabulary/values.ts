/**
 * What a handler sees and says: a request value in, a reply value out. No socket, no stream; a door
 * (see `serve.ts`) turns bytes into the one and the other into bytes. Starts nothing.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Address, Client } from '../../client.ts'

export interface RequestValue {
  readonly method: string
  /** As received, percent-encoded, never decoded; starts with `/`, no query. */
  readonly path: string
  /** Empty, or starts with `?`; as received. */
  readonly query: string
  /** Lower-case names; repeated lines are joined by commas, cookies by semicolons. */
  readonly headers: IncomingHttpHeaders
  /** Read to its end before the handler is asked; empty for a request without one. */
  readonly body: Buffer
  /** True when the client speaks HTTPS: to this port, or to the trusted proxy in front of it. */
  readonly isSecure: boolean
  /**
   * The authority that the client named: `Host`, a trusted proxy's `X-Forwarded-Host`, or that of
   * an absolute-form target. Well-formed, not vetted. Undefined for an HTTP/1.0 request without
   * one.
   */
  readonly authority: string | undefined
  /** Where the client is, trusted proxies taken off. */
  readonly address: Address
}

export interface Reply {
  readonly status: number
  /** Names and values in turn: `['Content-Type', 'text/html', ...]`. No Date, no Connection. */
  readonly headers: readonly string[]
  /** The whole body; the door leaves it out for HEAD, 204 and 304 and counts Content-Length. */
  readonly body: Buffer
  /** A page as a person opens it, the way to one, or word that it has not changed. */
  readonly isPage?: boolean
  /** Whom the reply's cookie makes of a visitor without an id. */
  readonly newClient?: Client
}

/** Decides and answers. A rejection or throw is a fault of ours: 500, logged once by the door. */
export type Handler = (request: RequestValue) => Reply | Promise<Reply>

export const NO_BODY = Buffer.alloc(0)
