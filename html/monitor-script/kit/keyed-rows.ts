/**
 * The rows of a table as its list changes: a row that shows what it showed stays the element that
 * it is, in its place, and so the focus stays in it. Where a row goes that has the focus, the one
 * that takes its place gets it.
 */
import { showInOrder } from './dom.ts'

export interface KeyedRowsParts<Item> {
  readonly body: HTMLElement
  readonly keyOf: (item: Item) => string
  /** Everything that the row shows: when it is another, the row is made anew. */
  readonly shownBy: (item: Item) => string
  readonly make: (item: Item) => HTMLElement
  /** Gets the focus when no row is left for it. */
  readonly focusOtherwise: HTMLElement
}

interface Row {
  readonly element: HTMLElement
  readonly shown: string
}

const FOCUSABLE = 'button, a[href], input'

export class KeyedRows<Item> {
  readonly #parts: KeyedRowsParts<Item>
  #rows = new Map<string, Row>()

  constructor (parts: KeyedRowsParts<Item>) {
    this.#parts = parts
  }

  show (items: readonly Item[]): void {
    const { body } = this.#parts
    const focused = document.activeElement
    const focusedIndex = body.contains(focused)
      ? [...body.children].findIndex(row => row.contains(focused))
      : undefined
    const rows = new Map(items.map(item => [this.#parts.keyOf(item), this.#rowOf(item)]))
    showInOrder(body, [...rows.values()].map(({ element }) => element))
    this.#rows = rows
    if (focusedIndex !== undefined && document.activeElement !== focused) {
      this.#focus(focused, focusedIndex)
    }
  }

  #rowOf (item: Item): Row {
    const row = this.#rows.get(this.#parts.keyOf(item))
    const shown = this.#parts.shownBy(item)
    return row?.shown === shown ? row : { element: this.#parts.make(item), shown }
  }

  /** The element that had it if it was only moved; else what can have it in the row's place. */
  #focus (focused: Element | null, index: number): void {
    const { body, focusOtherwise } = this.#parts
    const row = body.children[Math.min(index, body.children.length - 1)]
    const target = body.contains(focused) ? focused : row?.querySelector(FOCUSABLE)
    if (target instanceof HTMLElement) target.focus()
    else focusOtherwise.focus()
  }
}
