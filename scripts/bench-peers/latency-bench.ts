/**
 * How long an answer takes that one of 64 connections waits for, each of which asks again at once.
 * With one thread of wrk: of several on one core, all but the one that is being answered wait for
 * their turn, up to 30 ms, and the longer the faster the server is.
 */
import { verdictOf, type BenchResult, type GoalRow } from '../bench/report/report.ts'
import { median, spread } from '../measure/figures.ts'
import { inRounds, ratios, type Sample, type Side } from './rounds.ts'
import { withRunning, type Stand } from './stand.ts'
import { CONNECTIONS, runWrk, type Load, type LoadResult } from './wrk.ts'

type Samples = ReadonlyMap<string, ReadonlyArray<Sample<LoadResult>>>

const US = 'Usher'
const ID = 'latency'
const GOAL = { peer: 'haproxy', floor: 3, goal: 1.5 }
const WARM_UP_SECONDS = 1

export async function benchLatency (stand: Stand, rounds: number): Promise<BenchResult> {
  const peers = stand.peers.filter(({ services }) => services.includes('page'))
  return await withRunning(peers, stand, async running => {
    const sides: Array<Side<LoadResult>> = []
    for (const [{ name }, { pid, urls }] of running) {
      const load: Load = {
        url: urls.page!,
        shape: 'same',
        service: 'page',
        isClosing: false,
        seconds: stand.seconds,
        threads: 1
      }
      if (!stand.isTrial) await runWrk(stand.wrk, { ...load, seconds: WARM_UP_SECONDS })
      sides.push({ name, pid, measure: () => runWrk(stand.wrk, load) })
    }
    return latencyResult(await inRounds(sides, rounds, stand), stand)
  })
}

export function latencyResult (
  samples: Samples, { seconds, commandOf }: Pick<Stand, 'seconds' | 'commandOf'>
): BenchResult {
  const rounds = [...samples.values()][0]?.length ?? 0
  return {
    tables: [{
      id: ID,
      title: `4 KB page, keep-alive: how long ${CONNECTIONS} connections wait for it`,
      columns: ['server', 'p50 ms', 'p99 ms', 'p99, Usher to it'],
      rows: [...samples].map(([name, all]) => [
        name,
        spread(all.map(({ value }) => value.p50Ms), 2),
        spread(p99sOf(all), 2),
        name === US || !samples.has(US) ? '' : spread(ratios(p99sOf(samples.get(US)!), p99sOf(all)), 2)
      ]),
      notes: [
        'All connections ask again as soon as they are answered, so that each waits for the others; ' +
        `one thread of wrk. Medians of ${rounds} rounds of ${seconds} s.`
      ],
      command: commandOf(ID)
    }],
    plots: [],
    goals: goalRows(samples)
  }
}

function goalRows (samples: Samples): GoalRow[] {
  const { peer, floor, goal } = GOAL
  const [ours, theirs] = [samples.get(US), samples.get(peer)]
  if (ours === undefined || theirs === undefined) return []
  const measured = ratios(p99sOf(ours), p99sOf(theirs))
  return [{
    case: `p99 at ${CONNECTIONS} connections, page`,
    floor: `${floor} x ${peer}'s`,
    goal: `${goal} x`,
    measured: `${spread(measured, 2)} x`,
    verdict: verdictOf(median(measured), GOAL)
  }]
}

function p99sOf (all: ReadonlyArray<Sample<LoadResult>>): number[] {
  return all.map(({ value }) => value.p99Ms)
}
