/**
 * Door 1: a listening port whose requests reach a handler as values. Turns IncomingMessage into
 * RequestValue and Reply into one write; what never becomes a request is refused by the checked
 * server beneath. Runs in the thread of its handler.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Client, ClientMatch } from '../client.ts'
import { monotonicNowMs } from '../clock.ts'
import { readBody } from './body.ts'
import { turnToWrite } from './body-wait.ts'
import { createCheckedServer } from './checked-server.ts'
import type { CheckedServerOptions } from './checked-server.ts'
import { messageSourceReader, peerReader } from './vocabulary/forwarded.ts'
import type { RequestSource } from './vocabulary/forwarded.ts'
import { HttpRequest } from './vocabulary/http-request.ts'
import { requestClient } from './vocabulary/identity.ts'
import { hostsToTry, listenOn } from './listen.ts'
import { expectsContinue, hasBody } from './checks/request-head.ts'
import type { TlsPair } from './tls-context.ts'
import { textReply } from './vocabulary/replies.ts'
import { NO_BODY, requestFields } from './vocabulary/values.ts'
import type { Handler, Reply, RequestValue } from './vocabulary/values.ts'

export interface DoorOptions extends CheckedServerOptions {
  /** The address to bind; `::` becomes `0.0.0.0` on a machine without IPv6. */
  readonly host: string
  /** 0 lets the kernel choose. */
  readonly port: number
  readonly handler: Handler
  /** The page for a fault of ours; `code` is what the log line carries too. */
  readonly renderFault: (code: string) => Reply
}

export interface Door {
  /** The port that is bound. */
  readonly port: number
  connectionCount (): number
  /** Of HTTPS, see CheckedServer. */
  setCertificate (pair: TlsPair): void
  /**
   * Ends the connections of these clients, silent ones at once, others after the replies that are
   * due (within a bound); resolves when they are closed. A connection belongs to the client that
   * its latest request names, or to the new client that its latest reply has given an id. A trusted
   * proxy's connection carries many clients and stays open.
   */
  closeClients (isMatch: ClientMatch): Promise<void>
  /** Answers what has begun and ends the rest, see CheckedServer. Safe to call twice. */
  close (): Promise<void>
}

/** Opens the port; rejects with the system's error when it cannot be bound. */
export async function openDoor (options: DoorOptions): Promise<Door> {
  const readSource = messageSourceReader(options.trustProxy, options.tls !== undefined)
  const readPeer = peerReader(options.trustProxy)
  const checked = createCheckedServer(options, (request, response) => {
    const source = readSource(request)
    const before = unfinished.get(request.socket)
    if (before === undefined && !hasBody(request)) {
      void answer(options, toValue(request, source, NO_BODY), response)
      return
    }
    const body = readBody(request, options.bodyBytesMax)
    const hasBeenContinued = expectsContinue(request) ? turnToWrite(response) : undefined
    void inTurn(request.socket, Promise.all([body, hasBeenContinued]), ([body]) => {
      if (body === 'too large') {
        checked.refuse(response, 413)
        return new Promise(() => {}) // what came behind it has no turn any more
      }
      if (body !== undefined) return answer(options, toValue(request, source, body), response)
    })
  })
  const port = await listenOn(checked.server, options.port, hostsToTry(options.host))
  return {
    port,
    connectionCount: checked.connectionCount,
    setCertificate: checked.setCertificate,
    closeClients: isMatch => checked.closeWhere(request => {
      if (readPeer(request.socket.remoteAddress).isProxy) return false
      const { address } = readSource(request)
      const given = newClients.get(request.socket)
      return isMatch(requestClient(request), address) ||
        (given !== undefined && isMatch(given, address))
    }),
    close: checked.close
  }
}

/**
 * The client id that was given out on a connection: the request that it was given for names no
 * client.
 */
const newClients = new WeakMap<Socket, Client>()

/** The last request of each connection that had a body to be read, until it is answered. */
const unfinished = new WeakMap<Socket, Promise<void>>()

/**
 * Asks a connection's handlers in the order of its requests, also where one waits for its body and
 * the next one is there already (RFC 9112 section 9.3.2).
 */
async function inTurn<T> (
  socket: Socket, read: Promise<T>, ask: (read: T) => Promise<void> | void
): Promise<void> {
  const before = unfinished.get(socket)
  const turn = Promise.all([read, before]).then(([read]) => ask(read))
  unfinished.set(socket, turn)
  await turn
  if (unfinished.get(socket) === turn) unfinished.delete(socket)
}

function toValue (request: IncomingMessage, source: RequestSource, body: Buffer): RequestValue {
  // `OPTIONS *` asks about the server as a whole, which is as good as about its root.
  const target = request.url === '*' ? '/' : request.url!
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : target.slice(mark)
  return new HttpRequest(
    request.method!, path, query, requestFields(request.headers), body, source)
}

/** Never rejects: a fault of the handler, or a reply that cannot be sent, becomes the 500. */
async function answer (
  options: DoorOptions, request: RequestValue, response: ServerResponse
): Promise<void> {
  const startMs = monotonicNowMs()
  try {
    const asked = options.handler(request)
    // A reply that is there at once is sent at once.
    const reply = asked instanceof Promise ? await asked : asked
    if (reply.newClient !== undefined) newClients.set(response.req.socket, reply.newClient)
    // The client may be gone by the time its reply is made.
    if (response.destroyed) return
    send(reply, request.method, response)
    options.meter?.answered(reply.status, monotonicNowMs() - startMs)
  } catch (error) {
    const code = randomBytes(4).toString('hex')
    const { method, path } = request
    options.log.error({ err: error, code, method, path }, 'a request failed')
    sendFault(options.renderFault, code, method, response)
    options.meter?.answered(response.statusCode, monotonicNowMs() - startMs)
  }
}

/** The 500 must not fail itself, whatever the page's renderer does. */
function sendFault (
  render: DoorOptions['renderFault'], code: string, method: string, response: ServerResponse
): void {
  try {
    send(render(code), method, response)
  } catch {
    if (response.headersSent) response.destroy()
    else send(textReply(500, `Internal Server Error ${code}\n`), method, response)
  }
}

function send ({ status, headers, body }: Reply, method: string, response: ServerResponse): void {
  // RFC 9110 section 8.6: no length with 204, and with 304 only that of the 200 it stands for.
  if (status === 204 || status === 304) {
    response.writeHead(status, [...headers]).end()
    return
  }
  response.writeHead(status, [...headers, 'Content-Length', String(body.length)])
  response.end(method === 'HEAD' ? undefined : body)
}
