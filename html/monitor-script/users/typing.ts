/**
 * A throttle for what is typed: passes on the first keystroke at once, and then the latest text
 * after each pause. A search is answered sooner than a second key is pressed. Pure but for its
 * timer, which is given.
 */
export interface TypingParts {
  readonly onText: (text: string) => void
  /** After the pause. */
  readonly schedule: (action: () => void) => void
}

export class Typing {
  readonly #parts: TypingParts
  #isPausing = false
  #latest: string | undefined

  constructor (parts: TypingParts) {
    this.#parts = parts
  }

  type (text: string): void {
    if (this.#isPausing) this.#latest = text
    else this.#pass(text)
  }

  /** What has not been passed on is not wanted any more. */
  forget (): void {
    this.#latest = undefined
  }

  #pass (text: string): void {
    this.#latest = undefined
    this.#isPausing = true
    this.#parts.schedule(() => {
      this.#isPausing = false
      if (this.#latest !== undefined) this.#pass(this.#latest)
    })
    this.#parts.onText(text)
  }
}
