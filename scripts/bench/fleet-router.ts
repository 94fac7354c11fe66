/**
 * How long a visitor waits for a router's redirect, with the routing delay that everybody has: of a
 * program alone and of a node in a fleet of three, in turn. All of them share one core with their
 * engine, the load has the other.
 */
import { EngineProcess } from '../../packages/shared/test/fleet/engine-process.ts'
import { chooseCores } from '../bench-peers/cores.ts'
import { makeGround } from '../bench-peers/ground.ts'
import { startUsher } from '../bench-peers/peers/usher.ts'
import { runWrk } from '../bench-peers/wrk.ts'
import { spread } from '../measure/figures.ts'

const ROUNDS = 7
const ROUND_S = 4
const NODES = 3
const DELAY_MS = 350
const RATIO_MAX = 1.2
const SECRET = 'a-secret-of-all-nodes'.padEnd(32, '-')

type Started = Awaited<ReturnType<typeof startUsher>>

export async function benchFleetRouter (): Promise<void> {
  const cores = chooseCores()
  const ground = makeGround()
  const engine = new EngineProcess(engineOption())
  const started: Started[] = []
  const start = async (settings: Record<string, string>): Promise<Started> => {
    const all = { DELAY_BETWEEN_ROUTING: String(DELAY_MS / 1000), ...settings }
    const program = await startUsher(ground, cores.server, { settings: all })
    started.push(program)
    return program
  }
  try {
    await engine.start()
    const alone = await start({})
    const nodes: Started[] = []
    for (let number = 1; number <= NODES; number++) {
      nodes.push(await start({
        CLUSTER_URL: engine.url, CLUSTER_SECRET: SECRET, NODE_NAME: `node-${number}`
      }))
    }
    await measure(alone, nodes[0]!)
  } finally {
    for (const { stop } of started) await stop()
    await engine.close()
    ground.clear()
  }
}

/** Another engine than that of this machine. */
export function engineOption (): { readonly program?: string } {
  const program = process.env['USHER_BENCH_ENGINE']
  return program === undefined ? {} : { program }
}

async function measure (alone: Started, node: Started): Promise<void> {
  await p99Ms(alone) // Warm-up, and the fleet is whole.
  await p99Ms(node)
  const pairs: Array<readonly [alone: number, inFleet: number]> = []
  for (let round = 0; round < ROUNDS; round++) pairs.push([await p99Ms(alone), await p99Ms(node)])
  const ratios = pairs.map(([one, other]) => other / one)
  const verdict = spread(ratios, 2)
  const isReached = ratios.toSorted((a, b) => a - b)[ROUNDS >> 1]! <= RATIO_MAX
  process.stdout.write(
    `p99 of a redirect, the delay of ${DELAY_MS} ms included: ` +
    `alone ${spread(pairs.map(([one]) => one), 1)} ms, ` +
    `in a fleet ${spread(pairs.map(([, other]) => other), 1)} ms\n` +
    `pair by pair: ${verdict} times, ${isReached ? 'floor' : 'missed'} of <= ${RATIO_MAX} times\n`)
}

async function p99Ms ({ program }: Started): Promise<number> {
  const { p99Ms } = await runWrk('wrk', {
    url: program.routerUrl, shape: 'differ', service: 'away', isClosing: false, seconds: ROUND_S
  })
  return p99Ms
}
