/** The denials: search, reason, author, time left, and the button that allows again. */
import type { Denied, DeniedEntry } from '@usher/shared/api/denied.ts'
import type { Answer } from '../kit/api.ts'
import { find, make, makeCell, makeMono, makeRow, setText } from '../kit/dom.ts'
import { KeyedRows } from '../kit/keyed-rows.ts'
import { focusBySlash } from '../kit/search-key.ts'
import { DENIED, moment } from '../kit/texts.ts'
import { TIMES_CHANGE } from '../kit/times.ts'

export interface DeniedViewParts {
  readonly get: (path: string) => Promise<Answer<Denied>>
  readonly allow: (denied: DeniedEntry) => void
  readonly denyTarget: () => void
}

/** Rows that are shown of the thousands that there may be; the search finds the others. */
const ROWS_MAX = 200

export class DeniedView {
  readonly #parts: DeniedViewParts
  readonly #search = find<HTMLInputElement>('search-denied')
  readonly #rows: KeyedRows<DeniedEntry>
  #denied: readonly DeniedEntry[] | undefined
  #shown: readonly DeniedEntry[] = []
  #canAct = false
  #isShown = false
  #heardCount: number | undefined
  /** Of the latest question; an earlier one's answer comes too late. */
  #asked = 0

  constructor (parts: DeniedViewParts) {
    this.#parts = parts
    this.#rows = new KeyedRows({
      body: find('denied-rows'),
      keyOf: whoOf,
      shownBy: denied => JSON.stringify([denied, sinceText(denied, Date.now()), this.#canAct]),
      make: denied => this.#makeRow(denied, Date.now()),
      focusOtherwise: this.#search
    })
    this.#search.addEventListener('input', () => { this.#show() })
    focusBySlash(this.#search, () => this.#isShown)
    find('deny-address').addEventListener('click', () => { parts.denyTarget() })
    document.addEventListener(TIMES_CHANGE, () => { this.#show() })
  }

  allowActions (): void {
    this.#canAct = true
    this.#show()
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
    const cells = find('denied-rows').querySelectorAll('.c-left')
    for (const [at, denied] of this.#shown.entries()) setText(cells[at]!, leftText(denied, nowMs))
  }

  async load (): Promise<void> {
    const asked = ++this.#asked
    const answer = await this.#parts.get('/denied')
    if (!answer.isOk || asked !== this.#asked) return
    this.#denied = answer.body.denied
    this.#show()
  }

  #show (): void {
    if (this.#denied === undefined) return
    const search = this.#search.value.trim()
    const found = this.#denied.filter(denied => matches(denied, search))
    this.#shown = found.slice(0, ROWS_MAX)
    this.#rows.show(this.#shown)
    setText(find('denied-count'), this.#shown.length < found.length
      ? DENIED.firstOf(this.#shown.length, found.length)
      : DENIED.entries(found.length))
    find('denied-table').hidden = found.length === 0
    this.#showEmpty(found.length === 0, search)
  }

  #showEmpty (isEmpty: boolean, search: string): void {
    const isNobody = this.#denied?.length === 0
    find('nobody-denied').hidden = !isEmpty
    setText(find('nobody-denied-title'),
      isNobody ? DENIED.nobodyTitle : DENIED.noMatchTitle(search))
    setText(find('nobody-denied-text'), isNobody
      ? this.#canAct ? DENIED.nobodyWhatToDo : DENIED.nobodyText
      : DENIED.noMatchText)
    // The link to Users, where nobody is denied yet.
    find('nobody-denied-mark').toggleAttribute('hidden', !isNobody)
    find('nobody-denied-go').hidden = !isNobody || !this.#canAct
  }

  #makeRow (denied: DeniedEntry, nowMs: number): HTMLElement {
    const who = whoOf(denied)
    return makeRow(
      makeCell('c-who', makeMono(who),
        ...(who.includes('/') ? [' ', make('span', 'tag', DENIED.range)] : [])),
      makeCell('c-why', denied.reason === ''
        ? make('span', 'muted', DENIED.noReason)
        : denied.reason),
      makeCell('c-by', denied.by),
      makeCell('c-since lo2', sinceText(denied, nowMs)),
      makeCell('c-left', leftText(denied, nowMs)),
      ...(this.#canAct ? [makeCell('act', this.#makeAllowButton(denied, who))] : []))
  }

  #makeAllowButton (denied: DeniedEntry, who: string): HTMLElement {
    const button = make('button', 'btn small', DENIED.allow)
    button.type = 'button'
    button.setAttribute('aria-label', DENIED.allowLabel(who))
    button.addEventListener('click', () => { this.#parts.allow(denied) })
    return button
  }
}

/** By any part of what is shown, in any case. */
export function matches (denied: DeniedEntry, search: string): boolean {
  const wanted = search.toLowerCase()
  return [whoOf(denied), denied.reason, denied.by].some(text => text.toLowerCase().includes(wanted))
}

function whoOf ({ userId, address }: DeniedEntry): string {
  return userId ?? address ?? ''
}

function sinceText ({ since }: DeniedEntry, nowMs: number): string {
  return moment(Date.parse(since), nowMs)
}

function leftText ({ until }: DeniedEntry, nowMs: number): string {
  return until === null ? DENIED.untilAllowed : DENIED.left(Date.parse(until) - nowMs)
}
