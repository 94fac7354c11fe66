/** A countdown that pauses while the pointer or the focus is on it. Pure: told what time it is. */
export class Countdown {
  #leftMs: number
  #runsSinceMs: number | undefined

  constructor (durationMs: number, nowMs: number) {
    this.#leftMs = durationMs
    this.#runsSinceMs = nowMs
  }

  leftMs (nowMs: number): number {
    const ranMs = this.#runsSinceMs === undefined ? 0 : nowMs - this.#runsSinceMs
    return Math.max(0, this.#leftMs - ranMs)
  }

  pause (nowMs: number): void {
    this.#leftMs = this.leftMs(nowMs)
    this.#runsSinceMs = undefined
  }

  resume (nowMs: number): void {
    this.#runsSinceMs ??= nowMs
  }
}
