/** Who did what, newest first, a page at a time, under the day that it was done on. */
import type { Answer } from './api.ts'
import { sentenceOf, type AuditEntry } from './audit-entry.ts'
import { find, make, makeCell, makeMono, makeRow } from './dom.ts'
import { clock, day } from './texts.ts'

export interface AuditAnswer {
  readonly entries: readonly AuditEntry[]
  readonly next_cursor?: string | null
}

export interface AuditViewParts {
  readonly get: (path: string) => Promise<Answer<AuditAnswer>>
}

const COLUMN_COUNT = 4

export class AuditView {
  readonly #parts: AuditViewParts
  readonly #older = find('older')
  #nextCursor = ''
  #lastDay = ''

  constructor (parts: AuditViewParts) {
    this.#parts = parts
    this.#older.addEventListener('click', () => { void this.#loadOlder() })
  }

  /** The newest, in place of what is shown. */
  async load (): Promise<void> {
    const answer = await this.#parts.get('/audit')
    if (!answer.isOk) return
    this.#lastDay = ''
    find('audit-rows').replaceChildren()
    this.#append(answer.body)
  }

  async #loadOlder (): Promise<void> {
    if (this.#nextCursor === '') return
    const query = new URLSearchParams({ cursor: this.#nextCursor })
    this.#nextCursor = ''
    const answer = await this.#parts.get(`/audit?${query}`)
    if (answer.isOk) this.#append(answer.body)
  }

  #append ({ entries, next_cursor: nextCursor }: AuditAnswer): void {
    const nowMs = Date.now()
    for (const entry of entries) {
      const atMs = Date.parse(entry.at)
      const today = day(atMs, nowMs)
      if (today !== this.#lastDay) find('audit-rows').append(makeDayRow(today))
      this.#lastDay = today
      find('audit-rows').append(makeEntryRow(entry, atMs))
    }
    this.#nextCursor = nextCursor ?? ''
    this.#older.hidden = this.#nextCursor === ''
  }
}

function makeDayRow (text: string): HTMLElement {
  const heading = make('th', '', text)
  heading.colSpan = COLUMN_COUNT
  heading.setAttribute('role', 'rowheader')
  const row = makeRow(heading)
  row.className = 'day'
  return row
}

function makeEntryRow (entry: AuditEntry, atMs: number): HTMLElement {
  const words = sentenceOf(entry).map(({ text, isName }) => isName ? make('b', 'ltr', text) : text)
  return makeRow(
    makeCell('c-when', clock(atMs)), makeCell('c-by', entry.who),
    makeCell('c-did wrap', ...words), makeCell('c-from', makeMono(entry.address)))
}
