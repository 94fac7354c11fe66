/**
 * Keeps strikes and second attempts apart: whoever failed comes again only when the volley that is
 * under way has struck, and the next volley waits until they have been served. First attempts are
 * never held up. Without it nobody could say that one retry is enough: the retry itself may be hit.
 */
export class Truce {
  #striking = false
  #retries = 0
  #waiting: Array<() => void> = []

  /** Runs a volley; retries wait for its end. */
  async strike (volley: () => Promise<void>): Promise<void> {
    while (this.#striking || this.#retries > 0) await this.#change()
    this.#striking = true
    try {
      await volley()
    } finally {
      this.#striking = false
      this.#wake()
    }
  }

  async retry<T> (attempt: () => Promise<T>): Promise<T> {
    while (this.#striking) await this.#change()
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
