/**
 * Visitors who wait in the router's delay, 10,000 and 50,000 of them at once: what memory each
 * takes, and how much later than the delay each is answered. Whole visits by HTTP, each on a
 * connection of its own, from 20 loopback addresses, since one has too few ports.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { BenchResult, PlotSeries } from '../bench/report/report.ts'
import { quantile } from '../measure/figures.ts'
import { residentBytes } from './cpu-time.ts'
import { pageHead } from './heads.ts'
import { startUsher } from './peers/usher.ts'
import type { Stand } from './stand.ts'

/** So many, and the delay in which all of them have come before the first is answered. */
const CROWDS = [
  { visitors: 10_000, delayMs: 20_000 },
  { visitors: 50_000, delayMs: 30_000 }
] as const
const CROWDS_OF_TRIAL = [{ visitors: 200, delayMs: 2_000 }]
/** Looks at the memory while a crowd comes. */
const LOOKS = 10
const AT_ONCE = 100
const ADDRESSES = 20
const LATE_MS_MAX = 60_000
/** Of the program and of the benchmark, besides a connection for each visitor. */
const OTHER_DESCRIPTORS = 2_000
const [MIB, KIB] = [1 << 20, 1 << 10]

interface Waiting {
  readonly visitors: number
  readonly delayMs: number
  readonly kibEach: number
  /** How much more memory than at first, while they came. */
  readonly growth: ReadonlyArray<readonly [visitors: number, bytes: number]>
  /** Of each visitor, after the delay; below zero for one who was answered too early. */
  readonly latenessMs: readonly number[]
}

export async function benchWaiting (stand: Stand): Promise<BenchResult> {
  const visitorsMax = openFilesMax() - OTHER_DESCRIPTORS
  const crowds: Waiting[] = []
  for (const { visitors, delayMs } of stand.isTrial ? CROWDS_OF_TRIAL : CROWDS) {
    crowds.push(await letWait(stand, Math.min(visitors, visitorsMax), delayMs))
  }
  const count = (value: number): string => value.toLocaleString('en')
  const title = (visitors: number): string => `${count(visitors)} visitors`
  return {
    tables: [{
      id: 'wait',
      title: 'Visitors who wait in the delay',
      columns: [
        'at once', 'KiB each', 'late, p50 ms', 'late, p99 ms', 'latest, ms', 'answered too early'
      ],
      rows: crowds.map(({ visitors, kibEach, latenessMs }) => [
        count(visitors),
        kibEach.toFixed(1),
        quantile(latenessMs, 0.5).toFixed(1),
        quantile(latenessMs, 0.99).toFixed(1),
        Math.max(...latenessMs).toFixed(1),
        String(latenessMs.filter(ms => ms < 0).length)
      ]),
      notes: [
        'New visitors by HTTP, on a connection each; all have asked before the first is answered: ' +
        `after ${crowds.map(({ delayMs }) => `${delayMs / 1000} s`).join(' and ')}. Late is what ` +
        'passes from the request to the reply beyond the delay. Memory is the growth of the whole ' +
        'program, started afresh, with a place in the user table for each; what the kernel keeps ' +
        'for a socket is not in it.',
        ...(visitorsMax < CROWDS.at(-1)!.visitors
          ? [`No more fit into the ${count(openFilesMax())} open files of a process here (ulimit -Hn).`]
          : [])
      ],
      command: stand.commandOf('wait')
    }],
    plots: [
      {
        id: 'wait-memory',
        title: 'Memory that waiting visitors take',
        xLabel: 'visitors who wait',
        yLabel: 'MiB more than without',
        isLogX: false,
        isLogY: false,
        series: crowds.map(({ visitors, growth }): PlotSeries => ({
          name: title(visitors), points: growth.map(([each, bytes]) => [each, bytes / MIB])
        }))
      },
      {
        id: 'wait-lateness',
        title: 'How late waiting visitors are answered',
        xLabel: 'per cent of visitors',
        yLabel: 'ms beyond the delay, at most',
        isLogX: false,
        isLogY: false,
        series: crowds.map(({ visitors, latenessMs }): PlotSeries => ({
          name: title(visitors),
          points: Array.from({ length: 100 }, (_, per) => [per, quantile(latenessMs, per / 100)])
        }))
      }
    ],
    goals: []
  }
}

async function letWait (
  { ground, cores, program: path }: Stand, visitors: number, delayMs: number
): Promise<Waiting> {
  const { program, pid, stop } = await startUsher(ground, cores.server, {
    program: path,
    settings: {
      DELAY_BETWEEN_ROUTING: String(delayMs / 1000),
      // Nobody is to be ended for somebody else's sake.
      MAX_CONNECTIONS: String(visitors * 2)
    }
  })
  const crowd = new Crowd(program.routingPort)
  try {
    const before = residentBytes(pid)
    const growth: Array<readonly [number, number]> = [[0, 0]]
    for (let look = 1; look <= LOOKS; look++) {
      await crowd.growTo(Math.floor(visitors * look / LOOKS))
      growth.push([crowd.size, residentBytes(pid) - before])
    }
    if (crowd.answerMs.length > 0) {
      throw new Error(`${visitors} visitors did not come within ${delayMs} ms`)
    }
    await crowd.answered(delayMs + LATE_MS_MAX)
    return {
      visitors,
      delayMs,
      kibEach: growth.at(-1)![1] / visitors / KIB,
      growth,
      latenessMs: crowd.answerMs.map(ms => ms - delayMs)
    }
  } finally {
    crowd.close()
    await stop()
  }
}

/** Visitors of the router. */
class Crowd {
  readonly #port: number
  readonly #sockets: Socket[] = []
  #failure: Error | undefined
  #onChange = (): void => {}
  /** How long each has waited who was answered. */
  readonly answerMs: number[] = []

  constructor (port: number) {
    this.#port = port
  }

  get size (): number {
    return this.#sockets.length
  }

  /** Resolves when all of them have asked. */
  async growTo (size: number): Promise<void> {
    while (this.size < size) {
      const batch = Array.from({ length: Math.min(AT_ONCE, size - this.size) }, () => this.#come())
      await Promise.all(batch)
    }
  }

  /** Resolves when all were answered. */
  async answered (withinMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.size - this.answerMs.length} visitors were not answered`))
      }, withinMs)
      this.#onChange = () => {
        if (this.#failure === undefined && this.answerMs.length < this.size) return
        clearTimeout(timer)
        if (this.#failure === undefined) resolve()
        else reject(this.#failure)
      }
      this.#onChange()
    })
  }

  close (): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #come (): Promise<void> {
    const localAddress = `127.0.0.${2 + this.size % ADDRESSES}`
    const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress })
    this.#sockets.push(socket)
    socket.on('error', error => { this.#fail(error) })
    await once(socket, 'connect')
    const askedMs = performance.now()
    socket.write(pageHead(`127.0.0.1:${this.#port}`, '/', { isLast: true }))
    socket.once('data', (head: Buffer) => {
      this.answerMs.push(performance.now() - askedMs)
      const status = head.toString('latin1', 0, 12)
      if (status !== 'HTTP/1.1 302') this.#fail(new Error(`a visitor was answered ${status}`))
      socket.destroy()
      this.#onChange()
    })
  }

  #fail (error: Error): void {
    this.#failure ??= error
    this.#onChange()
  }
}

/** Node itself raises its limit to this one when it starts. */
function openFilesMax (): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const [, hard = ''] = /^Max open files\s+\d+\s+(\d+)/m.exec(limits) ?? []
  return Number(hard)
}
