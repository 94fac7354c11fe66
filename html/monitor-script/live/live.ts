/**
 * Keeps the console up to date: one event stream; when it drops, tells so at once and opens a new
 * one with exponential back-off. Owns the stream and its timers; shows nothing itself.
 */
import type { Stats } from '@usher/shared/api/stats.ts'
import type { Answer } from '../kit/api.ts'

export type LiveState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | {
    readonly kind: 'stale'
    readonly why: StaleReason
    /** Until the next try; undefined while one is under way. */
    readonly retryMs: number | undefined
  }

/** Not known yet; the monitor does not answer; it answers, but there is no stream so far. */
export type StaleReason = 'unknown' | 'unreachable' | 'refused'

/** What of EventSource is used here. */
export interface Stream {
  addEventListener: (type: 'stats' | 'error', listener: (event: { data?: string }) => void) => void
  close: () => void
}

export interface LiveParts {
  readonly openStream: () => Stream
  /**
   * One request without a stream: tells whether the monitor answers and the session still stands.
   */
  readonly look: () => Promise<Answer<Stats>>
  /** Returns the function that cancels it. */
  readonly schedule: (action: () => void, delayMs: number) => () => void
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
  readonly onStats: (stats: Stats) => void
  readonly onState: (state: LiveState) => void
}

/** The monitor sends an event every 15 s at least; longer silence is a dropped stream. */
const SILENCE_MS_MAX = 20_000
const RETRY_MS_MIN = 1000
const RETRY_MS_MAX = 10_000
/** Jitter, so that many consoles do not come back in the same instant. */
const RETRY_JITTER = 0.3

export class Live {
  readonly #parts: LiveParts
  #stream: Stream | undefined
  #callOff: () => void = () => {}
  #failureCount = 0
  /** When the stream was opened or was heard last. */
  #heardMs = 0
  #isLooking = false
  #isClosed = false

  constructor (parts: LiveParts) {
    this.#parts = parts
  }

  start (): void {
    this.#parts.onState({ kind: 'connecting' })
    this.#connect()
  }

  /** Does not wait for the pause to end. Nothing while the stream is up. */
  tryNow (): void {
    if (this.#stream !== undefined || this.#isLooking || this.#isClosed) return
    this.#callOff()
    void this.#retry()
  }

  /** What the timer does, for a tab whose timers the browser slows down. */
  checkSilence (): void {
    const isSilent = this.#parts.now() - this.#heardMs >= SILENCE_MS_MAX
    if (this.#stream !== undefined && isSilent) this.#lose('unknown')
  }

  close (): void {
    this.#isClosed = true
    this.#drop()
  }

  #connect (): void {
    const stream = this.#parts.openStream()
    this.#stream = stream
    this.#watchSilence()
    stream.addEventListener('stats', ({ data = '' }) => {
      if (this.#stream !== stream) return
      this.#failureCount = 0
      this.#watchSilence()
      this.#parts.onStats(JSON.parse(data) as Stats)
      this.#parts.onState({ kind: 'live' })
    })
    stream.addEventListener('error', () => {
      if (this.#stream === stream) this.#lose('unknown')
    })
  }

  #watchSilence (): void {
    this.#heardMs = this.#parts.now()
    this.#callOff()
    this.#callOff = this.#parts.schedule(() => this.#lose('unknown'), SILENCE_MS_MAX)
  }

  #lose (why: StaleReason): void {
    this.#drop()
    const delayMs = retryDelayMs(this.#failureCount++, this.#parts.random())
    this.#parts.onState({ kind: 'stale', why, retryMs: delayMs })
    this.#callOff = this.#parts.schedule(() => { void this.#retry() }, delayMs)
  }

  /** A stream that is refused does not say why, so a plain question goes first. */
  async #retry (): Promise<void> {
    this.#isLooking = true
    const answer = await this.#parts.look()
    this.#isLooking = false
    if (this.#isClosed) return
    if (!answer.isOk) return this.#lose(answer.status === 0 ? 'unreachable' : 'refused')
    this.#parts.onStats(answer.body)
    this.#parts.onState({ kind: 'stale', why: 'refused', retryMs: undefined })
    this.#connect()
  }

  #drop (): void {
    this.#callOff()
    this.#stream?.close()
    this.#stream = undefined
  }
}

function retryDelayMs (failureCount: number, random: number): number {
  const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failureCount, 10))
  return delayMs * (1 + RETRY_JITTER * random)
}
