/**
 * The toast that tells the result of an action, also to screen readers, and then closes by itself:
 * later, while the pointer or the focus is on it. Has the Undo button where the action can be
 * undone.
 */
import { Countdown } from './countdown.ts'
import { find, make, makeIcon, setText } from './dom.ts'
import { RESULT } from './texts.ts'

const SHOWN_MS = 8000
/** An error stays longer, so that it is not missed. */
const FAILURE_SHOWN_MS = 30_000
const UNDO_SHOWN_MS = 10_000
const TICK_MS = 200

interface Toast {
  readonly text: string
  readonly className: string
  readonly shownMs: number
  readonly undo?: (() => void) | undefined
}

let stop: () => void = () => {}

export function sayDone (text: string, undo?: () => void): void {
  say({ text, className: 'toast', shownMs: undo === undefined ? SHOWN_MS : UNDO_SHOWN_MS, undo })
}

export function sayFailed (text: string, undo?: () => void): void {
  say({ text, className: 'toast down', shownMs: FAILURE_SHOWN_MS, undo })
}

/** The progress. A screen reader is told what is going on, not each number. */
export function sayProgress (what: string, done: number, total: number): void {
  const region = find('result')
  let toast = region.querySelector('.toast.going')
  if (toast === null) {
    stop()
    toast = make('div', 'toast going', make('p', ''), make('span', 'left'))
    toast.lastElementChild!.setAttribute('aria-hidden', 'true')
    region.replaceChildren(toast)
  }
  setText(toast.firstElementChild!, what)
  setText(toast.lastElementChild!, RESULT.progress(done, total))
}

/** For screen readers only: the page shows it anyway. */
export function announce (text: string): void {
  setText(find('announcer'), text)
}

function say ({ text, className, shownMs, undo }: Toast): void {
  stop()
  const left = make('span', 'left')
  left.setAttribute('aria-hidden', 'true')
  const toast = make('div', className, make('p', '', text))
  if (undo !== undefined) toast.append(left, makeUndo(undo))
  toast.append(makeClose())
  const region = find('result')
  region.replaceChildren(toast)
  const countdown = runDown(toast, shownMs, leftMs => {
    setText(left, RESULT.left(Math.ceil(leftMs / 1000)))
  })
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || document.querySelector('dialog[open]') !== null) return
    event.preventDefault() // Marks the event as handled, for other listeners.
    stop()
  }
  addEventListener('keydown', onKey, { capture: true })
  stop = () => {
    clearInterval(countdown)
    removeEventListener('keydown', onKey, { capture: true })
    const hadFocus = toast.contains(document.activeElement)
    toast.remove()
    stop = () => {}
    // Keys go on from the content; the focus must not fall back to the top of the page.
    if (hadFocus) find('main').focus({ preventScroll: true })
  }
}

function runDown (
  toast: HTMLElement, shownMs: number, onTick: (leftMs: number) => void
): ReturnType<typeof setInterval> {
  const countdown = new Countdown(shownMs, Date.now())
  const hold = (): void => {
    const isAtIt = toast.matches(':hover') || toast.contains(document.activeElement)
    if (isAtIt) countdown.pause(Date.now())
    else countdown.resume(Date.now())
  }
  for (const event of ['pointerenter', 'pointerleave', 'focusin', 'focusout']) {
    toast.addEventListener(event, () => { queueMicrotask(hold) })
  }
  onTick(shownMs)
  return setInterval(() => {
    hold()
    const leftMs = countdown.leftMs(Date.now())
    if (leftMs === 0) stop()
    else onTick(leftMs)
  }, TICK_MS)
}

function makeUndo (undo: () => void): HTMLElement {
  const button = make('button', 'btn small', RESULT.undo)
  button.type = 'button'
  button.addEventListener('click', () => {
    stop()
    undo()
  })
  return button
}

function makeClose (): HTMLElement {
  const button = make('button', 'btn small quiet icononly')
  button.type = 'button'
  button.setAttribute('aria-label', RESULT.close)
  button.append(makeIcon('icon-clear'))
  button.addEventListener('click', () => { stop() })
  return button
}
