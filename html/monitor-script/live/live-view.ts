/** Says how fresh the page is: the chip in the frame, and a notice as soon as it is stale. */
import { find, setText } from '../kit/dom.ts'
import type { LiveState, StaleReason } from './live.ts'
import { LIVE } from '../kit/texts.ts'

export class LiveView {
  readonly #notice = find('stale')
  #state: LiveState = { kind: 'connecting' }
  /** Of the last news, by this browser's clock. */
  #heardMs: number | undefined
  #startedMs: number
  #retryAtMs: number | undefined

  constructor (nowMs: number) {
    this.#startedMs = nowMs
  }

  hear (nowMs: number): void {
    this.#heardMs = nowMs
  }

  show (state: LiveState, nowMs: number): void {
    const wasStale = this.#state.kind === 'stale'
    this.#state = state
    const isStale = state.kind === 'stale'
    this.#retryAtMs = isStale && state.retryMs !== undefined ? nowMs + state.retryMs : undefined
    this.#notice.hidden = !isStale
    for (const chip of document.querySelectorAll('[data-live]')) {
      chip.classList.toggle('stale', isStale)
      chip.querySelector('svg')!.classList.toggle('pulse', state.kind === 'live')
    }
    for (const part of document.querySelectorAll('[data-stale]')) {
      part.classList.toggle('stale-data', isStale)
    }
    if (isStale && !wasStale) {
      setText(find('stale-since'), this.#heardMs === undefined
        ? LIVE.neverStarted
        : LIVE.stoppedAt(this.#heardMs))
    }
    if (!isStale) setText(find('stale-since'), '')
    if (isStale && (state.why !== 'unknown' || !wasStale)) setText(find('stale-why'), whyText(state.why))
    this.tick(nowMs)
  }

  /** Ages grow while nothing happens. */
  tick (nowMs: number): void {
    const ageMs = nowMs - (this.#heardMs ?? this.#startedMs)
    setText(find('stale-age'), this.#heardMs === undefined ? '' : LIVE.age(ageMs))
    if (this.#state.kind === 'stale') {
      setText(find('stale-retry'), this.#retryAtMs === undefined
        ? LIVE.retrying
        : LIVE.retryIn(this.#retryAtMs - nowMs))
    }
    const text = chipText(this.#state, this.#heardMs ?? nowMs, ageMs)
    for (const chip of document.querySelectorAll('[data-live] span')) setText(chip, text)
  }
}

function whyText (why: StaleReason): string {
  switch (why) {
    case 'unknown': return ''
    case 'unreachable': return LIVE.unreachable
    case 'refused': return LIVE.refused
  }
}

function chipText (state: LiveState, heardMs: number, ageMs: number): string {
  switch (state.kind) {
    case 'connecting': return LIVE.connecting
    case 'live': return LIVE.live(heardMs)
    case 'stale': return LIVE.staleChip(ageMs)
  }
}
