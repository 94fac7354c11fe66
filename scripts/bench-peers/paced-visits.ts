/**
 * Visitors who ask for pages at a fixed rate, whether or not the answers to those before have come
 * (an open loop): a server that falls behind is asked as often, and all that wait are counted. Each
 * is asked for at its own moment: this thread looks all the time, for which it needs a core of its
 * own.
 */
import { connect, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { Random } from '../kit/random.ts'
import { PAGE_BYTES } from './ground.ts'
import { pageHead } from './heads.ts'

export interface Pace {
  /** Base URLs: each is asked once before one is asked again, in an order that always differs. */
  readonly urls: readonly string[]
  readonly perSecond: number
  /** For so long. */
  readonly ms: number
}

/** More than that are open only when nothing is answered for a second or so. */
const CONNECTIONS_MAX = 2_000
const TICK_MS = 1
const ANSWER_MS_MAX = 20_000
const SEED = 1
const HEAD_END = '\r\n\r\n'
/** All connections are read into it: a new buffer for each answer would delay the next ones. */
const READ = Buffer.alloc(65_536)

/** By URL, how long each answer took, in milliseconds, from the write of its request. */
export async function visitAtPace (
  { urls, perSecond, ms }: Pace
): Promise<ReadonlyArray<readonly number[]>> {
  const pools = urls.map(url => new Pool(Number(new URL(url).port)))
  const random = new Random(SEED)
  let order = pools
  try {
    const startMs = performance.now()
    for (let asked = 0; ;) {
      const elapsedMs = performance.now() - startMs
      if (elapsedMs >= ms) break
      for (; asked < elapsedMs * perSecond / 1000; asked++) {
        if (asked % order.length === 0) order = random.shuffled(pools)
        order[asked % order.length]!.ask()
      }
      // Nothing comes before the next one is asked for: no turn of the loop, and no garbage of it.
      const nextMs = startMs + asked * 1000 / perSecond
      if (!pools.some(pool => pool.isWaiting)) while (performance.now() < nextMs);
      await turn()
    }
    const endMs = performance.now() + ANSWER_MS_MAX
    while (pools.some(pool => pool.isWaiting)) {
      if (performance.now() > endMs) throw new Error('a page did not come')
      await wait(TICK_MS)
    }
    const failure = pools.map(pool => pool.failure).find(Boolean)
    if (failure !== undefined) throw failure
    return pools.map(({ latenciesMs }) => latenciesMs)
  } finally {
    for (const pool of pools) pool.close()
  }
}

/** The connections to one server, each of a visitor of its own. */
class Pool {
  readonly #port: number
  readonly #all: Socket[] = []
  readonly #idle: Array<() => void> = []
  readonly latenciesMs: number[] = []
  failure: Error | undefined

  constructor (port: number) {
    this.#port = port
  }

  get isWaiting (): boolean {
    return this.failure === undefined && this.#idle.length < this.#all.length
  }

  ask (): void {
    const ask = this.#idle.pop() ?? this.#open()
    ask()
  }

  close (): void {
    for (const socket of this.#all) socket.destroy()
  }

  /** @returns what asks for a page on a new connection */
  #open (): () => void {
    const number = this.#all.length
    if (number === CONNECTIONS_MAX) throw new Error('no pages come any more')
    const client = `${number.toString(16).padStart(8, '0')}-face-4000-8000-000000000000`
    const head = Buffer.from(pageHead(`127.0.0.1:${this.#port}`, '/index.html', { client }))
    let startMs = 0
    let bytes = 0
    let bytesMax = Infinity
    const ask = (): void => {
      startMs = performance.now()
      bytes = 0
      bytesMax = Infinity
      socket.write(head)
    }
    const read = (length: number, buffer: Uint8Array): boolean => {
      const head = bytes === 0 ? (buffer as Buffer).indexOf(HEAD_END) : 0
      if (bytes === 0) bytesMax = head + HEAD_END.length + PAGE_BYTES
      bytes += length
      if (bytes < bytesMax) return true
      this.latenciesMs.push(performance.now() - startMs)
      this.#idle.push(ask)
      return true
    }
    const socket = connect({
      port: this.#port, host: '127.0.0.1', noDelay: true, onread: { buffer: READ, callback: read }
    })
    this.#all.push(socket)
    socket.on('error', error => { this.failure ??= error })
    return ask
  }
}
