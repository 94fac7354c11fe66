/**
 * What a handler sees and says: a request value in, a reply value out. No socket; a door (see
 * `serve.ts`) turns bytes into the one and the other into bytes. Starts nothing.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Address, Client } from '../../client.ts'

/** The names of all fields that a handler reads. A door need not keep the value of any other. */
export const REQUEST_FIELDS = [
  'host', 'cookie', 'accept-encoding', 'origin', 'referer',
  'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range',
  'sec-fetch-dest', 'sec-fetch-mode', 'sec-fetch-site',
  'sec-purpose', 'purpose', 'x-moz', 'x-purpose',
  'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-method',
  'x-forwarded-uri', 'x-original-uri'
] as const

/** By lower-case name; repeated lines are joined by commas, cookies by semicolons. */
export type RequestFields = {
  readonly [name in typeof REQUEST_FIELDS[number]]?: string | undefined
}

/**
 * A request as handlers see it. A door gives the same object again for the next request of the
 * connection when that one's bytes are the same: nothing in it ever changes.
 */
export interface RequestValue {
  readonly method: string
  /** As received, percent-encoded, never decoded; starts with `/`, no query. */
  readonly path: string
  /** Empty, or starts with `?`; as received. */
  readonly query: string
  readonly headers: RequestFields
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
  /** Whom its cookie names. */
  readonly cookieClient: Client | undefined
  /** What it does to the count of users. */
  readonly countEffect: CountEffect
}

/**
 * adds: a newcomer becomes a user and is given the cookie. refreshes: a user who is there stays, a
 * newcomer is served and stays unknown. none: nobody is looked up.
 */
export type CountEffect = 'adds' | 'refreshes' | 'none'

export interface Reply {
  readonly status: number
  /** Names and values in turn: `['Content-Type', 'text/html', ...]`. No Date, no Connection. */
  readonly headers: readonly string[]
  /** The whole body; the door leaves it out for HEAD, 204 and 304 and counts Content-Length. */
  readonly body: Buffer
  /** In place of a body that is too large to be kept in memory. */
  readonly streamed?: StreamedBody | undefined
  /** A page as a person opens it, the way to one, or word that it has not changed. */
  readonly isPage?: boolean | undefined
  /** Whom the reply's cookie makes of a visitor without an id. */
  readonly newClient?: Client | undefined
  /** True for an object that answers many requests: a door may keep its bytes beside it. */
  readonly isKept?: boolean
}

/** A body that is read while it is sent. The door that it is given to closes it. */
export interface StreamedBody {
  /** The length of the whole, which is promised before any of it is read. */
  readonly bytes: number
  /**
   * The next piece, in memory that the next call may write over. Asked while bytes are missing.
   * Rejects when what was promised cannot be had any more: the connection is cut then, so that the
   * client knows.
   */
  next (): Promise<Buffer>
  /** Safe to call twice. */
  close (): void
}

/**
 * Decides and answers; without a promise when nothing has to be waited for. A rejection or throw is
 * a fault of ours: 500, logged once by the door.
 */
export type Handler = (request: RequestValue) => Reply | Promise<Reply>

export const NO_BODY = Buffer.alloc(0)

/** Only of a request whose repeated lines node:http has joined, as the checked server has it do. */
export function requestFields (headers: IncomingHttpHeaders): RequestFields {
  return headers as RequestFields
}
