/**
 * The grid of users: of the whole list only the rows around what can be seen are in the page. Turns
 * scrolling, clicks and keys into rows, focus and selection; `user-pages.ts` knows who is in them.
 */
import type { User } from '@usher/shared/api/users.ts'
import { find, setText } from '../kit/dom.ts'
import { keyMove } from './grid-keys.ts'
import { listPx, rowsInView, scrollFor, windowAt, type ListShape } from './row-window.ts'
import { SELECTED_MAX, type Selection } from './selection.ts'
import { USERS } from '../kit/texts.ts'
import { UserRow, type UserServer } from './user-row.ts'
import type { UserPages } from './user-pages.ts'

export interface UsersGridParts {
  readonly pages: UserPages
  readonly selection: Selection
  readonly onSelect: () => void
  readonly serverOf: (user: User) => UserServer
  /** The monitor's clock. */
  readonly now: () => number
}

/** Until one has been measured. */
const ROW_PX_GUESS = 36

export class UsersGrid {
  readonly #parts: UsersGridParts
  readonly #scroller = find('users-scroll')
  readonly #body = find('users')
  readonly #rows = new Map<number, UserRow>()
  #canAct = false
  #rowPx = ROW_PX_GUESS
  /** Where the keyboard is. */
  #active = 0
  /** Where a range begins; undefined when it begins where the keyboard is. */
  #anchor: number | undefined
  #rangeCount = 0

  constructor (parts: UsersGridParts) {
    this.#parts = parts
    this.#scroller.addEventListener('scroll', () => { this.render() })
    this.#scroller.addEventListener('keydown', event => { this.#onKey(event) })
    this.#body.addEventListener('mousedown', event => {
      if (event.shiftKey && this.#canAct) event.preventDefault() // Would select text.
    })
    this.#body.addEventListener('click', event => { this.#onClick(event) })
    this.#body.addEventListener('focusin', event => {
      const row = this.#rowOf(event.target)
      if (row !== undefined) this.#setActive(row.index)
    })
    new ResizeObserver(() => { this.render() }).observe(this.#scroller)
  }

  /** While the pointer or the focus is on the list, nothing may move. */
  get isHeld (): boolean {
    return this.#parts.selection.size > 0 || this.#scroller.scrollTop > 0 ||
      this.#scroller.matches(':hover') || this.#scroller.contains(document.activeElement)
  }

  get firstInView (): number {
    return rowsInView(this.#scroller.scrollTop, this.#shape()).first
  }

  /** Before the first row is shown. */
  allowActions (): void {
    this.#canAct = true
  }

  /** Another list begins at its top. */
  begin (): void {
    this.#anchor = undefined
    this.#active = 0
    this.#rangeCount++
    this.#scroller.scrollTop = 0
    this.render()
  }

  focus (): void {
    if (this.#parts.pages.matched > 0) this.#focusRow(this.#active)
  }

  render (): void {
    if (this.#scroller.offsetParent === null) return // Not shown.
    // The panel is as high as its list, up to a bound: what can be seen is known after that.
    this.#body.style.blockSize = `${listPx(this.#shape())}px`
    const shape = this.#shape()
    const { first, end, topPx } = windowAt(this.#scroller.scrollTop, shape)
    this.#body.style.paddingBlockStart = `${topPx}px`
    find('users-table').setAttribute('aria-rowcount', String(shape.count + 1))
    this.#placeRows(first, end)
    this.#showRange(shape)
    this.#parts.pages.want(first, end)
    this.#measure()
  }

  showSelection (): void {
    for (const row of this.#rows.values()) {
      row.mark(row.user !== undefined && this.#parts.selection.has(row.user))
    }
  }

  tick (): void {
    for (const row of this.#rows.values()) row.tick(this.#parts.now())
  }

  #shape (): ListShape {
    const headPx = find('users-head').offsetHeight
    return {
      count: this.#parts.pages.matched,
      rowPx: this.#rowPx,
      viewPx: this.#scroller.clientHeight - (headPx > 1 ? headPx : 0)
    }
  }

  /** Rows that stay are not moved in the page: the one that has the focus would lose it. */
  #placeRows (first: number, end: number): void {
    const spare: UserRow[] = []
    for (const [index, row] of this.#rows) {
      if (index >= first && index < end) continue
      this.#rows.delete(index)
      this.#keepFocus(row)
      row.element.remove()
      spare.push(row)
    }
    let before: Element | null = this.#body.firstElementChild
    for (let index = first; index < end; index++) {
      let row = this.#rows.get(index)
      if (row === undefined) {
        row = spare.pop() ?? new UserRow(this.#canAct)
        this.#rows.set(index, row)
      }
      const { element } = row
      if (element === before) before = element.nextElementSibling
      else this.#body.insertBefore(element, before)
      this.#fill(row, index)
    }
    this.#setActive(this.#active)
    this.showSelection()
    if (document.activeElement === this.#scroller) {
      this.#rows.get(this.#active)?.element.focus({ preventScroll: true })
    }
  }

  #fill (row: UserRow, index: number): void {
    const user = this.#parts.pages.at(index)
    const server = user === undefined ? undefined : this.#parts.serverOf(user)
    row.fill(index, user, server, this.#parts.now())
  }

  /** The row with the focus goes out of sight; the keys go on from there. */
  #keepFocus ({ element }: UserRow): void {
    if (element.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true })
  }

  #showRange (shape: ListShape): void {
    const { first, end } = rowsInView(this.#scroller.scrollTop, shape)
    setText(find('users-range'), USERS.range(first + 1, end, shape.count))
    find('users-table').setAttribute('aria-busy', String(this.#parts.pages.isLoading))
  }

  #measure (): void {
    const [row] = this.#rows.values()
    const rowPx = row?.element.getBoundingClientRect().height ?? 0
    if (rowPx < 1 || Math.abs(rowPx - this.#rowPx) < 0.1) return
    this.#rowPx = rowPx
    this.render()
  }

  /** One row is a stop of the tabulator: where the keyboard was, or the first in view. */
  #setActive (index: number): void {
    this.#active = index
    const stop = this.#rows.has(index) ? index : this.firstInView
    for (const [at, { element }] of this.#rows) element.tabIndex = at === stop ? 0 : -1
  }

  #focusRow (index: number): void {
    const shape = this.#shape()
    const barPx = find('selection').offsetHeight
    const viewPx = Math.max(shape.rowPx, shape.viewPx - barPx)
    this.#active = index
    this.#scroller.scrollTop = scrollFor(index, this.#scroller.scrollTop, { ...shape, viewPx })
    this.render()
    this.#rows.get(index)?.element.focus({ preventScroll: true })
  }

  #rowOf (target: EventTarget | null): UserRow | undefined {
    const element = (target as Element).closest('tr')
    return [...this.#rows.values()].find(row => row.element === element)
  }

  #onClick (event: MouseEvent): void {
    const row = this.#rowOf(event.target)
    const isCheck = event.target instanceof HTMLInputElement
    if (row?.user === undefined) return
    // Dragging over an id selects its text, for copying.
    if (getSelection()?.isCollapsed === false && !event.shiftKey && !isCheck) return
    row.element.focus({ preventScroll: true })
    if (!this.#canAct) return
    if (event.shiftKey) {
      this.#anchor ??= row.index
      void this.#extendTo(row.index)
    } else {
      this.#toggle(row.index)
    }
    this.showSelection()
  }

  #onKey (event: KeyboardEvent): void {
    const { matched } = this.#parts.pages
    const shape = this.#shape()
    const pageRows = Math.max(1, Math.floor(shape.viewPx / shape.rowPx) - 1)
    const next = event.ctrlKey || event.metaKey || event.altKey
      ? undefined
      : keyMove(event.key, this.#active, matched, pageRows)
    if (next !== undefined) {
      event.preventDefault()
      this.#anchor = event.shiftKey ? this.#anchor ?? this.#active : undefined
      if (event.shiftKey && this.#canAct) void this.#extendTo(next)
      else this.#parts.selection.endRange()
      this.#focusRow(next)
    } else if (event.key === ' ' && this.#canAct) {
      event.preventDefault()
      if (event.shiftKey) void this.#extendTo(this.#active)
      else this.#toggle(this.#active)
    }
  }

  #toggle (index: number): void {
    const user = this.#parts.pages.at(index)
    if (user === undefined) return
    this.#anchor = index
    this.#parts.selection.toggle(user)
    this.#parts.onSelect()
  }

  /** From the anchor to here, as many as may be selected. */
  async #extendTo (index: number): Promise<void> {
    const anchor = this.#anchor ?? this.#active
    this.#anchor = anchor
    const count = Math.min(SELECTED_MAX, Math.abs(index - anchor) + 1)
    const asked = ++this.#rangeCount
    const users = await this.#parts.pages.range(index < anchor ? anchor - count + 1 : anchor, count)
    if (users === undefined || asked !== this.#rangeCount) return
    this.#parts.selection.extend(users)
    this.#parts.onSelect()
  }
}
