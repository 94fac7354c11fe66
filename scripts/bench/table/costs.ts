/** What operations cost, by name. */
import { quantile } from '../../measure/figures.ts'

/** Processor nanoseconds of one time; the first measurement of each name is its warm-up. */
export class Costs {
  readonly #samples = new Map<string, number[]>()

  add (name: string, times: number, operation: (index: number) => void): void {
    const start = process.cpuUsage()
    for (let index = 0; index < times; index++) operation(index)
    const { user, system } = process.cpuUsage(start)
    const samples = this.#samples.get(name) ?? []
    this.#samples.set(name, [...samples, (user + system) * 1000 / times])
  }

  of (name: string): number {
    return quantile(this.#samples.get(name)!.slice(1), 0.5)
  }
}
