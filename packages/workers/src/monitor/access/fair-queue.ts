/**
 * Bounded concurrency with fair queuing: so much work at the same time, in all and for each of its
 * owners (an account, an address), and the rest waits. Whoever comes to a full line takes a place
 * of the owner who has the most in it (longest-queue drop, as RFC 8290 section 4.1), so that nobody
 * can fill it for others. Knows no request. Runs in the monitor's thread.
 */

export interface Bound {
  readonly running: number
  /** 0: what cannot run at once is refused. */
  readonly waiting: number
}

export interface FairQueueOptions {
  readonly all: Bound
  /** For owners of each rank; undefined where a rank is only there for the fairness. */
  readonly perOwner: ReadonlyArray<Bound | undefined>
  /** The longest that anything waits. */
  readonly waitMsMax: number
  /** Returns what calls it off. */
  readonly startTimer?: (ms: number, action: () => void) => () => void
}

/** A piece of work, from its coming to its end. */
export interface Place {
  /** Resolves when the work may begin; rejects with QueueFull when it is not to be done. */
  readonly turn: Promise<void>
  /** The work is over, or nobody waits for it any more. May be called twice. */
  leave (): void
}

export class QueueFull extends Error {
  /** Whether it is the owner's own bound that is reached. */
  readonly isOwn: boolean

  constructor (isOwn: boolean) {
    super(isOwn ? 'too much of one owner' : 'the line is full')
    this.isOwn = isOwn
  }
}

interface Waiting {
  readonly owners: readonly string[]
  start (): void
  refuse (isOwn: boolean): void
}

export class FairQueue {
  readonly #options: FairQueueOptions
  #runningCount = 0
  /** By rank and owner. */
  readonly #running: ReadonlyArray<Map<string, number>>
  /** In the order of coming. */
  #waiting: Waiting[] = []

  constructor (options: FairQueueOptions) {
    this.#options = options
    this.#running = options.perOwner.map(() => new Map())
  }

  /** @param owners whose work it is, one of each rank */
  enter (owners: readonly string[]): Place {
    let state: 'waiting' | 'running' | 'over' = 'waiting'
    let callOff = (): void => {}
    let leave = (): void => {}
    const turn = new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        owners,
        start: () => {
          callOff()
          state = 'running'
          this.#count(owners, 1)
          resolve()
        },
        refuse: isOwn => {
          callOff()
          state = 'over'
          this.#waiting = this.#waiting.filter(other => other !== waiting)
          reject(new QueueFull(isOwn))
        }
      }
      leave = () => {
        if (state === 'waiting') waiting.refuse(false)
        if (state !== 'running') return
        state = 'over'
        this.#count(owners, -1)
        this.#startNext()
      }
      if (this.#mayRun(waiting)) return waiting.start()
      const { waitMsMax, startTimer = startSystemTimer } = this.#options
      callOff = startTimer(waitMsMax, () => { waiting.refuse(false) })
      this.#waiting.push(waiting)
      this.#refuseExcess(owners)
    })
    return { turn, leave: () => { leave() } }
  }

  #mayRun ({ owners }: Waiting): boolean {
    const { all, perOwner } = this.#options
    return this.#runningCount < all.running && perOwner.every((bound, rank) =>
      bound === undefined || this.#runningOf(owners, rank) < bound.running)
  }

  /** Of all that may run, what is of the owners with the least running; of equals the oldest. */
  #startNext (): void {
    for (;;) {
      const [next] = this.#waiting
        .filter(waiting => this.#mayRun(waiting))
        .sort((a, b) => this.#comparedByRunning(a, b))
      if (next === undefined) return
      this.#waiting = this.#waiting.filter(other => other !== next)
      next.start()
    }
  }

  #comparedByRunning (a: Waiting, b: Waiting): number {
    for (const rank of this.#running.keys()) {
      const difference = this.#runningOf(a.owners, rank) - this.#runningOf(b.owners, rank)
      if (difference !== 0) return difference
    }
    return 0
  }

  /** One has just come, so that one at most is to go of each. */
  #refuseExcess (owners: readonly string[]): void {
    for (const [rank, bound] of this.#options.perOwner.entries()) {
      const own = this.#waiting.filter(waiting => waiting.owners[rank] === owners[rank])
      if (own.length > (bound?.waiting ?? Infinity)) this.#longest(own).refuse(true)
    }
    if (this.#waiting.length > this.#options.all.waiting) this.#longest(this.#waiting).refuse(false)
  }

  /** The newest of the owner with the most waiting, rank by rank. */
  #longest (waiting: readonly Waiting[]): Waiting {
    let left = waiting
    for (const rank of this.#running.keys()) left = largestGroup(left, rank)
    return left.at(-1)!
  }

  #runningOf (owners: readonly string[], rank: number): number {
    return this.#running[rank]!.get(owners[rank]!) ?? 0
  }

  #count (owners: readonly string[], change: 1 | -1): void {
    this.#runningCount += change
    for (const [rank, counts] of this.#running.entries()) {
      const count = this.#runningOf(owners, rank) + change
      if (count === 0) counts.delete(owners[rank]!)
      else counts.set(owners[rank]!, count)
    }
  }
}

/** Of equals the one with the newest member: who was there first stays. */
function largestGroup (waiting: readonly Waiting[], rank: number): readonly Waiting[] {
  const groups = new Map<string, Waiting[]>()
  for (const one of waiting) {
    const group = groups.get(one.owners[rank]!) ?? []
    group.push(one)
    // Moved to the end, so that the group whose member came last is the last.
    groups.delete(one.owners[rank]!)
    groups.set(one.owners[rank]!, group)
  }
  return [...groups.values()].reduce((largest, group) =>
    group.length >= largest.length ? group : largest)
}

function startSystemTimer (ms: number, action: () => void): () => void {
  const timer = setTimeout(action, ms)
  timer.unref()
  return () => { clearTimeout(timer) }
}
