/**
 * The few things that every view does with the page. Text goes in as text, never as markup, and
 * with its unseen characters escaped: what somebody else wrote must not be read as something else.
 */
import { visibleText } from '@usher/shared/visible-text.ts'

const SVG = 'http://www.w3.org/2000/svg'

/** An element that the page must have. */
export function find<E extends Element = HTMLElement> (id: string): E {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no #${id}`)
  return element as unknown as E
}

export function make<Name extends keyof HTMLElementTagNameMap> (
  name: Name, className: string, ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  if (className !== '') element.className = className
  element.append(...children.map(child => typeof child === 'string' ? visibleText(child) : child))
  return element
}

/** A row whose roles are written out, because a phone's layout drops them. */
export function makeRow (...cells: readonly HTMLElement[]): HTMLTableRowElement {
  const row = make('tr', '', ...cells)
  row.setAttribute('role', 'row')
  return row
}

export function makeCell (
  className: string, ...children: ReadonlyArray<Node | string>
): HTMLTableCellElement {
  const cell = make('td', className, ...children)
  cell.setAttribute('role', 'cell')
  return cell
}

/** An id or an address: it reads from left to right whatever the page does. */
export function makeMono (text: string): HTMLElement {
  return make('span', 'mono ltr', text)
}

/** A symbol of the page's own sheet, for the eye only. */
export function makeIcon (id: string, className = 'icon'): SVGElement {
  const icon = makeSvg('svg', { class: className, 'aria-hidden': 'true' })
  icon.append(makeSvg('use', { href: `#${id}` }))
  return icon
}

export function makeSvg (name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}

/** Text that stands is left alone: a screen reader would read it again. */
export function setText (element: Element, text: string): void {
  const shown = visibleText(text)
  if (element.textContent !== shown) element.textContent = shown
}

/** The children of an element as a list changes: what stays is not touched, and keeps the focus. */
export function showInOrder (parent: Element, elements: readonly Element[]): void {
  const kept = new Set(elements)
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove()
  let place = parent.firstElementChild
  for (const element of elements) {
    if (element === place) place = place.nextElementSibling
    else parent.insertBefore(element, place)
  }
}
