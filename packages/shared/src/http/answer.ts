/**
 * From a request value to its reply, whichever door the request came by: asks the handler, hands
 * the reply to the door, and turns a fault of ours into the 500 that is logged once. Holds no
 * state; runs in the thread of its door.
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { monotonicNowMs } from '../clock.ts'
import type { HttpMeter } from './checked-server.ts'
import { textReply } from './vocabulary/replies.ts'
import type { Handler, Reply, RequestValue } from './vocabulary/values.ts'

export interface AnswerParts {
  readonly handler: Handler
  /** The page for a fault of ours; `code` is what the log line carries too. */
  readonly renderFault: (code: string) => Reply
  readonly meter?: HttpMeter | undefined
  readonly log: Logger
}

/** Where one reply goes. */
export interface ReplySink {
  /** The client has gone: what is sent reaches nobody. */
  readonly destroyed: boolean
  readonly headersSent: boolean
  /** Throws for a reply that may not be sent, mostly before any of it is. @param nowMs monotonic */
  send (reply: Reply, method: string, nowMs: number): void
  /** Ends the connection at once. */
  destroy (): void
}

/** A reply that is there at once is sent at once; otherwise the promise resolves when it is. */
export function answer (
  parts: AnswerParts, request: RequestValue, sink: ReplySink
): Promise<void> | undefined {
  const startMs = monotonicNowMs()
  try {
    const asked = parts.handler(request)
    if (!(asked instanceof Promise)) {
      give(parts, request, sink, asked, startMs)
      return undefined
    }
    return asked
      .then(reply => { give(parts, request, sink, reply, startMs) })
      .catch((error: unknown) => { giveFault(parts, request, sink, error, startMs) })
  } catch (error) {
    giveFault(parts, request, sink, error, startMs)
    return undefined
  }
}

function give (
  { meter }: AnswerParts, { method }: RequestValue, sink: ReplySink, reply: Reply, startMs: number
): void {
  // The client may be gone by the time its reply is made.
  if (sink.destroyed) return reply.streamed?.close()
  const nowMs = monotonicNowMs()
  if (method === 'HEAD') reply.streamed?.close()
  try {
    sink.send(reply, method, nowMs)
  } catch (error) {
    reply.streamed?.close()
    throw error
  }
  meter?.answered(reply.status, nowMs - startMs)
}

/** The 500 must not fail itself, whatever the page's renderer does. */
function giveFault (
  { log, meter, renderFault }: AnswerParts, { method, path }: RequestValue, sink: ReplySink,
  error: unknown, startMs: number
): void {
  const code = randomBytes(4).toString('hex')
  log.error({ err: error, code, method, path }, 'a request failed')
  const nowMs = monotonicNowMs()
  try {
    sink.send(renderFault(code), method, nowMs)
  } catch {
    if (sink.headersSent) sink.destroy()
    else sink.send(textReply(500, `Internal Server Error ${code}\n`), method, nowMs)
  }
  meter?.answered(500, nowMs - startMs)
}
