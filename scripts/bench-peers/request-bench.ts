/**
 * Requests for each second of the server's processor time: Usher and its peers in turn, under the
 * load of wrk on the other core. All of them are up meanwhile; only one is asked at a time.
 */
import { verdictOf, type BenchResult, type GoalRow, type ReportTable } from '../bench/report/report.ts'
import { median, spread } from '../measure/figures.ts'
import type { Case, RatioGoal } from './cases.ts'
import { HANDLES_ONLY } from './peers/node-servers.ts'
import { inRounds, isDisturbed, ratios, type Sample, type Side } from './rounds.ts'
import { withRunning, type Stand } from './stand.ts'
import { runWrk, type LoadResult } from './wrk.ts'

type Samples = ReadonlyMap<string, ReadonlyArray<Sample<LoadResult>>>

const US = 'Usher'
/** Nothing that is built on Node is faster. */
const NODE_LIMIT = HANDLES_ONLY.name
const WARM_UP_SECONDS = 1

export async function benchRequests (
  benchCase: Case, stand: Stand, rounds: number
): Promise<BenchResult> {
  const names = benchCase.peers
  const peers = stand.peers.filter(({ name, services }) => (
    services.includes(benchCase.service) && (names === undefined || names.includes(name))
  ))
  return await withRunning(peers, stand, async running => {
    const sides: Array<Side<LoadResult>> = []
    for (const [peer, { pid, urls }] of running) {
      const load = { ...benchCase.load, url: urls[benchCase.service]!, seconds: stand.seconds }
      // Only who is there may beat.
      if (load.service === 'beat') await runWrk(stand.wrk, { ...load, service: 'page', seconds: 1 })
      if (!stand.isTrial) await runWrk(stand.wrk, { ...load, seconds: WARM_UP_SECONDS })
      sides.push({ name: peer.name, pid, measure: () => runWrk(stand.wrk, load) })
    }
    return resultOf(benchCase, await inRounds(sides, rounds, stand), stand)
  })
}

export function resultOf (
  benchCase: Case, samples: Samples, { seconds, commandOf }: Pick<Stand, 'seconds' | 'commandOf'>
): BenchResult {
  const rounds = [...samples.values()][0]?.length ?? 0
  const disturbed = [...samples.values()].flat().filter(isDisturbed).length
  const table: ReportTable = {
    id: benchCase.id,
    title: benchCase.title,
    columns: [
      'server', 'requests per CPU second', 'Usher to it', 'share of what Node can do', 'CPU busy'
    ],
    rows: [...samples].map(([name, all]) => rowOf(name, all, samples)),
    notes: [
      `Medians of ${rounds} rounds of ${seconds} s; ratios round by round, with the lowest and the ` +
      `highest. ${disturbed} of ${rounds * samples.size} measurements were disturbed to the last.`,
      ...(samples.has(NODE_LIMIT) ? [`What Node can do is ${NODE_LIMIT}: no request is read.`] : [])
    ],
    command: commandOf(benchCase.id)
  }
  const goals = benchCase.goals.flatMap(goal => goalRows(benchCase.title, goal, samples))
  const bars = [...samples].map(([name, all]) => ({ name, value: median(all.map(perCpuSecond)) }))
  return {
    tables: [table],
    plots: [],
    bars: [{ id: benchCase.id, title: benchCase.title, unit: 'requests per CPU second', bars }],
    goals
  }
}

function rowOf (
  name: string, all: ReadonlyArray<Sample<LoadResult>>, samples: Samples
): readonly string[] {
  const [ours, limit] = [samples.get(US), samples.get(NODE_LIMIT)]
  const toIt = ours === undefined || name === US
    ? ''
    : spread(ratios(ours.map(perCpuSecond), all.map(perCpuSecond)), 2)
  const share = limit === undefined
    ? ''
    : median(ratios(all.map(perCpuSecond), limit.map(perCpuSecond))).toFixed(2)
  const busy = median(all.map(({ serverSeconds, wallSeconds }) => serverSeconds / wallSeconds))
  return [
    name,
    Math.round(median(all.map(perCpuSecond))).toLocaleString('en'),
    toIt,
    share,
    `${Math.round(busy * 100)} %`
  ]
}

function goalRows (
  title: string, { peer, by, floor, goal, beside }: RatioGoal, samples: Samples
): GoalRow[] {
  const measured = ratiosTo(peer, samples)
  if (measured === undefined) return []
  const others = beside && ratiosTo(beside.peer, samples)
  return [{
    case: title,
    floor: `${floor} x ${by}`,
    goal: `${goal} x`,
    measured: `${spread(measured, 2)} x` +
      (others === undefined ? '' : `; ${beside!.how} ${spread(others, 2)} x`),
    verdict: verdictOf(median(measured), { floor, goal })
  }]
}

/** Undefined when one of them is not there. */
function ratiosTo (peer: string, samples: Samples): readonly number[] | undefined {
  const [ours, theirs] = [samples.get(US), samples.get(peer)]
  if (ours === undefined || theirs === undefined) return undefined
  return ratios(ours.map(perCpuSecond), theirs.map(perCpuSecond))
}

function perCpuSecond ({ value, serverSeconds }: Sample<LoadResult>): number {
  return value.requests / serverSeconds
}
