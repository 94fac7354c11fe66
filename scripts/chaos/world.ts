/** What everybody in a run has in common: the program, the model of it, and whom to tell. */
import type { Random } from '../kit/random.ts'
import type { Apps } from './apps.ts'
import type { Ledger } from './ledger.ts'
import type { ChaosProgram } from './program.ts'
import type { Web } from './web.ts'

/** A ticket that was taken. */
export interface UsedTicket {
  readonly ticket: string
  readonly port: number
}

export interface World {
  readonly program: ChaosProgram
  readonly web: Web
  readonly ledger: Ledger
  readonly random: Random
  readonly apps: Apps
  /** The latest. */
  readonly usedTickets: UsedTicket[]
  /** The names of all keys that have signed tickets. */
  readonly kids: Set<string>
  /** Something that must not be, as a sentence. */
  readonly complain: (what: string) => void
  /** Servers that need visitors at the moment, because they are to die of one. */
  readonly wanted: ReadonlySet<number>
}
