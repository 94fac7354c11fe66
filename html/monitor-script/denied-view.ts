/** Who is denied: search, why, by whom, for how much longer, and the way back. */
import type { Answer } from './api.ts'
import { find, make, makeCell, makeMono, makeRow, setText } from './dom.ts'
import { DENIED, moment } from './texts.ts'

/** As in `GET /denied`. One of `userId` and `address`. */
export interface Denied {
  readonly userId?: string
  readonly address?: string
  readonly reason: string
  readonly by: string
  readonly since: string
  readonly until: string | null
}

export interface DeniedViewParts {
  readonly get: (path: string) => Promise<Answer<{ denied: readonly Denied[] }>>
  readonly allow: (denied: Denied) => void
  readonly denyTarget: () => void
}

/** More than anybody reads; the search finds the rest. */
const ROWS_MAX = 200

export class DeniedView {
  readonly #parts: DeniedViewParts
  readonly #search = find<HTMLInputElement>('search-denied')
  #denied: readonly Denied[] = []
  #timesLeft: Array<{ cell: HTMLElement, untilMs: number | undefined }> = []
  #canAct = false
  #isShown = false
  #heardCount: number | undefined

  constructor (parts: DeniedViewParts) {
    this.#parts = parts
    this.#search.addEventListener('input', () => { this.#show(Date.now()) })
    find('deny-address').addEventListener('click', () => { parts.denyTarget() })
  }

  allowActions (): void {
    this.#canAct = true
    this.#show(Date.now())
  }

  setShown (isShown: boolean): void {
    this.#isShown = isShown
    if (isShown) void this.load()
  }

  /** How many are denied, from the servers' news: another number is a reason to look again. */
  hear (deniedCount: number): void {
    const isNews = this.#heardCount !== deniedCount
    this.#heardCount = deniedCount
    if (isNews && this.#isShown) void this.load()
  }

  /** Time runs out while nothing happens. */
  tick (nowMs: number): void {
    if (!this.#isShown) return
    for (const { cell, untilMs } of this.#timesLeft) setText(cell, leftText(untilMs, nowMs))
  }

  async load (): Promise<void> {
    const answer = await this.#parts.get('/denied')
    if (!answer.isOk) return
    this.#denied = answer.body.denied
    this.#show(Date.now())
  }

  #show (nowMs: number): void {
    const search = this.#search.value.trim()
    const found = this.#denied.filter(denied => matches(denied, search))
    const shown = found.slice(0, ROWS_MAX)
    this.#timesLeft = []
    const rows = find('denied-rows')
    // The focus would be lost with the row that has it.
    if (rows.contains(document.activeElement)) this.#search.focus()
    rows.replaceChildren(...shown.map(denied => this.#makeRow(denied, nowMs)))
    setText(find('denied-count'), shown.length < found.length
      ? DENIED.firstOf(shown.length, found.length)
      : DENIED.entries(found.length))
    find('nobody-denied').hidden = found.length > 0
    setText(find('nobody-denied-title'),
      search === '' ? DENIED.nobodyTitle : DENIED.noMatchTitle(search))
    setText(find('nobody-denied-text'), search === '' ? DENIED.nobodyText : DENIED.noMatchText)
  }

  #makeRow (denied: Denied, nowMs: number): HTMLElement {
    const who = whoOf(denied)
    const untilMs = denied.until === null ? undefined : Date.parse(denied.until)
    const left = makeCell('c-left', leftText(untilMs, nowMs))
    this.#timesLeft.push({ cell: left, untilMs })
    return makeRow(
      makeCell('c-who', makeMono(who),
        ...(who.includes('/') ? [' ', make('span', 'tag', DENIED.range)] : [])),
      makeCell('c-why', denied.reason === ''
        ? make('span', 'muted', DENIED.noReason)
        : denied.reason),
      makeCell('c-by', denied.by),
      makeCell('c-since lo2', moment(Date.parse(denied.since), nowMs)),
      left,
      ...(this.#canAct ? [makeCell('act', this.#makeAllowButton(denied, who))] : []))
  }

  #makeAllowButton (denied: Denied, who: string): HTMLElement {
    const button = make('button', 'btn small', DENIED.allow)
    button.type = 'button'
    button.setAttribute('aria-label', DENIED.allowLabel(who))
    button.addEventListener('click', () => { this.#parts.allow(denied) })
    return button
  }
}

/** By any part of what is shown, in any case. */
export function matches (denied: Denied, search: string): boolean {
  const wanted = search.toLowerCase()
  return [whoOf(denied), denied.reason, denied.by].some(text => text.toLowerCase().includes(wanted))
}

function whoOf ({ userId, address }: Denied): string {
  return userId ?? address ?? ''
}

function leftText (untilMs: number | undefined, nowMs: number): string {
  return untilMs === undefined ? DENIED.untilAllowed : DENIED.left(untilMs - nowMs)
}
