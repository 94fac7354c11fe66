/** What the card and the row of a server have in common: state, share, since when. */
import type { ServerState } from '@usher/shared/api/stats.ts'
import { make, makeIcon, makeSvg, setText } from '../kit/dom.ts'
import { available, type Server } from '../kit/console-servers.ts'
import { SERVERS } from '../kit/texts.ts'

/** The classes that a state has in the style sheet. */
export const STATE_CLASSES: Readonly<Record<ServerState, string>> = {
  up: 'up', draining: 'drain', down: 'down', starting: '', maintenance: 'drain'
}

/** A state is a shape and a word, and only then a colour. */
export class StateLabel {
  readonly element = make('span', 'state')
  readonly #text = make('span', '')
  #shape: ServerState | undefined

  show (state: ServerState, text: string): void {
    if (this.#text.textContent !== text) this.#text.textContent = text
    if (this.#shape === state) return
    this.#shape = state
    this.element.className = `state ${STATE_CLASSES[state]}`
    this.element.replaceChildren(makeIcon(`state-${state}`, ''), this.#text)
  }
}

/** A bar of the whole, with a tick where all would be even. */
export class ShareBar {
  readonly element = makeSvg('svg', { class: 'share', 'aria-hidden': 'true' })
  readonly #fill = makeSvg('rect', { class: 'fill', height: '100%', rx: '3' })
  readonly #even = makeSvg('rect', { class: 'even', width: '1.5', height: '100%' })

  constructor () {
    const track = makeSvg('rect', { class: 'track', width: '100%', height: '100%', rx: '3' })
    this.element.append(track, this.#fill, this.#even)
  }

  /** @param even undefined for none */
  show (share: number, even: number | undefined): void {
    this.#fill.setAttribute('width', `${(share * 100).toFixed(1)}%`)
    this.#even.toggleAttribute('hidden', even === undefined)
    this.#even.setAttribute('x', `${((even ?? 0) * 100).toFixed(2)}%`)
  }
}

/** Why a server drains, and when those who are left are moved; what health checks find. */
export class WhyLine {
  readonly element = make('p', 'why')

  show (server: Server, nowMs: number): void {
    const text = whyText(server, nowMs)
    setText(this.element, text)
    this.element.hidden = text === ''
  }
}

/** Empty where there is nothing to say. */
export function whyText (
  { drain, reason = '', suspect: isSuspect, last_check: check }: Server, nowMs: number
): string {
  return [
    reason,
    isSuspect ? SERVERS.suspect : '',
    drain === undefined
      ? ''
      : SERVERS.drainLine(
        drain.note, drain.moves_from === null ? undefined : Date.parse(drain.moves_from), nowMs),
    check === undefined || check.found === reason
      ? ''
      : SERVERS.lastCheck(check.found, check.took_ms)
  ].filter(text => text !== '').join(' · ')
}

/** The part of those who were there when the drain began that is still there. */
export function leftOf ({ active_users: left, drained_from: all }: Server): number | undefined {
  return all === undefined || all === 0 ? undefined : Math.min(1, left / all)
}

/** What it should have of all load, by its weight; none when it takes no visitors, or takes all. */
export function evenShare (server: Server, servers: readonly Server[]): number | undefined {
  const ups = available(servers)
  if (server.state !== 'up' || ups.length < 2) return undefined
  return server.weight / ups.reduce((sum, { weight }) => sum + weight, 0)
}

/** How full it is; empty where as many are admitted as come. */
export function placesText ({ load, capacity }: Server): string {
  return capacity === undefined ? '' : SERVERS.places(load, capacity)
}

export function stateText ({ state, state_since: since }: Server, nowMs: number): string {
  return SERVERS.state(state, since === undefined ? undefined : nowMs - Date.parse(since))
}
