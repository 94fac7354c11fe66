/**
 * Feeds requests to programs, many side by side, batch after batch; after each batch the programs
 * must still answer. Measures them now and then.
 */
import { sendInput } from './send-input.ts'
import type { Measured } from './growth.ts'
import { targetOf, type Finding, type RequestInput } from './inputs.ts'
import { wrongsOf } from './judge.ts'
import type { Subject } from './subject.ts'

export interface RequestCampaign {
  readonly direct: Subject
  readonly proxied: Subject
  readonly onFinding: (finding: Finding) => void
  readonly hangMs?: number
}

const CONNECTIONS = 48
const MEASURE_MS = 3000
/** What was cut off may still be carried out: a second look comes so much later. */
const SETTLE_MS = 1000

export class RequestRun {
  readonly counts = new Map<string, number>()
  /** Of the direct program, between batches. */
  readonly measured: Measured[] = []
  readonly #campaign: RequestCampaign
  #isBroken = false

  constructor (campaign: RequestCampaign) {
    this.#campaign = campaign
  }

  /** False when a program is not what it was: nothing more can be learnt from it. */
  get isUsable (): boolean {
    return !this.#isBroken
  }

  /** All of them, and then that everything still works. */
  async batch (inputs: readonly RequestInput[]): Promise<void> {
    const left = inputs.values()
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
      for (const input of left) await this.#try(input)
    }))
    await this.#check(inputs)
    await this.measure(MEASURE_MS)
  }

  /** @param pauseMs not again within this time */
  async measure (pauseMs = 0): Promise<void> {
    const atMs = performance.now()
    if (this.#isBroken || atMs - (this.measured.at(-1)?.atMs ?? -Infinity) < pauseMs) return
    const figures = await this.#campaign.direct.figures()
    if (figures !== undefined) this.measured.push({ atMs, ...figures })
  }

  async #try (input: RequestInput): Promise<void> {
    const { direct, proxied, hangMs, onFinding } = this.#campaign
    const subject = input.isProxied === true ? proxied : direct
    const target = targetOf(input)
    this.counts.set(target, (this.counts.get(target) ?? 0) + 1)
    const fill = (wire: string): string => subject.fill(input, wire)
    const outcome = await sendInput(input, subject.portOf(input), fill, hangMs)
    for (const wrong of wrongsOf(input, outcome, subject.secrets)) {
      onFinding({ wrong, inputs: [input] })
    }
  }

  async #check (inputs: readonly RequestInput[]): Promise<void> {
    const { direct, proxied, onFinding } = this.#campaign
    for (const [subject, takesProxied] of [[direct, false], [proxied, true]] as const) {
      const tried = inputs.filter(({ isProxied = false }) => isProxied === takesProxied)
      if (tried.length === 0) continue
      for (const wrong of await checkTwice(subject)) {
        this.#isBroken = true
        onFinding({ wrong, inputs: tried })
      }
      for (const wrong of subject.complaints()) onFinding({ wrong, inputs: tried })
    }
  }
}

async function checkTwice (subject: Subject): Promise<readonly string[]> {
  if ((await subject.check()).length === 0) return []
  await new Promise(resolve => setTimeout(resolve, SETTLE_MS))
  return await subject.check()
}
