/**
 * The tools around the list of users: search, server, order, and what stands there when nobody is
 * found. Says what is asked for; fetches nothing.
 */
import type { UsersSort } from '@usher/shared/api/users.ts'
import { offerCopy } from '../kit/clipboard.ts'
import { find, make, setText } from '../kit/dom.ts'
import { colourClass } from '../kit/console-servers.ts'
import { USERS } from '../kit/texts.ts'
import { Typing } from './typing.ts'
import { EVERYBODY, isSort, type UsersQuery } from './users-page.ts'

export interface UsersToolsParts {
  /** @param isTyped from one keystroke to the next */
  readonly onChange: (query: UsersQuery, isTyped: boolean) => void
  readonly isShown: () => boolean
  /** Clears the selection; false when there was none. */
  readonly clear: () => boolean
}

/** Between two searches, while somebody types. */
const TYPING_PAUSE_MS = 80

export class UsersTools {
  readonly #parts: UsersToolsParts
  readonly #search = find<HTMLInputElement>('search')
  readonly #sort = find<HTMLSelectElement>('sort')
  #query: UsersQuery = EVERYBODY
  readonly #typing = new Typing({
    onText: text => { this.#searchFor(text) },
    schedule: action => { setTimeout(action, TYPING_PAUSE_MS) }
  })

  constructor (parts: UsersToolsParts) {
    this.#parts = parts
    this.#search.addEventListener('input', () => {
      this.#typing.type(this.#search.value)
    })
    find('server-filter').addEventListener('change', event => {
      this.#change({ server: (event.target as HTMLInputElement).value })
    })
    this.#sort.addEventListener('change', () => {
      if (isSort(this.#sort.value)) this.#change({ sort: this.#sort.value })
    })
    for (const button of sortButtons()) {
      button.addEventListener('click', () => { this.#sortBy(button.dataset['sort']!) })
    }
    this.#listenToEmpty()
    addEventListener('keydown', event => { this.#onKey(event) })
  }

  /** In their order, behind that for all; other nodes, as NODE/, behind the own servers. */
  showServers (names: readonly string[], nodes: readonly string[]): void {
    const filter = find('server-filter')
    for (const label of [...filter.querySelectorAll('label')].slice(1)) label.remove()
    filter.append(
      ...names.map((name, index) => makeServerRadio(name, make('i', `swatch ${colourClass(index)}`), name)),
      ...nodes.map(node => makeServerRadio(node, node.slice(0, -1))))
    // Not the search: somebody may be typing, ahead of what was asked for.
    this.#showServer()
  }

  /** The server that the query asks for is none any more. */
  forgetServer (): void {
    this.#change({ server: '' }, true)
  }

  show (query: UsersQuery): void {
    this.#query = query
    const { search, sort } = query
    // What is typed may have a space at its end that is not asked for.
    if (document.activeElement !== this.#search || this.#search.value.trim() !== search) {
      this.#search.value = search
    }
    this.#sort.value = sort
    this.#showServer()
    for (const button of sortButtons()) {
      const isIt = button.dataset['sort'] === sort
      const header = button.closest('th')!
      header.setAttribute('aria-sort', isIt ? 'descending' : 'none')
      header.classList.toggle('sorted', isIt)
    }
  }

  /** When nobody is found: says why, and what can be done. */
  showNobody ({ search, server }: UsersQuery): void {
    const isFiltered = search !== '' || server !== ''
    const where = server.replace(/\/$/, '')
    setText(find('nobody-title'), USERS.nobodyTitle(search, where))
    setText(find('nobody-text'), USERS.nobodyText(search, where))
    find('nobody-command').hidden = isFiltered
    find('clear-search').hidden = search === ''
    find('all-servers').hidden = server === ''
    find('search-elsewhere').hidden = search === ''
  }

  #showServer (): void {
    const radios = find('server-filter').querySelectorAll<HTMLInputElement>('input')
    for (const radio of radios) radio.checked = radio.value === this.#query.server
  }

  #change (change: Partial<UsersQuery>, isTyped = false): void {
    this.#typing.forget()
    // The last keystrokes may not have been passed on.
    const search = this.#search.value.trim()
    this.#parts.onChange({ ...this.#query, search, ...change }, isTyped)
  }

  #searchFor (text: string): void {
    const search = text.trim()
    if (search !== this.#query.search) this.#change({ search }, true)
  }

  /** The order that is there already is taken away. */
  #sortBy (sort: string): void {
    const next: UsersSort = isSort(sort) && sort !== this.#query.sort ? sort : 'place'
    this.#change({ sort: next })
  }

  #listenToEmpty (): void {
    find('clear-search').addEventListener('click', () => {
      this.#search.focus()
      this.#search.value = ''
      this.#change({ search: '' })
    })
    find('all-servers').addEventListener('click', () => {
      this.#search.focus()
      this.#change({ server: '' })
    })
    offerCopy(find('copy-command'), find('command'))
  }

  #onKey (event: KeyboardEvent): void {
    if (!this.#parts.isShown() || event.defaultPrevented) return
    if (document.querySelector('dialog[open]') !== null) return
    if (event.key === '/' && !isTyping(event.target)) {
      event.preventDefault()
      this.#search.select()
      this.#search.focus()
    }
    if (event.key !== 'Escape') return
    event.preventDefault()
    if (this.#parts.clear() || this.#search.value === '') return
    this.#search.value = ''
    this.#searchFor('')
  }
}

function makeServerRadio (
  value: string, ...label: ReadonlyArray<Node | string>
): HTMLElement {
  const radio = make('input', '')
  radio.type = 'radio'
  radio.name = 'server'
  radio.value = value
  return make('label', '', radio, make('span', '', ...label))
}

function sortButtons (): NodeListOf<HTMLButtonElement> {
  return document.querySelectorAll<HTMLButtonElement>('#users-table th button')
}

function isTyping (target: EventTarget | null): boolean {
  return target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && target.type !== 'checkbox' && target.type !== 'radio')
}
