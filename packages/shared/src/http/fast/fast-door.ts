/**
 * The fast door: the first to read what comes to a port. It answers plain requests itself
 * (plain-head.ts) and hands every other connection to the checked server, with what it has read.
 * Ends connections that ask nothing, in time. Runs in the thread of its handler.
 */
import type { Socket } from 'node:net'
import type { Client } from '../../client.ts'
import { monotonicNowMs } from '../../clock.ts'
import { isSpare } from '../../descriptors.ts'
import type { AnswerParts } from '../answer.ts'
import { KEEP_ALIVE_MS, SLOW_HEAD_CHECK_MS, type CheckedServer, type CheckedServerOptions } from '../checked-server.ts'
import { refusalBytes } from '../checks/refusal.ts'
import type { ProxyHeaders } from '../proxy-protocol/proxy-headers.ts'
import { acceptLight, LightSocket, type AnySocket, type Reader } from './accept.ts'
import { FastConnection, type FastParts } from './fast-connection.ts'
import { PlainHeadReader, type ReadSource } from './plain-head.ts'
import { ReplyBytes } from './reply-bytes.ts'

export interface FastDoorOptions extends CheckedServerOptions, AnswerParts {
  readonly readSource: ReadSource
  /** What an idle connection was asked last is kept for so long; 2 s if left out. */
  readonly headKeptMs?: number
  /** False: node:net makes a socket of each. It does where light ones cannot be had. */
  readonly hasLightSockets?: boolean
  /**
   * Told of a connection that the checked server goes on with, and of whom a reply on it has given
   * an id.
   */
  readonly onHandOver: (socket: Socket, newClient: Client | undefined) => void
}

export interface FastDoor {
  /** False where this Node does not have what it takes: nothing comes by this door. */
  readonly isOpen: boolean
  /** Stops to look for connections that ask nothing. */
  close (): void
}

const HEAD_KEPT_MS = 2_000

/** @param checked listens already */
export function openFastDoor (options: FastDoorOptions, checked: CheckedServer): FastDoor {
  const { connections } = checked
  /** Those that have sent nothing so far, the oldest first. */
  const silent = new Set<FastConnection>()
  const { handler, renderFault, meter, log } = options
  // Named one by one: what many properties are spread into is slow to read.
  const parts: FastParts = {
    handler,
    renderFault,
    meter,
    log,
    connections,
    heads: new PlainHeadReader(options.readSource),
    replies: new ReplyBytes(options.keepAliveMs ?? KEEP_ALIVE_MS),
    onAsked: connection => { silent.delete(connection) },
    handOver: (socket, newClient, bytes) => {
      options.onHandOver(socket, newClient)
      socket.removeAllListeners('data') // with TLS the fast door's own
      checked.handOver(socket)
      socket.emit('data', bytes)
    }
  }
  const open = (socket: AnySocket): FastConnection => {
    const connection = new FastConnection(parts, socket, checked.readPeer(socket))
    silent.add(connection)
    return connection
  }
  const isOpen = options.tls === undefined
    ? acceptPlain(options, checked, open)
    : acceptSecure(checked, open)

  const timer = setInterval(() => {
    const nowMs = monotonicNowMs()
    endIdle(options, checked, nowMs)
    refuseSilent(options, checked, silent, nowMs)
  }, SLOW_HEAD_CHECK_MS)
  timer.unref()
  return { isOpen, close: () => { clearInterval(timer) } }
}

function acceptPlain (
  { maxConnections, descriptorLimit, hasLightSockets }: FastDoorOptions,
  { server, connections, proxyHeaders }: CheckedServer,
  open: (socket: AnySocket) => FastConnection
): boolean {
  return acceptLight(server, {
    mayAccept: descriptor =>
      connections.count < maxConnections && !isSpare(descriptor, descriptorLimit),
    open: socket => {
      if (proxyHeaders?.isDue(socket) === true) {
        return headerFirst(connections, socket, proxyHeaders, open)
      }
      connections.accept(socket)
      return socket.destroyed ? undefined : open(socket)
    }
  }, hasLightSockets)
}

/** Reads the header of a proxy, and leaves all that follows it to the reader that `open` gives. */
function headerFirst (
  connections: FastParts['connections'], light: AnySocket, headers: ProxyHeaders,
  open: (socket: Socket) => Reader
): Reader {
  const socket = light instanceof LightSocket ? light.toSocket() : light
  connections.accept(socket, false)
  let reader: Reader | undefined
  const receive = headers.expect(socket, rest => {
    connections.holdToQuota(socket)
    reader = open(socket)
    return rest.length === 0 || reader.read(rest, rest.length)
  })
  return {
    read: (buffer, length) => reader === undefined
      ? receive(buffer.subarray(0, length))
      : reader.read(buffer, length),
    end: () => { reader?.end() }
  }
}

/** What TLS has decrypted comes in buffers of its own. */
function acceptSecure (
  { server }: CheckedServer, open: (socket: Socket) => FastConnection
): boolean {
  server.removeAllListeners('secureConnection')
  server.on('secureConnection', (socket: Socket) => {
    const connection = open(socket)
    socket.on('end', () => { connection.end() })
    socket.on('data', (bytes: Buffer) => {
      if (!connection.read(bytes, bytes.length)) socket.pause()
    })
  })
  return true
}

/** Ends those that have been idle for too long, and makes the others light. */
function endIdle (
  { keepAliveMs = KEEP_ALIVE_MS, headKeptMs = HEAD_KEPT_MS }: FastDoorOptions,
  { connections }: CheckedServer, nowMs: number
): void {
  for (const { latest, socket, idleSinceMs } of connections.idle.until(nowMs - headKeptMs)) {
    if (!(latest instanceof FastConnection) || latest.isHandedOver) continue
    if (latest.hasAsked && nowMs - idleSinceMs >= keepAliveMs) socket.destroy()
    else latest.forgetHead()
  }
}

function refuseSilent (
  { socketTimeoutMs, allow, meter }: FastDoorOptions, { connections }: CheckedServer,
  silent: Set<FastConnection>, nowMs: number
): void {
  for (const fast of silent) {
    const { socket, connection } = fast
    const isLate = nowMs - connection.idleSinceMs >= socketTimeoutMs
    if (!isLate && !socket.destroyed) continue
    silent.delete(fast)
    if (socket.destroyed || connection.finalBytes !== undefined) continue
    meter?.answered(408)
    connections.refuse(socket, refusalBytes(408, allow, false))
  }
}
