/**
 * The one factory of HTTP servers, for all ports: node:http with the gaps closed that it leaves in
 * RFC 9110 and RFC 9112, time limits that hold, and a graceful close. What it refuses never reaches
 * the listener and ends its connection. Listens nowhere by itself; runs in its caller's thread.
 */
import http from 'node:http'
import net from 'node:net'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type https from 'node:https'
import type { Logger } from 'pino'
import { descriptorOf, isSpare } from '../descriptors.ts'
import { awaitBody } from './body-wait.ts'
import { faultOf, judgeLine } from './checks/broken-request.ts'
import type { ParserError } from './checks/broken-request.ts'
import { RequestScanner } from './checks/request-scanner.ts'
import { ConnectionQuota } from './connection/connection-quota.ts'
import { incompleteExchange, type Connection } from './connection/connection.ts'
import { Connections } from './connection/connections.ts'
import type { Exchange } from './connection/exchange.ts'
import type { AnySocket } from './fast/accept.ts'
import { ProxyHeaders, type ProxyHeaderMeter } from './proxy-protocol/proxy-headers.ts'
import { socketPeerReader, type ProxyProtocol } from './proxy-protocol/named-peers.ts'
import type { Peer } from './vocabulary/forwarded.ts'
import { refusalBytes } from './checks/refusal.ts'
import type { RefusalStatus } from './checks/refusal.ts'
import { asksToClose, checkHead, hasBody, HEAD_BYTES_MAX } from './checks/request-head.ts'
import { StoppableRequest } from './stoppable-request.ts'
import { tlsOptions, type TlsPair } from './tls-context.ts'

export interface CheckedServerOptions {
  /** The value of `Allow`, told with the 405 for TRACE and CONNECT. */
  readonly allow: string
  /** A longer body is 413: here when its length is announced, else where it is read. */
  readonly bodyBytesMax: number
  /** Of a target that takes a longer body than the others; undefined for the others. */
  readonly longBodyBytesMax?: (target: string) => number | undefined
  /** For the head, and once more for the body. */
  readonly socketTimeoutMs: number
  readonly maxConnections: number
  /** Of the process, all ports and files together; what the system says if left out. */
  readonly descriptorLimit?: number
  /** How long a connection is kept between two requests; 75 s if left out. */
  readonly keepAliveMs?: number
  /** Addresses and CIDRs of proxies whose `X-Forwarded-*` are believed. */
  readonly trustProxy: readonly string[]
  /** Whether these say for whom they have opened a connection; `off` if left out. */
  readonly proxyProtocol?: ProxyProtocol
  /** Undefined for plain HTTP. */
  readonly tls: TlsPair | undefined
  /** Told of what is refused here, and by a door of every reply. */
  readonly meter?: HttpMeter | undefined
  readonly log: Logger
}

export interface HttpMeter extends ProxyHeaderMeter {
  /** @param durationMs from the whole request to its reply; none for what never was a request */
  answered (status: number, durationMs?: number): void
}

export interface CheckedServer {
  readonly server: http.Server | https.Server
  /** Of HTTPS: new connections get this pair, which has been checked; open ones go on. */
  setCertificate (pair: TlsPair): void
  /** Those of all doors of this port. */
  readonly connections: Connections<Exchange>
  /** Who is at the other end of a connection of this port. */
  readonly readPeer: (socket: AnySocket) => Peer
  /** Undefined where no connection begins with one. */
  readonly proxyHeaders: ProxyHeaders | undefined
  /**
   * Takes over a socket that is open among the connections already, without what was read from it:
   * give that as its next data.
   */
  handOver (socket: net.Socket): void
  connectionCount (): number
  /** Answers a request of this server with a bare status and ends its connection. */
  refuse (response: ServerResponse, status: RefusalStatus): void
  /**
   * Stops to accept at once, answers what has begun, ends what is silent, and resolves when all
   * connections are gone. Safe to call twice.
   */
  close (): Promise<void>
}

export const KEEP_ALIVE_MS = 75_000
/** node:http looks for slow heads this often; at its default of 30 s they would live that long. */
export const SLOW_HEAD_CHECK_MS = 500

export function createCheckedServer (
  options: CheckedServerOptions, listener: RequestListener
): CheckedServer {
  const server = createServer(options)
  const { maxConnections, socketTimeoutMs } = options
  const readPeer = socketPeerReader(options)
  const proxyHeaders = options.proxyProtocol === 'trusted' ? new ProxyHeaders(options) : undefined
  const quota = new ConnectionQuota(maxConnections, readPeer)
  const connections = new Connections<Exchange>(maxConnections, socketTimeoutMs, quota)
  /**
   * RFC 9110 section 7.4: an `https` target is for a client that comes by TLS, to this port or to a
   * trusted proxy.
   */
  const isSecured = ({ socket }: IncomingMessage): boolean => {
    if (options.tls !== undefined) return true
    const peer = readPeer(socket)
    return peer.isProxy || peer.isSecure
  }
  const scanners = new WeakMap<net.Socket, RequestScanner>()
  /** What node:http does with a new connection. */
  const [parse] = server.listeners(options.tls === undefined ? 'connection' : 'secureConnection')
  const adopt = (connection: Connection<Exchange>): void => {
    const socket = connections.fullSocket(connection)
    // node:http calls this after a reply that closes the connection; at once is too early.
    socket.destroySoon = () => { connections.endAfterReply(connection) }
    scanners.set(socket, scanBeforeParser(socket))
  }
  trackConnections(server, connections, adopt, options, proxyHeaders)

  const refusal = (status: RefusalStatus, isHead = false, bodyBytesMax?: number): Buffer => {
    options.meter?.answered(status)
    return refusalBytes(status, options.allow, isHead, bodyBytesMax)
  }
  const refuse = (response: ServerResponse, status: RefusalStatus, bodyBytesMax?: number): void => {
    const { socket, method } = response.req
    connections.refuse(socket, refusal(status, method === 'HEAD', bodyBytesMax), response)
  }
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request
    if (!connections.begin(socket, response)) return
    response.once('prefinish', () => { connections.limitStall(socket) })
    response.once('finish', () => { connections.answered(socket, response) })
    const bytesMax = options.longBodyBytesMax?.(request.url!) ?? options.bodyBytesMax
    const target = checkHead(request, bytesMax)
    if (typeof target === 'number') return refuse(response, target, bytesMax)
    if (target.isHttps && !isSecured(request)) return refuse(response, 421)
    request.url = target.pathAndQuery
    if (target.authority !== undefined) request.headers.host = target.authority
    // The parser stops at an upgrade, wanted or not, and loses what came with it: end in good time.
    if (request.headers.upgrade !== undefined || asksToClose(request)) {
      response.shouldKeepAlive = false
    }
    if (hasBody(request)) {
      awaitBody(request, response, socketTimeoutMs, () => { refuse(response, 408) })
    }
    connections.carryOut(socket, () => { listener(request, response) })
  }

  server.on('request', receive)
  server.on('checkContinue', receive)
  server.on('checkExpectation', receive) // checkHead refuses what is not 100-continue
  server.on('connect', (request, socket) => {
    const status = checkHead(request, options.bodyBytesMax)
    socket.removeAllListeners('data') // its parser serves another connection by now
    connections.refuse(socket as net.Socket, refusal(typeof status === 'number' ? status : 405))
  })
  server.on('clientError', (error: ParserError, socket) => {
    if (error.rawPacket !== undefined) {
      proxyHeaders?.noteRefused(socket as net.Socket, error.rawPacket)
    }
    refuseBroken(error, socket as net.Socket, { connections, scanners, refusal, ...options })
  })
  server.on('error', error => options.log.error({ err: error }, 'a listening socket failed'))

  return {
    server,
    connections,
    readPeer,
    proxyHeaders,
    handOver: socket => {
      parse!.call(server, socket)
      adopt(connections.find(socket)!)
    },
    setCertificate: pair => { (server as https.Server).setSecureContext(tlsOptions(pair)) },
    connectionCount: () => connections.count,
    refuse,
    close: async () => {
      // http.Server's own close() would cut connections between two requests; net.Server's only
      // stops to listen.
      net.Server.prototype.close.call(server)
      await connections.close()
      server.close() // ends the timer that looks for slow heads
    }
  }
}

function createServer (options: CheckedServerOptions): http.Server | https.Server {
  const httpOptions: http.ServerOptions<typeof StoppableRequest> = {
    IncomingMessage: StoppableRequest,
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: options.socketTimeoutMs,
    requestTimeout: 0, // it would count head and body together; see awaitBody
    connectionsCheckingInterval: SLOW_HEAD_CHECK_MS,
    keepAliveTimeout: options.keepAliveMs ?? KEEP_ALIVE_MS,
    requireHostHeader: false, // checkHead does it, and answers with a body
    // Of a field that may come once, node:http would obey the first line; joined lines say nothing.
    joinDuplicateHeaders: true
  }
  const { tls } = options
  const server = tls === undefined
    ? http.createServer(httpOptions)
    : process.getBuiltinModule('node:https').createServer({
      ...httpOptions, ...tlsOptions(tls), handshakeTimeout: options.socketTimeoutMs
    })
  // No limit: node:http would drop the lines past one in silence. checkHead counts them.
  server.maxHeadersCount = 0
  server.maxConnections = options.maxConnections
  // A client that has closed its half after its request still gets the reply.
  Object.assign(server, { httpAllowHalfOpen: true })
  return server
}

function trackConnections (
  server: http.Server | https.Server, connections: Connections<Exchange>,
  adopt: (connection: Connection<Exchange>) => void,
  { tls, descriptorLimit }: CheckedServerOptions, proxyHeaders: ProxyHeaders | undefined
): void {
  const isTls = tls !== undefined
  const [begin] = server.listeners('connection') // node:http's, with TLS node:tls's
  server.removeAllListeners('connection')
  const open = (socket: net.Socket): void => {
    if (socket.destroyed) return
    begin!.call(server, socket)
    if (!isTls) adopt(connections.open(socket))
  }
  server.on('connection', (socket: net.Socket) => {
    if (isSpare(descriptorOf(socket), descriptorLimit)) return socket.destroy()
    const isNamed = proxyHeaders?.isDue(socket) !== true
    connections.accept(socket, isNamed)
    if (isNamed) return open(socket)
    readHeaderFirst(socket, proxyHeaders!, () => {
      connections.holdToQuota(socket)
      open(socket)
    })
  })
  if (isTls) {
    server.on('secureConnection', (socket: net.Socket) => { adopt(connections.open(socket)) })
  }
}

/** Calls `open` for a socket that is paused and gives what came behind the header first. */
function readHeaderFirst (socket: net.Socket, headers: ProxyHeaders, open: () => void): void {
  const receive = headers.expect(socket, rest => {
    socket.off('data', receive)
    socket.pause()
    if (rest.length > 0) socket.unshift(rest)
    open()
    // With TLS somebody else reads, and no `data` comes from here.
    process.nextTick(() => { if (socket.listenerCount('data') > 0) socket.resume() })
    return true
  })
  socket.on('data', receive)
}

/** What the client sends reaches node:http by way of a scanner. */
function scanBeforeParser (socket: net.Socket): RequestScanner {
  const scanner = new RequestScanner()
  const parse = socket.listeners('data')[0] as (bytes: Buffer) => void
  socket.off('data', parse)
  socket.on('data', (chunk: Buffer) => {
    const mended = scanner.mend(chunk)
    // No bytes at all would be the end to the parser.
    if (mended.length > 0) parse(mended)
  })
  return scanner
}

interface RefusalParts {
  readonly connections: Connections<Exchange>
  readonly scanners: WeakMap<net.Socket, RequestScanner>
  readonly refusal: (status: RefusalStatus, isHead: boolean) => Buffer
  readonly socketTimeoutMs: number
}

function refuseBroken (
  error: ParserError, socket: net.Socket,
  { connections, scanners, refusal, socketTimeoutMs }: RefusalParts
): void {
  const beginning = scanners.get(socket)?.beginningAt(error) ?? ''
  const fault = faultOf(error, beginning)
  const connection = connections.find(socket)
  // A request that was refused by its head is an error to the parser too; it has been answered
  // already.
  if (fault !== undefined && connection?.finalBytes !== undefined) return
  if (fault === undefined || connection === undefined || !socket.writable) {
    socket.destroy()
    return
  }
  // Bytes behind the last request, which the reply to it may not have known to be the last.
  if (error.code === 'HPE_CLOSED_CONNECTION') return connections.finish(connection)
  const incomplete = incompleteExchange(connection)
  const isHead = beginning.startsWith('HEAD ')
  const say = (status: RefusalStatus): void => {
    if (connection.finalBytes !== undefined) return
    connections.refuse(socket, refusal(status, isHead), incomplete)
  }
  if (fault === 'by line') judgeLine(error, socket, socketTimeoutMs, say)
  else say(fault)
}
