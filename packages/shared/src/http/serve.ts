/**
 * A listening port whose requests reach a handler as values. Plain ones come by the fast door
 * (fast/), all others by the checked server, where IncomingMessage becomes RequestValue here and
 * Reply one write; what never becomes a request is refused by the checked server beneath. Runs in
 * the thread of its handler.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Client, ClientMatch } from '../client.ts'
import { answer, type AnswerParts, type ReplySink } from './answer.ts'
import { readBody } from './body.ts'
import { turnToWrite } from './body-wait.ts'
import { sendStreamed } from './streamed-body.ts'
import type { Connections } from './connection/connections.ts'
import type { Exchange } from './connection/exchange.ts'
import { createCheckedServer } from './checked-server.ts'
import type { CheckedServerOptions, HttpMeter } from './checked-server.ts'
import { FastConnection } from './fast/fast-connection.ts'
import { openFastDoor } from './fast/fast-door.ts'
import { sourceReader } from './vocabulary/forwarded.ts'
import type { RequestSource } from './vocabulary/forwarded.ts'
import { HttpRequest } from './vocabulary/http-request.ts'
import { requestClient } from './vocabulary/identity.ts'
import { hostsToTry, listenOn } from './listen.ts'
import type { OpenedPort } from './opened-port.ts'
import { expectsContinue, hasBody } from './checks/request-head.ts'
import type { TlsPair } from './tls-context.ts'
import { bodyBytes } from './vocabulary/replies.ts'
import { NO_BODY, requestFields } from './vocabulary/values.ts'
import type { Reply, RequestValue, StreamedBody } from './vocabulary/values.ts'

export interface DoorOptions extends CheckedServerOptions, AnswerParts {
  /** The address to bind; `::` becomes `0.0.0.0` on a machine without IPv6. */
  readonly host: string
  /** 0 lets the kernel choose. */
  readonly port: number
  /** A second door may open the port, see canSharePorts. */
  readonly isPortShared?: boolean
  /** In place of these three, a port that is open already. */
  readonly openedPort?: OpenedPort | undefined
  /** False: all requests come by the checked server. They do where the fast door cannot be had. */
  readonly hasFastDoor?: boolean
  /** False: node:net makes a socket of each connection, as it does without light ones. */
  readonly hasLightSockets?: boolean
  /** What a connection was asked last is kept for so long while it is idle; 2 s if left out. */
  readonly headKeptMs?: number
  readonly log: CheckedServerOptions['log']
  readonly meter?: HttpMeter
}

export interface Door {
  /** The port that is bound. */
  readonly port: number
  /** False: all requests come by the checked server. */
  readonly isFast: boolean
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
  const readSource = sourceReader(options.trustProxy, options.tls !== undefined)
  const sourceOf = ({ headers, socket }: IncomingMessage): RequestSource =>
    readSource(requestFields(headers), checked.readPeer(socket))
  const checked = createCheckedServer(options, (request, response) => {
    const source = sourceOf(request)
    const sink = new ResponseSink(response, checked.connections)
    const before = unfinished.get(request.socket)
    if (before === undefined && !hasBody(request)) {
      void answer(options, toValue(request, source, NO_BODY), sink)
      return
    }
    const body = readBody(request, options.bodyBytesMax)
    const hasBeenContinued = expectsContinue(request) ? turnToWrite(response) : undefined
    void inTurn(request.socket, Promise.all([body, hasBeenContinued]), ([body]) => {
      if (body === 'too large') {
        checked.refuse(response, 413)
        return new Promise(() => {}) // what came behind it has no turn any more
      }
      if (body !== undefined) return answer(options, toValue(request, source, body), sink)
    })
  })
  const port = await listen(options, checked.server)
  const onHandOver = (socket: Socket, newClient: Client | undefined): void => {
    if (newClient !== undefined) newClients.set(socket, newClient)
  }
  const fast = options.hasFastDoor === false
    ? undefined
    : openFastDoor({ ...options, readSource, onHandOver }, checked)

  options.openedPort?.release() // Now both doors are there.

  const isOf = (request: IncomingMessage, isMatch: ClientMatch): boolean => {
    if (checked.readPeer(request.socket).isProxy) return false
    const { address } = sourceOf(request)
    const given = newClients.get(request.socket)
    return isMatch(requestClient(request), address) ||
      (given !== undefined && isMatch(given, address))
  }
  return {
    port,
    isFast: fast?.isOpen ?? false,
    connectionCount: checked.connectionCount,
    setCertificate: checked.setCertificate,
    closeClients: isMatch => checked.connections.closeWhere(exchange =>
      exchange instanceof FastConnection
        ? exchange.isOf(isMatch)
        : isOf((exchange as ServerResponse).req, isMatch)),
    close: async () => {
      await checked.close()
      fast?.close()
    }
  }
}

async function listen (
  { openedPort, host, port, isPortShared }: DoorOptions, server: Server
): Promise<number> {
  if (openedPort === undefined) return await listenOn(server, port, hostsToTry(host), isPortShared)
  await openedPort.passTo(server)
  return openedPort.port
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

/** One reply of node:http. */
class ResponseSink implements ReplySink {
  readonly #response: ServerResponse
  readonly #connections: Connections<Exchange>

  constructor (response: ServerResponse, connections: Connections<Exchange>) {
    this.#response = response
    this.#connections = connections
  }

  get destroyed (): boolean {
    return this.#response.destroyed
  }

  get headersSent (): boolean {
    return this.#response.headersSent
  }

  send (reply: Reply, method: string): void {
    const { status, headers, body, streamed, newClient } = reply
    const response = this.#response
    if (newClient !== undefined) newClients.set(response.req.socket, newClient)
    // RFC 9110 section 8.6: no length with 204, and with 304 only that of the 200 it stands for.
    if (status === 204 || status === 304) {
      response.writeHead(status, [...headers]).end()
      return
    }
    response.writeHead(status, [...headers, 'Content-Length', String(bodyBytes(reply))])
    if (method === 'HEAD') response.end()
    else if (streamed === undefined) response.end(body)
    else void this.#stream(streamed)
  }

  /** Nothing is read before the replies in front of it have left. */
  async #stream (body: StreamedBody): Promise<void> {
    const response = this.#response
    const { socket } = response.req
    await turnToWrite(response)
    this.#connections.limitStall(socket, true)
    if (await sendStreamed(body, response, socket)) response.end()
    else response.destroy()
  }

  destroy (): void {
    this.#response.destroy()
  }
}
