/**
 * Visitors who wait for the engine's choice: one call is under way at a time, and whoever comes
 * meanwhile makes the next batch. No visitor waits for long: when the engine is slow they are let
 * go, to be placed on this node's own servers. Main thread.
 */
import type { Client } from '@usher/shared/client.ts'
import type { FleetIndex, FleetVisitor } from '@usher/shared/fleet/packed-texts.ts'
import { limitPeer } from '@usher/shared/peer-limit.ts'

/** A visitor's answer, or that there was none in time. */
export type Choice = FleetIndex | 'local'

export interface PlaceBatchesParts {
  /** Undefined where the engine places nobody now: all are let go. Rejects where it is away. */
  readonly choose: (visitors: readonly FleetVisitor[]) => Promise<readonly FleetIndex[] | undefined>
  /** The engine has not answered for so long. */
  readonly onSlow: () => void
  /** The choice came after the visitor was let go; undefined: whether there is one is unknown. */
  readonly onTooLate: (client: Client, index: FleetIndex | undefined) => void
  readonly patienceMs: () => number
}

interface Waiting extends FleetVisitor {
  readonly settle: (choice: Choice) => void
  isSettled: boolean
}

const BATCH_MAX = 512

export class PlaceBatches {
  readonly #parts: PlaceBatchesParts
  #queue: Waiting[] = []
  #underWay: readonly Waiting[] = []
  #isOpen = false

  constructor (parts: PlaceBatchesParts) {
    this.#parts = parts
  }

  /** Never rejects. */
  place (visitor: FleetVisitor): Promise<Choice> {
    return new Promise(resolve => {
      const waiting: Waiting = {
        ...visitor,
        isSettled: false,
        settle (choice) {
          waiting.isSettled = true
          resolve(choice)
        }
      }
      this.#queue.push(waiting)
      this.#flush()
    })
  }

  /** The engine places visitors from now on. */
  open (): void {
    this.#isOpen = true
    this.#flush()
  }

  /** Whoever comes waits. */
  hold (): void {
    this.#isOpen = false
  }

  /** Lets go of all who wait. */
  letGo (): void {
    this.#isOpen = false
    for (const visitor of [...this.#underWay, ...this.#queue.splice(0)]) {
      if (!visitor.isSettled) visitor.settle('local')
    }
  }

  #flush (): void {
    if (!this.#isOpen || this.#underWay.length > 0 || this.#queue.length === 0) return
    this.#underWay = this.#queue.splice(0, BATCH_MAX)
    void this.#choose(this.#underWay)
  }

  async #choose (batch: readonly Waiting[]): Promise<void> {
    const endPatience = this.#bePatient(batch)
    let indexes: readonly FleetIndex[] | undefined
    let isAway = false
    try {
      indexes = await this.#parts.choose(batch)
    } catch {
      isAway = true
    }
    endPatience()
    for (const [at, visitor] of batch.entries()) {
      const index = indexes?.[at]
      const isTooLate = visitor.isSettled
      if (!isTooLate) visitor.settle(index ?? 'local')
      if (isAway || (isTooLate && index !== undefined)) this.#parts.onTooLate(visitor.client, index)
    }
    this.#underWay = []
    this.#flush()
  }

  #bePatient (batch: readonly Waiting[]): () => void {
    return limitPeer(this.#parts.patienceMs(), () => {
      if (!batch[0]!.isSettled) this.#parts.onSlow()
    })
  }
}
