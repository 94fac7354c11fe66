/**
 * The bytes of a reply, the same ones that node:http would send: status line, the reply's own
 * fields, length, date, and how the connection goes on. Whole replies that answer many requests are
 * made once a second, for the date. One for each door; runs in its thread.
 */
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http'
import type { Socket } from 'node:net'
import { bodyBytes } from '../vocabulary/replies.ts'
import { NO_BODY, type Reply } from '../vocabulary/values.ts'
import type { AnySocket } from './accept.ts'

/** Above this a body is sent from where it stands instead of being copied behind its head. */
export const COPIED_BYTES_MAX = 65_536

/** For a connection that goes on, and for one that ends; made when they are first sent. */
interface KeptBytes {
  goingOn: Buffer | undefined
  ending: Buffer | undefined
}

export class ReplyBytes {
  readonly #goesOn: string
  /** Of each name the value that was allowed last: most replies say what one before them said. */
  readonly #allowed = new Map<string, string>()
  /** Of this second: no more is kept than is being asked for. */
  #kept = new WeakMap<Reply, KeptBytes>()
  #date = ''
  #dateUntilMs = -Infinity

  /** @param keepAliveMs how long an idle connection is kept, as clients are told */
  constructor (keepAliveMs: number) {
    this.#goesOn =
      `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`
  }

  /**
   * All of the reply but a streamed body. Throws a TypeError for a field that no reply may have,
   * before anything is sent.
   * @param socket a net.Socket for a body above COPIED_BYTES_MAX
   * @param nowMs monotonic
   */
  write (
    socket: AnySocket, reply: Reply, isHead: boolean, isKeptAlive: boolean, nowMs: number
  ): void {
    if (nowMs >= this.#dateUntilMs) this.#renewDate(nowMs)
    const { body, isKept } = reply
    const hasBody = body.length > 0 && !isHead && reply.status !== 204 && reply.status !== 304
    if (isKept === true && !isHead && body.length <= COPIED_BYTES_MAX) {
      socket.write(this.#keptBytes(reply, hasBody, isKeptAlive))
      return
    }
    const head = this.#head(reply, isKeptAlive)
    if (!hasBody) socket.write(head, 'latin1')
    else if (body.length <= COPIED_BYTES_MAX) socket.write(joined(head, body))
    else {
      const full = socket as Socket
      full.cork()
      full.write(head, 'latin1')
      full.write(body)
      full.uncork()
    }
  }

  #keptBytes (reply: Reply, hasBody: boolean, isKeptAlive: boolean): Buffer {
    let kept = this.#kept.get(reply)
    if (kept === undefined) {
      kept = { goingOn: undefined, ending: undefined }
      this.#kept.set(reply, kept)
    }
    const known = isKeptAlive ? kept.goingOn : kept.ending
    if (known !== undefined) return known
    const bytes = joined(this.#head(reply, isKeptAlive), hasBody ? reply.body : NO_BODY)
    if (isKeptAlive) kept.goingOn = bytes
    else kept.ending = bytes
    return bytes
  }

  #head (reply: Reply, isKeptAlive: boolean): string {
    const { status, headers } = reply
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at]!
      const value = headers[at + 1]!
      if (this.#allowed.get(name) !== value) this.#check(name, value)
      head += `${name}: ${value}\r\n`
    }
    // RFC 9110 section 8.6: no length with 204, and with 304 only that of the 200 it stands for.
    if (status !== 204 && status !== 304) head += `Content-Length: ${bodyBytes(reply)}\r\n`
    return `${head}Date: ${this.#date}\r\n${isKeptAlive ? this.#goesOn : 'Connection: close\r\n\r\n'}`
  }

  #check (name: string, value: string): void {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    this.#allowed.set(name, value)
  }

  #renewDate (nowMs: number): void {
    const date = new Date()
    this.#date = date.toUTCString()
    this.#kept = new WeakMap()
    this.#dateUntilMs = nowMs + 1000 - date.getMilliseconds()
  }
}

function joined (head: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length)
  bytes.write(head, 'latin1')
  body.copy(bytes, head.length)
  return bytes
}
