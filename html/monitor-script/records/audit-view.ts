/**
 * Who did what, newest first, under the day that it was done on: a page at a time, and what is
 * looked for as it is typed. For administrators; a viewer is told whom to ask.
 */
import type { UserInfo } from '@usher/shared/api/account.ts'
import type { Audit, AuditEntry } from '@usher/shared/api/audit.ts'
import type { Answer } from '../kit/api.ts'
import { sentenceOf } from './audit-entry.ts'
import { find, make, makeCell, makeMono, makeRow, setText } from '../kit/dom.ts'
import { focusBySlash } from '../kit/search-key.ts'
import { AUDIT, clock, day, moment } from '../kit/texts.ts'
import { TIMES_CHANGE } from '../kit/times.ts'

export interface AuditViewParts {
  readonly get: (path: string) => Promise<Answer<Audit>>
}

const COLUMN_COUNT = 4
/** As long as people pause between two keys. */
const TYPING_MS = 200

export class AuditView {
  readonly #parts: AuditViewParts
  readonly #search = find<HTMLInputElement>('search-audit')
  readonly #older = find('older')
  #shown: readonly AuditEntry[] = []
  #last: Audit | undefined
  /** What the entries that are shown were asked by. */
  #shownSearch = ''
  /** Undefined until it is known who looks at it. */
  #mayRead: boolean | undefined
  #isShown = false
  /** Of the latest question; an earlier one's answer comes too late. */
  #asked = 0

  constructor (parts: AuditViewParts) {
    this.#parts = parts
    let typing: ReturnType<typeof setTimeout> | undefined
    this.#search.addEventListener('input', () => {
      clearTimeout(typing)
      typing = setTimeout(() => { void this.load() }, TYPING_MS)
    })
    this.#older.addEventListener('click', () => { void this.#loadOlder() })
    focusBySlash(this.#search, () => this.#isShown)
    document.addEventListener(TIMES_CHANGE, () => { if (this.#isShown) void this.load() })
  }

  showWho ({ username, can_disconnect: mayRead, permissions }: UserInfo): void {
    this.#mayRead = mayRead
    const enough = permissions.find(one => one.can_view && one.can_disconnect)
    if (enough !== undefined) {
      setText(find('audit-command'), AUDIT.command(username, enough.permission))
    }
    for (const part of document.querySelectorAll<HTMLElement>('#view-audit > .toolbar, #audit-box')) {
      part.hidden = !mayRead
    }
    find('audit-refused').hidden = mayRead
    if (this.#isShown) void this.load()
  }

  setShown (isShown: boolean): void {
    this.#isShown = isShown
    if (isShown) void this.load()
  }

  /** The newest, in place of what is shown. */
  async load (): Promise<void> {
    const search = this.#search.value.trim()
    const answer = await this.#ask(search, undefined)
    if (answer === undefined) return
    this.#shown = []
    this.#shownSearch = search
    find('audit-rows').replaceChildren()
    this.#append(answer)
  }

  async #loadOlder (): Promise<void> {
    const cursor = this.#last?.next_cursor
    if (cursor == null) return
    const answer = await this.#ask(this.#shownSearch, cursor)
    if (answer !== undefined) this.#append(answer)
  }

  async #ask (search: string, cursor: string | undefined): Promise<Audit | undefined> {
    if (this.#mayRead !== true) return undefined
    const asked = ++this.#asked
    const query = new URLSearchParams({
      ...(search === '' ? {} : { q: search }), ...(cursor === undefined ? {} : { cursor })
    })
    const answer = await this.#parts.get(`/audit?${query}`)
    return answer.isOk && asked === this.#asked ? answer.body : undefined
  }

  #append (answer: Audit): void {
    const nowMs = Date.now()
    const rows = find('audit-rows')
    let lastDay = this.#shown.length === 0 ? '' : dayOf(this.#shown.at(-1)!, nowMs)
    for (const entry of answer.entries) {
      const entryDay = dayOf(entry, nowMs)
      if (entryDay !== lastDay) rows.append(makeDayRow(entryDay))
      lastDay = entryDay
      rows.append(makeEntryRow(entry))
    }
    this.#shown = [...this.#shown, ...answer.entries]
    this.#last = answer
    this.#showFrame(answer, nowMs)
  }

  /** What stands around the entries. */
  #showFrame ({ next_cursor: nextCursor, kept }: Audit, nowMs: number): void {
    const isMore = nextCursor !== null
    const isEmpty = this.#shown.length === 0
    const isSearch = this.#shownSearch !== ''
    find('audit-foot').hidden = !isMore
    find('audit-table').hidden = isEmpty
    find('no-audit').hidden = !isEmpty
    setText(find('no-audit-title'),
      isSearch ? AUDIT.noMatchTitle(this.#shownSearch) : AUDIT.nothingTitle)
    setText(find('no-audit-text'), isSearch ? AUDIT.noMatchText : AUDIT.nothingText)
    const { oldest, entries_max: entriesMax } = kept
    const keptText = oldest === null
      ? ''
      : AUDIT.kept(moment(Date.parse(oldest), nowMs), entriesMax)
    setText(find('audit-count'),
      isSearch ? AUDIT.found(this.#shown.length, isMore) : keptText)
  }
}

function dayOf ({ at }: AuditEntry, nowMs: number): string {
  return day(Date.parse(at), nowMs)
}

function makeDayRow (text: string): HTMLElement {
  const heading = make('th', '', text)
  heading.colSpan = COLUMN_COUNT
  heading.setAttribute('role', 'rowheader')
  const row = makeRow(heading)
  row.className = 'day'
  return row
}

function makeEntryRow (entry: AuditEntry): HTMLElement {
  const words = sentenceOf(entry).map(({ text, kind }) => kind === 'word'
    ? text
    : make('b', kind === 'client' ? 'mono ltr' : 'ltr', text))
  const node = entry.node === undefined
    ? []
    : [make('span', 'muted', ` ${AUDIT.at(entry.node)}`)]
  return makeRow(
    makeCell('c-when', clock(Date.parse(entry.at))), makeCell('c-by', entry.who),
    makeCell('c-did wrap', ...words), makeCell('c-from', makeMono(entry.address), ...node))
}
