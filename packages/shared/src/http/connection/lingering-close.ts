/**
 * Lingering close: ends a connection so that the client can read its last reply. Closing a socket
 * while bytes are still coming in makes the kernel send a reset, and a reset throws away what the
 * client has not read yet (RFC 9112 section 9.6). So: send the final bytes, close our half, and
 * read and drop what still comes, for a bounded time and a bounded number of bytes.
 */
import type { Socket } from 'node:net'
import { monotonicNowMs } from '../../clock.ts'
import type { LightSocket, Reader } from '../fast/accept.ts'

/** Enough for a client that has sent 10 MB of headers before it looks at the answer. */
const DRAIN_BYTES_MAX = 16 * 1024 * 1024
/** From the moment when the final bytes have left; less when nothing more comes. */
const LINGER_MS = 5_000
const LINGER_SILENCE_MS = 500

/** @param stallMs how long the client may take no byte of what is still to be sent. */
export function lingeringClose (socket: Socket, finalBytes: Buffer, stallMs: number): void {
  let drainedBytes = 0
  let untilMs = Infinity
  let silence: NodeJS.Timeout | undefined
  // The HTTP parser listens for `data` too; nothing may be read as a request any more.
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    drainedBytes += chunk.length
    silence?.refresh()
    if (drainedBytes > DRAIN_BYTES_MAX || monotonicNowMs() >= untilMs) socket.destroy()
  })
  socket.once('close', () => { clearTimeout(silence) })
  if (finalBytes.length > 0 || socket.writableLength > 0) {
    socket.setTimeout(stallMs, () => { socket.destroy() })
  }
  socket.end(finalBytes, () => {
    if (socket.destroyed) return
    untilMs = monotonicNowMs() + LINGER_MS
    silence = setTimeout(() => { socket.destroy() }, LINGER_SILENCE_MS)
  })
  socket.resume()
}

/** The same of a light socket whose final bytes the kernel has taken. */
export function lightLingeringClose (socket: LightSocket): void {
  if (socket.hasEnded) return socket.destroy()
  socket.reader = new Drain(socket)
  socket.shutdown()
  socket.resume()
}

class Drain implements Reader {
  readonly #socket: LightSocket
  readonly #untilMs = monotonicNowMs() + LINGER_MS
  readonly #silence: NodeJS.Timeout
  #drainedBytes = 0

  constructor (socket: LightSocket) {
    this.#socket = socket
    this.#silence = setTimeout(cut, LINGER_SILENCE_MS, socket)
  }

  read (_buffer: Buffer, length: number): boolean {
    this.#drainedBytes += length
    this.#silence.refresh()
    if (this.#drainedBytes > DRAIN_BYTES_MAX || monotonicNowMs() >= this.#untilMs) this.end()
    return true
  }

  end (): void {
    this.#socket.destroy()
  }

  closed (): void {
    clearTimeout(this.#silence)
  }
}

function cut (socket: LightSocket): void {
  socket.destroy()
}
