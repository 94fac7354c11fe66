/**
 * One event stream for all tabs of a browser, which has six connections to a host: one tab leads,
 * holds the stream and passes on by BroadcastChannel what it hears. Owns the election and its
 * timers; the stream is Live's. There are no Web Locks over plain HTTP, and a frozen tab would keep
 * one: whoever leads has to answer, and whoever hears nothing elects another.
 */
import type { Stats } from '@usher/shared/api/stats.ts'
import { Live, type LiveParts, type LiveState } from './live.ts'

/** From tab to tab of one browser; `from` is a tab's id. */
export type TabMessage =
  /** Who leads? Where nobody does, the lowest id is the next. */
  | { readonly type: 'ask', readonly from: string }
  /** What the tab that leads knows. */
  | {
    readonly type: 'news'
    readonly from: string
    readonly stats: Stats | undefined
    readonly state: LiveState
  }
  /** The tab that leads closes. */
  | { readonly type: 'leaving' }
  /** Somebody does not want to wait for the next attempt. */
  | { readonly type: 'try' }
  /** The monitor refuses: the session has ended, or what it may do has changed. */
  | { readonly type: 'refused' }

export interface Channel {
  readonly postMessage: (message: TabMessage) => void
  readonly close: () => void
}

export interface SharedLiveParts extends LiveParts {
  /** This tab's; the lowest leads. */
  readonly id: string
  /** Undefined where there are no channels: each tab has a stream then. */
  readonly openChannel: (hear: (message: TabMessage) => void) => Channel | undefined
  /** Another tab was refused; this one is to look for itself. */
  readonly onRefused: () => void
}

type Role = 'away' | 'seeking' | 'following' | 'leading'

/** For answers to a question; who has heard of a lower id waits twice as long. */
const ELECTION_MS = 300
/** What leads has news every 15 s at least; it is asked for some when they stay away. */
const PATIENCE_MS = 5000
/** Longer than a busy machine stands still. */
const ANSWER_MS = 4000
/** After the next attempt is due: what leads makes it itself, unless the browser slows it down. */
const TRY_AFTER_MS = 1000
/** Refusals that concern the session rather than what was asked. */
const REFUSALS = [401, 403]

export class SharedLive {
  readonly #parts: SharedLiveParts
  #role: Role = 'away'
  #channel: Channel | undefined
  #live: Live | undefined
  #stats: Stats | undefined
  #state: LiveState = { kind: 'connecting' }
  #callOff: () => void = () => {}
  #callOffTry: () => void = () => {}

  constructor (parts: SharedLiveParts) {
    this.#parts = parts
  }

  /** To be called when the page is shown, also when it comes back. */
  enter (): void {
    if (this.#role !== 'away') return
    this.#channel = this.#parts.openChannel(message => { this.#hear(message) })
    if (this.#stats === undefined) this.#parts.onState(this.#state)
    if (this.#channel === undefined) this.#lead()
    else this.#seek()
  }

  /** To be called when the page is left or frozen. */
  leave (): void {
    if (this.#role === 'leading') this.#post({ type: 'leaving' })
    this.#become('away')
    this.#channel?.close()
    this.#channel = undefined
  }

  /** Does not wait for the pause to end. */
  tryNow (): void {
    if (this.#role === 'leading') this.#live?.tryNow()
    else this.#post({ type: 'try' })
  }

  #hear (message: TabMessage): void {
    switch (message.type) {
      case 'ask': return this.#answer(message.from)
      case 'news': return this.#hearNews(message)
      case 'leaving': return this.#role === 'following' ? this.#seek() : undefined
      case 'try': return this.#live?.tryNow()
      case 'refused': return this.#parts.onRefused()
    }
  }

  #answer (from: string): void {
    if (this.#role === 'leading') {
      this.#live?.checkSilence()
      this.#tell()
    }
    if (this.#role !== 'seeking') return
    if (from < this.#parts.id) this.#seekFor(2 * ELECTION_MS)
    else this.#ask()
  }

  #hearNews (news: TabMessage & { readonly type: 'news' }): void {
    // Two lead after an election in which one was late.
    if (this.#role === 'leading' && this.#parts.id < news.from) this.#tell()
    else this.#follow(news)
  }

  #seek (): void {
    this.#become('seeking')
    this.#ask()
    this.#seekFor(ELECTION_MS)
  }

  #seekFor (ms: number): void {
    this.#callOff()
    this.#callOff = this.#parts.schedule(() => { this.#lead() }, ms)
  }

  #lead (): void {
    this.#become('leading')
    this.#live = new Live({
      ...this.#parts,
      look: async () => {
        const answer = await this.#parts.look()
        if (!answer.isOk && REFUSALS.includes(answer.status)) this.#post({ type: 'refused' })
        return answer
      },
      onStats: stats => { this.#showStats(stats) },
      onState: state => {
        this.#showState(state)
        this.#tell()
      }
    })
    this.#live.start()
  }

  #follow ({ stats, state }: TabMessage & { readonly type: 'news' }): void {
    this.#become('following')
    if (stats !== undefined) this.#showStats(stats)
    this.#showState(state)
    this.#callOff = this.#parts.schedule(() => { this.#doubt() }, PATIENCE_MS)
    if (state.kind === 'stale' && state.retryMs !== undefined) {
      this.#callOffTry = this.#parts.schedule(
        () => { this.#post({ type: 'try' }) }, state.retryMs + TRY_AFTER_MS)
    }
  }

  /** Nothing was heard from what leads: it has crashed, is frozen, or has no news. */
  #doubt (): void {
    this.#ask()
    this.#callOff = this.#parts.schedule(() => { this.#seek() }, ANSWER_MS)
  }

  #become (role: Role): void {
    this.#role = role
    this.#callOff()
    this.#callOffTry()
    this.#live?.close()
    this.#live = undefined
  }

  #ask (): void {
    this.#post({ type: 'ask', from: this.#parts.id })
  }

  #tell (): void {
    this.#post({ type: 'news', from: this.#parts.id, stats: this.#stats, state: this.#state })
  }

  #post (message: TabMessage): void {
    this.#channel?.postMessage(message)
  }

  /** An answer to a question may say what is known. */
  #showStats (stats: Stats): void {
    if (stats.timestamp === this.#stats?.timestamp) return
    this.#stats = stats
    this.#parts.onStats(stats)
  }

  /** Another stream in place of one that was well is no news. */
  #showState (state: LiveState): void {
    if (state.kind === 'connecting' && this.#stats !== undefined) return
    this.#state = state
    this.#parts.onState(state)
  }
}
