/**
 * Measurements in rounds: each side in turn, A B C A B C, so that whatever changes on the machine
 * changes for all; and ratios of what was measured in the same round.
 */
import { foreignShare, readCoreClock, cpuSeconds } from './cpu-time.ts'
import type { Cores } from './cores.ts'

export interface Side<T> {
  readonly name: string
  readonly pid: number
  readonly measure: () => Promise<T>
}

export interface Sample<T> {
  readonly value: T
  /** Of processor time that the server took meanwhile. */
  readonly serverSeconds: number
  readonly wallSeconds: number
  /** Of both cores' time, what others took. */
  readonly foreignShare: number
}

/** Of the two cores' time; with more, a measurement is disturbed and made again. */
const FOREIGN_SHARE_MAX = 0.05
/** After so many the least disturbed one counts, so that a busy machine ends, too. */
const TRIES_MAX = 3

/** A list for each side, by its name, with a sample of every round. */
export async function inRounds<T> (
  sides: ReadonlyArray<Side<T>>, rounds: number,
  { cores, isTrial }: { readonly cores: Cores, readonly isTrial: boolean }
): Promise<ReadonlyMap<string, ReadonlyArray<Sample<T>>>> {
  const samples = new Map<string, Array<Sample<T>>>(sides.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      samples.get(side.name)!.push(await undisturbed(side, cores, isTrial ? 1 : TRIES_MAX))
    }
  }
  return samples
}

async function undisturbed<T> (
  side: Side<T>, cores: Cores, triesMax: number
): Promise<Sample<T>> {
  let best = await sampleOf(side, cores)
  for (let tries = 1; tries < triesMax && isDisturbed(best); tries++) {
    const next = await sampleOf(side, cores)
    if (next.foreignShare < best.foreignShare) best = next
  }
  return best
}

async function sampleOf<T> ({ pid, measure }: Side<T>, cores: Cores): Promise<Sample<T>> {
  const [before, cpuBefore] = [readCoreClock(cores), cpuSeconds(pid)]
  const value = await measure()
  const [after, serverSeconds] = [readCoreClock(cores), cpuSeconds(pid) - cpuBefore]
  return {
    value,
    serverSeconds,
    wallSeconds: (after.wallMs - before.wallMs) / 1000,
    foreignShare: foreignShare(before, after, serverSeconds)
  }
}

export function isDisturbed ({ foreignShare }: Pick<Sample<unknown>, 'foreignShare'>): boolean {
  return foreignShare > FOREIGN_SHARE_MAX
}

/** Round by round. */
export function ratios (ours: readonly number[], others: readonly number[]): readonly number[] {
  return ours.map((value, round) => value / others[round]!)
}
