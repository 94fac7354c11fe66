/** Says what became of an action, for the eye and for screen readers, and then goes away. */
import { find, make, setText } from './dom.ts'

const SHOWN_MS = 8000
/** What did not work should not be missed. */
const FAILURE_SHOWN_MS = 30_000

let hide: ReturnType<typeof setTimeout> | undefined

export function sayDone (text: string): void {
  say(text, 'toast', SHOWN_MS)
}

export function sayFailed (text: string): void {
  say(text, 'toast down', FAILURE_SHOWN_MS)
}

/** For screen readers only: the page shows it anyway. */
export function announce (text: string): void {
  setText(find('announcer'), text)
}

function say (text: string, className: string, shownMs: number): void {
  clearTimeout(hide)
  const region = find('result')
  region.replaceChildren(make('div', className, make('p', '', text)))
  hide = setTimeout(() => { region.replaceChildren() }, shownMs)
}
