/**
 * Whether a server is up, by the health checks so far, as haproxy's `rise` and `fall` say it: so
 * many good ones in a row after a down, so many bad ones after an up. Before the first check it is
 * neither; that one alone decides.
 */
import type { Found } from './probe.ts'

export class RiseAndFall {
  readonly #rise: number
  readonly #fall: number
  #isUp: boolean | undefined
  /** Checks in a row that say otherwise. */
  #against = 0
  #reason: string | undefined
  #goodCount = 0
  #badCount = 0

  /** @param isUp as an earlier thread has found it; undefined when nobody has looked */
  constructor (
    { rise, fall }: { readonly rise: number, readonly fall: number }, isUp: boolean | undefined
  ) {
    this.#rise = rise
    this.#fall = fall
    this.#isUp = isUp
  }

  /** Undefined before the first check. */
  get isUp (): boolean | undefined {
    return this.#isUp
  }

  /** What the latest bad check found. */
  get reason (): string | undefined {
    return this.#reason
  }

  /** Checks so far. */
  get goodCount (): number {
    return this.#goodCount
  }

  get badCount (): number {
    return this.#badCount
  }

  note ({ isGood, what }: Found): void {
    if (isGood) {
      this.#goodCount++
    } else {
      this.#badCount++
      this.#reason = what
    }
    this.#against = isGood === this.#isUp ? 0 : this.#against + 1
    const needed = this.#isUp === undefined ? 1 : isGood ? this.#rise : this.#fall
    if (this.#against < needed) return
    this.#isUp = isGood
    this.#against = 0
  }
}
