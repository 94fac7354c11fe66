/**
 * The users, a page at a time: search, server, order, selection. The list holds still while it is
 * pointed at, focused or selected in; otherwise news from the servers bring a fresh one.
 */
import type { Answer } from './api.ts'
import { find, make, makeCell, makeMono, makeRow, setText } from './dom.ts'
import { colourClass, serversOf, type Stats } from './stats.ts'
import { ago, clock, USERS } from './texts.ts'
import { Selection, usersPath, type User, type UsersAnswer, type UsersQuery } from './users-page.ts'

export interface UsersViewParts {
  readonly get: (path: string) => Promise<Answer<UsersAnswer>>
  readonly disconnect: (users: readonly User[]) => void
  readonly deny: (users: readonly User[]) => void
}

const TYPING_PAUSE_MS = 150
const REFRESH_EVERY_MS = 3000

export class UsersView {
  readonly #parts: UsersViewParts
  readonly #selection = new Selection()
  readonly #ports: number[] = []
  #query: UsersQuery = { search: '', server: '', sort: 'place', cursor: '' }
  #nextCursor = ''
  #rows: Array<{ row: HTMLElement, check: HTMLInputElement | undefined, user: User }> = []
  #canAct = false
  #isShown = false
  #askedCount = 0
  #askedMs = 0
  #typing: ReturnType<typeof setTimeout> | undefined

  constructor (parts: UsersViewParts) {
    this.#parts = parts
    this.#listenToFilters()
    this.#listenToSelection()
    find('refresh-users').addEventListener('click', () => { void this.load() })
    find('first-page').addEventListener('click', () => { this.#ask({ cursor: '' }) })
    find('next-page').addEventListener('click', () => {
      if (this.#nextCursor !== '') this.#ask({ cursor: this.#nextCursor })
    })
  }

  allowActions (): void {
    this.#canAct = true
    find('users-table').classList.remove('viewer')
    void this.load()
  }

  setShown (isShown: boolean): void {
    this.#isShown = isShown
    if (isShown) void this.load()
  }

  /** News from the servers: their ports, and a reason to look again. */
  hear (stats: Stats, nowMs: number): void {
    for (const { port, index } of serversOf(stats).slice(this.#ports.length)) {
      this.#ports.push(Number(port))
      find('server-filter').append(makeServerChoice(port, index))
    }
    if (this.#isShown && nowMs - this.#askedMs >= REFRESH_EVERY_MS && !this.#holdsStill()) {
      void this.load()
    }
  }

  async load (): Promise<void> {
    const asked = ++this.#askedCount
    this.#askedMs = Date.now()
    const answer = await this.#parts.get(usersPath(this.#query))
    // An answer that was overtaken by a later question is no news.
    if (asked !== this.#askedCount || !answer.isOk) return
    this.#show(answer.body)
  }

  clearSelection (): void {
    this.#selection.setAll(false)
    this.#showSelection()
  }

  #ask (change: Partial<UsersQuery>): void {
    this.#query = { ...this.#query, cursor: '', ...change }
    this.clearSelection()
    void this.load()
  }

  #listenToFilters (): void {
    const search = find<HTMLInputElement>('search')
    search.addEventListener('input', () => {
      clearTimeout(this.#typing)
      this.#typing = setTimeout(() => this.#ask({ search: search.value.trim() }), TYPING_PAUSE_MS)
    })
    find('server-filter').addEventListener('change', event => {
      this.#ask({ server: (event.target as HTMLInputElement).value })
    })
    const sort = find<HTMLSelectElement>('sort')
    sort.addEventListener('change', () => { this.#ask({ sort: sort.value }) })
    addEventListener('keydown', event => {
      if (!this.#isShown || document.querySelector('dialog[open]') !== null) return
      if (event.key === '/' && !isTyping(event.target)) {
        event.preventDefault()
        search.focus()
      }
      if (event.key === 'Escape') this.clearSelection()
    })
  }

  #listenToSelection (): void {
    const all = find<HTMLInputElement>('select-all')
    all.addEventListener('change', () => {
      this.#selection.setAll(all.checked)
      this.#showSelection()
    })
    find('clear-selection').addEventListener('click', () => { this.clearSelection() })
    find('disconnect').addEventListener('click', () => {
      this.#parts.disconnect(this.#selection.users)
    })
    find('deny').addEventListener('click', () => { this.#parts.deny(this.#selection.users) })
  }

  #holdsStill (): boolean {
    const rows = find('users')
    return this.#selection.users.length > 0 || rows.matches(':hover') ||
      rows.contains(document.activeElement)
  }

  #show ({ users, matched, next_cursor: nextCursor }: UsersAnswer): void {
    this.#nextCursor = nextCursor ?? ''
    this.#selection.show(users)
    const nowMs = Date.now()
    this.#rows = users.map((user, index) => this.#makeUserRow(user, index, nowMs))
    find('users').replaceChildren(...this.#rows.map(({ row }) => row))
    setText(find('user-count'), USERS.found(matched))
    const { search, server } = this.#query
    const isFiltered = search !== '' || server !== ''
    setText(find('nobody-title'), search === '' ? USERS.noneTitle : USERS.nobodyTitle(search))
    setText(find('nobody-text'), isFiltered ? USERS.nobodyText : USERS.noneText)
    find('nobody').hidden = users.length > 0
    setEnabled(find('first-page'), this.#query.cursor !== '')
    setEnabled(find('next-page'), this.#nextCursor !== '')
    this.#showSelection()
  }

  #makeUserRow (user: User, index: number, nowMs: number) {
    const check = this.#canAct ? makeCheck(user) : undefined
    const firstSeenMs = Date.parse(user.first_seen)
    const row = makeRow(
      ...(check === undefined ? [] : [makeCell('c-check', check)]),
      makeCell('c-id', makeMono(user.id),
        ...(user.kind === 'ip' ? [' ', make('span', 'tag', USERS.noId)] : [])),
      makeCell('c-addr', makeMono(user.address)),
      makeCell('c-srv', make('span', `id ${colourClass(this.#ports.indexOf(user.server))}`,
        make('i', 'swatch'), String(user.server))),
      makeCell('c-first lo2 num', clock(firstSeenMs)),
      makeCell('c-last num', ago(Date.parse(user.last_seen), nowMs)))
    row.addEventListener('mousedown', event => {
      if (event.shiftKey && check !== undefined) event.preventDefault() // Would select text.
    })
    row.addEventListener('click', event => {
      if (check === undefined || (isTextSelected() && !event.shiftKey)) return
      const isSelected = event.target === check ? check.checked : !this.#selection.has(user)
      this.#selection.set(index, isSelected, event.shiftKey)
      this.#showSelection()
    })
    return { row, check, user }
  }

  #showSelection (): void {
    const { users, isWhole } = this.#selection
    for (const { row, check, user } of this.#rows) {
      if (check === undefined) continue
      check.checked = this.#selection.has(user)
      row.classList.toggle('selected', check.checked)
    }
    const all = find<HTMLInputElement>('select-all')
    all.checked = isWhole
    all.indeterminate = users.length > 0 && !isWhole
    const bar = find('selection')
    // The focus would be lost with the button that has it.
    if (users.length === 0 && bar.contains(document.activeElement)) all.focus()
    bar.hidden = users.length === 0
    setText(find('selected-count'), USERS.selected(users.length))
  }
}

function makeServerChoice (port: string, index: number): HTMLElement {
  const radio = make('input', '')
  radio.type = 'radio'
  radio.name = 'server'
  radio.value = port
  return make('label', '', radio,
    make('span', '', make('i', `swatch ${colourClass(index)}`), port))
}

function makeCheck ({ id }: User): HTMLInputElement {
  const check = make('input', 'check')
  check.type = 'checkbox'
  check.setAttribute('aria-label', USERS.select(id))
  return check
}

function setEnabled (button: HTMLElement, isEnabled: boolean): void {
  if (isEnabled) button.removeAttribute('aria-disabled')
  else button.setAttribute('aria-disabled', 'true')
}

function isTyping (target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type !== 'checkbox' && target.type !== 'radio'
}

/** Who drags over an id wants to copy it. */
function isTextSelected (): boolean {
  return getSelection()?.isCollapsed === false
}
