/** One row of the users: made once, and filled with the user who is there now. */
import type { User } from '@usher/shared/api/users.ts'
import { make, makeCell, makeMono, makeRow, setText } from '../kit/dom.ts'
import { ago, clock, USERS } from '../kit/texts.ts'

/** The first row below the header is the second of the grid. */
const ROWS_ABOVE = 2

/** Where a user is, as it is shown. */
export interface UserServer {
  readonly name: string
  /** A class of the style sheet; empty for none. */
  readonly colour: string
}

export class UserRow {
  readonly element: HTMLTableRowElement
  readonly #check: HTMLInputElement | undefined
  readonly #id = makeMono('')
  readonly #tag = make('span', 'tag', USERS.noId)
  readonly #address = makeMono('')
  readonly #server = make('span', 'id')
  readonly #serverName = make('span', '')
  readonly #firstSeen = makeCell('c-first lo2 num')
  readonly #lastSeen = makeCell('c-last num')
  #user: User | undefined
  index = -1

  /** @param canAct with a box to check */
  constructor (canAct: boolean) {
    this.#server.append(make('i', 'swatch'), this.#serverName)
    this.#check = canAct ? makeCheck() : undefined
    const cells = [
      ...(this.#check === undefined ? [] : [makeCell('c-check', this.#check)]),
      makeCell('c-id', this.#id, ' ', this.#tag),
      makeCell('c-addr', this.#address),
      makeCell('c-srv', this.#server),
      this.#firstSeen,
      this.#lastSeen
    ]
    for (const cell of cells) cell.setAttribute('role', 'gridcell')
    this.element = makeRow(...cells)
    this.element.tabIndex = -1
  }

  get user (): User | undefined {
    return this.#user
  }

  /** @param user undefined while the row's page is being fetched, as the server */
  fill (
    index: number, user: User | undefined, server: UserServer | undefined, nowMs: number
  ): void {
    this.index = index
    this.#user = user
    this.element.setAttribute('aria-rowindex', String(index + ROWS_ABOVE))
    this.element.classList.toggle('unknown', user === undefined)
    setText(this.#id, user?.id ?? '')
    this.#tag.hidden = user?.kind !== 'ip'
    setText(this.#address, user?.address ?? '')
    this.#server.className = `id ${server?.colour ?? ''}`
    setText(this.#serverName, server?.name ?? '')
    setText(this.#firstSeen, user === undefined ? '' : clock(Date.parse(user.first_seen)))
    this.#check?.setAttribute('aria-label', USERS.select(user?.id ?? ''))
    this.tick(nowMs)
  }

  mark (isSelected: boolean): void {
    if (this.#check === undefined) return
    this.#check.checked = isSelected
    this.element.classList.toggle('selected', isSelected)
    this.element.setAttribute('aria-selected', String(isSelected))
  }

  /** Updates the ages that are shown. */
  tick (nowMs: number): void {
    const user = this.#user
    setText(this.#lastSeen, user === undefined ? '' : ago(Date.parse(user.last_seen), nowMs))
  }
}

/** Not a stop of the tabulator: Space on the row does it. */
function makeCheck (): HTMLInputElement {
  const check = make('input', 'check')
  check.type = 'checkbox'
  check.tabIndex = -1
  return check
}
