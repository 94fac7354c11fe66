/**
 * 3,000 new visitors who all come in the same moment, with the default delay: how even they were
 * spread, and how much later than the delay the slowest were answered, beside the time that the
 * same connections take at a plain node:net server that answers at once.
 */
import { connect } from 'node:net'
import { verdictOf, type BenchResult } from '../bench/report/report.ts'
import { median, quantile, spread } from '../measure/figures.ts'
import { pageHead } from './heads.ts'
import { PLAIN_NET } from './peers/node-servers.ts'
import { startUsher } from './peers/usher.ts'
import { withOne, type Stand } from './stand.ts'

const VISITORS = 3_000
const VISITORS_OF_TRIAL = 300
/** Three servers have them evenly, so both bursts together are what is even. */
const WARM_UP_SHARE = 0.3
const DELAY_MS = 350
const PLAIN_TIMES = 2
const LATE_SHARE = 0.99
const ROUNDS_MAX = 5
const ANSWER_MS_MAX = 30_000

interface Burst {
  /** Visitors whose connection broke; not one should. */
  readonly broken: number
  readonly p99Ms: number
  /** Until the last was answered. */
  readonly allMs: number
  /** Visitors by the host that they were sent to. */
  readonly counts: ReadonlyMap<string, number>
  /** The most visitors that one server has more than another. */
  readonly spread?: number
}

export async function benchBurst (stand: Stand, rounds: number): Promise<BenchResult> {
  const visitors = stand.isTrial ? VISITORS_OF_TRIAL : VISITORS
  const pairs: Array<readonly [plain: Burst, usher: Burst]> = []
  for (let round = 0; round < Math.min(rounds, ROUNDS_MAX); round++) {
    pairs.push([await burstAtPlain(stand, visitors), await burstAtUsher(stand, visitors)])
  }
  const plainMs = pairs.map(([plain]) => plain.allMs)
  const p99Ms = pairs.map(([, usher]) => usher.p99Ms)
  const overMs = pairs.map(([plain, usher]) => usher.p99Ms - DELAY_MS - PLAIN_TIMES * plain.allMs)
  const spreads = pairs.map(([, usher]) => usher.spread!)
  const broken = {
    plain: pairs.reduce((sum, [plain]) => sum + plain.broken, 0),
    usher: pairs.reduce((sum, [, usher]) => sum + usher.broken, 0)
  }
  return {
    tables: [{
      id: 'burst',
      title: `A burst of ${visitors.toLocaleString('en')} visitors`,
      columns: ['server', 'p99 ms', 'all answered, ms', 'spread over servers', 'broken'],
      rows: [
        ['Usher, delay 350 ms', spread(p99Ms, 0),
          spread(pairs.map(([, { allMs }]) => allMs), 0), spread(spreads, 0),
          String(broken.usher)],
        ['node:net, no delay', spread(pairs.map(([plain]) => plain.p99Ms), 0),
          spread(plainMs, 0), '', String(broken.plain)]
      ],
      notes: [
        `Each visitor is new and has a connection of their own; medians of ${pairs.length} rounds.`
      ],
      command: stand.commandOf('burst')
    }],
    plots: [],
    goals: [
      {
        case: 'Burst of 3,000 at once, spread',
        floor: '<= 1',
        goal: '<= 1',
        measured: String(Math.max(...spreads)),
        verdict: verdictOf(-Math.max(...spreads), { floor: -1, goal: -1 })
      },
      {
        case: 'Burst of 3,000 at once, p99',
        floor: '',
        goal: '<= 350 ms + 2 x plain node:net\'s time',
        measured: `${median(p99Ms).toFixed(0)} ms of ` +
          `${(DELAY_MS + PLAIN_TIMES * median(plainMs)).toFixed(0)} ms`,
        verdict: verdictOf(-median(overMs), { floor: 0, goal: 0 })
      }
    ]
  }
}

async function burstAtPlain (stand: Stand, visitors: number): Promise<Burst> {
  return await withOne(PLAIN_NET, stand, async ({ urls }) => {
    await burst(urls.redirect!, visitors) // Warm-up.
    return await burst(urls.redirect!, visitors)
  })
}

/** Afresh each time: places of another burst would still be held. */
async function burstAtUsher (
  { ground, cores, program }: Stand, visitors: number
): Promise<Burst> {
  const settings = { DELAY_BETWEEN_ROUTING: String(DELAY_MS / 1000) }
  const usher = await startUsher(ground, cores.server, { program, settings })
  try {
    const first = await burst(usher.program.routerUrl, visitors * WARM_UP_SHARE)
    const all = await burst(usher.program.routerUrl, visitors)
    // The first ones' places are still held.
    const totals = [...all.counts].map(([to, count]) => count + (first.counts.get(to) ?? 0))
    return { ...all, spread: Math.max(...totals) - Math.min(...totals) }
  } finally {
    await usher.stop()
  }
}

async function burst (url: string, visitors: number): Promise<Burst> {
  const { port, pathname } = new URL(url)
  const startMs = performance.now()
  const visits = await Promise.allSettled(Array.from({ length: visitors }, () => (
    redirectOf(Number(port), pathname)
  )))
  const answers = visits.flatMap(visit => visit.status === 'fulfilled' ? [visit.value] : [])
  const broken = visitors - answers.length
  const allMs = performance.now() - startMs
  const counts = new Map<string, number>()
  for (const { to } of answers) counts.set(to, (counts.get(to) ?? 0) + 1)
  return { p99Ms: quantile(answers.map(({ ms }) => ms), LATE_SHARE), allMs, counts, broken }
}

/** How long it took from the first byte of the connection on, and the host that it leads to. */
function redirectOf (port: number, path: string): Promise<{ ms: number, to: string }> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const socket = connect({ port, host: '127.0.0.1' })
    socket.setTimeout(ANSWER_MS_MAX, () => { reject(new Error('a visitor was not answered')) })
    socket.write(pageHead(`127.0.0.1:${port}`, path, { isLast: true }))
    socket.once('data', (head: Buffer) => {
      const [, to] = /^Location: http:\/\/([^/\r]+)/mi.exec(head.toString('latin1')) ?? []
      if (to === undefined) reject(new Error(`no redirect: ${head.toString('latin1').slice(0, 80)}`))
      else resolve({ ms: performance.now() - startMs, to })
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
