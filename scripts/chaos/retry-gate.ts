/**
 * Keeps faults and retries apart: a request that failed is retried only when the current round of
 * faults is over, and the next round waits until all retries have been answered. First attempts are
 * never held up. Without it one retry could not be enough, because the retry itself may be hit.
 */
export class RetryGate {
  #isInjecting = false
  /** That go on, or wait for retries to be answered. */
  #rounds = 0
  #retries = 0
  #waiting: Array<() => void> = []

  /** Runs a round of faults; retries wait for its end. */
  async runFaults (round: () => Promise<void>): Promise<void> {
    // Nobody begins a retry meanwhile: where many are needed, the round would never come.
    this.#rounds++
    while (this.#isInjecting || this.#retries > 0) await this.#change()
    this.#isInjecting = true
    try {
      await round()
    } finally {
      this.#rounds--
      this.#isInjecting = false
      this.#wake()
    }
  }

  async retry<T> (attempt: () => Promise<T>): Promise<T> {
    while (this.#rounds > 0) await this.#change()
    this.#retries++
    try {
      return await attempt()
    } finally {
      this.#retries--
      this.#wake()
    }
  }

  #change (): Promise<void> {
    return new Promise(resolve => { this.#waiting.push(resolve) })
  }

  #wake (): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
