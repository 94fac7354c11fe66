/** What the fuzzer tries: a program, or whatever a test puts in its place. */
import type { ProcessFigures } from '../measure/process-figures.ts'
import type { RequestInput } from './inputs.ts'
import type { Secrets } from './judge.ts'

export interface Subject {
  readonly secrets: Secrets
  portOf (input: RequestInput): number
  /** Puts the session and the ports in place of their marks. */
  fill (input: RequestInput, wire: string): string
  /** What has gone wrong by itself since the last call: its end, lines of its log. */
  complaints (): readonly string[]
  /** Takes back what inputs have changed, then asks for what must always be answered. */
  check (): Promise<readonly string[]>
  /** Undefined where there is nothing to measure. */
  figures (): Promise<ProcessFigures | undefined>
}
