/**
 * Greedy and slow clients, for tests and the benchmark, in a thread of their own: each keeps at it,
 * bounded in connections, until it is stopped. Loopback only. They do not judge the answers.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

export interface Target {
  readonly port: number
  /** Where the attacker is, as the server sees it; a loopback address. */
  readonly from: string
  /** Connections at a time. */
  readonly connections: number
  /** What it asks for. */
  readonly path?: string
}

export interface Attack {
  /** Ends the attack; resolves with the megabytes that it has sent. */
  stop (): Promise<number>
}

export type AttackName = keyof typeof CONDUCTS

/** What one connection does, from its opening to its end. */
type Conduct = (socket: Socket, path: string) => void

interface Order {
  readonly kind: 'attack'
  readonly name: AttackName
  readonly targets: readonly Target[]
}

/**
 * A connection that the server ended is opened again after a pause, so that the loop does not spin.
 */
const REOPEN_MS = 250
const TRICKLE_MS = 200
const LINES = `X-Filler: ${'a'.repeat(1000)}\r\n`.repeat(8)
const PIPELINED = 50

const CONDUCTS = {
  'slow heads' (socket, path) {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nX: `)
    trickle(socket)
  },
  'slow bodies' (socket) {
    socket.write('POST /leave HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n')
    trickle(socket)
  },
  'slow readers' (socket, path) {
    socket.pause()
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(PIPELINED))
  },
  'idle connections' () {},
  'tiny chunks' (socket) {
    socket.write('POST /leave HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
    writeOn(socket, '1\r\na\r\n'.repeat(500))
  },
  'huge heads' (socket) {
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
    writeOn(socket, LINES)
  },
  'pipelines without end' (socket) {
    writeOn(socket, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(PIPELINED))
  },
  'new ids' (socket) {
    const ask = (): void => { socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n') }
    socket.on('data', ask)
    ask()
  }
} as const satisfies Readonly<Record<string, Conduct>>

export const ATTACKS = Object.keys(CONDUCTS) as AttackName[]

if (!isMainThread && (workerData as Partial<Order> | null)?.kind === 'attack') {
  await keepAtIt(workerData as Order)
}

/** Resolves when as many connections have been opened to each target as there are to be. */
export async function attack (name: AttackName, targets: readonly Target[]): Promise<Attack> {
  const order: Order = { kind: 'attack', name, targets }
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: order })
  const exited = once(worker, 'exit')
  await once(worker, 'message')
  let megabytes: number | undefined
  return {
    async stop () {
      if (megabytes !== undefined) return megabytes
      const told = once(worker, 'message') as Promise<[number]>
      worker.postMessage('stop')
      ;[megabytes] = await told
      await exited
      return megabytes
    }
  }
}

async function keepAtIt ({ name, targets }: Order): Promise<void> {
  const sockets = new Set<Socket>()
  const over = new AbortController()
  const parts = { sockets, over: over.signal, conduct: CONDUCTS[name] }
  const attackers = targets.flatMap(target => (
    Array.from({ length: target.connections }, () => attacker(target, parts))
  ))
  await Promise.all(attackers.map(({ connected }) => connected))
  parentPort!.postMessage('there')
  await once(parentPort!, 'message')
  over.abort()
  for (const socket of sockets) socket.destroy()
  const sent = await Promise.all(attackers.map(({ ended }) => ended))
  parentPort!.postMessage(sent.reduce((sum, bytes) => sum + bytes, 0) / (1 << 20))
  parentPort!.close()
}

interface AttackerParts {
  readonly conduct: Conduct
  readonly over: AbortSignal
  /** The open connections; the end of the attack ends them. */
  readonly sockets: Set<Socket>
}

/** One client that comes again and again; `ended` resolves with the bytes that it has sent. */
function attacker (target: Target, { conduct, over, sockets }: AttackerParts) {
  const { port, from: localAddress, path = '/' } = target
  let onConnected = (): void => {}
  const connected = new Promise<void>(resolve => { onConnected = resolve })
  async function comeAgain (): Promise<number> {
    let bytes = 0
    while (!over.aborted) {
      const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
      sockets.add(socket)
      socket.on('error', () => {}) // A refusal is expected.
      socket.on('connect', () => {
        onConnected()
        socket.resume()
        conduct(socket, path)
      })
      await new Promise(resolve => { socket.once('close', resolve) })
      sockets.delete(socket)
      bytes += socket.bytesWritten
      await wait(REOPEN_MS)
    }
    return bytes
  }
  return { connected, ended: comeAgain() }
}

function trickle (socket: Socket): void {
  const timer = setInterval(() => socket.write('a'), TRICKLE_MS)
  socket.once('close', () => { clearInterval(timer) })
}

/** As fast as the other side takes it, one write in a turn of the loop. */
function writeOn (socket: Socket, bytes: string): void {
  const write = (): void => {
    if (!socket.writable) return
    if (socket.write(bytes)) setImmediate(write)
    else socket.once('drain', write)
  }
  write()
}
