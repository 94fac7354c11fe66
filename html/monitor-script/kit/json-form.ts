/**
 * A form that posts JSON instead of itself, and shows what is wrong beside the field that it is
 * about. On the pages of login and password the form posts itself without it, and the monitor
 * answers.
 */
import type { Failure } from './api.ts'
import { find, make } from './dom.ts'
import { GATE } from './texts.ts'

export interface Complaint {
  /** The id of a field. */
  readonly field: string
  readonly text: string
}

/** Leaving: the form stays as it is until the next page is there. */
export type Submitted = Complaint | 'done' | 'leaving'

export function takeOver (form: HTMLFormElement, submit: () => Promise<Submitted>): void {
  const button = form.querySelector('[type="submit"]')!
  let isBusy = false
  form.addEventListener('submit', event => {
    event.preventDefault()
    if (isBusy) return
    isBusy = true
    button.setAttribute('aria-disabled', 'true')
    void submit().then(submitted => {
      if (submitted === 'leaving') return
      isBusy = false
      button.removeAttribute('aria-disabled')
      clearComplaint(form)
      if (submitted !== 'done') showComplaint(form, submitted)
    })
  })
}

/** What the monitor's refusal means, when it is not about a field. */
export function refusalText (failure: Failure): string {
  if (failure.status === 0) return GATE.unreachable
  if (failure.status === 401) return GATE.noMatch
  if (failure.status === 429) return GATE.tooMany(failure.retryAfterS)
  if (failure.error === 'busy') return GATE.busy(failure.retryAfterS)
  return failure.message
}

function clearComplaint (form: HTMLFormElement): void {
  form.querySelector('.error')?.remove()
  for (const input of form.querySelectorAll<HTMLInputElement>('input.input')) {
    input.removeAttribute('aria-invalid')
    describe(input, undefined)
  }
}

function showComplaint (form: HTMLFormElement, { field, text }: Complaint): void {
  const input = find<HTMLInputElement>(field)
  const error = make('p', 'error')
  error.id = `${form.id}-error`
  error.setAttribute('role', 'alert')
  input.after(error)
  // An alert is read when its text comes, not when it is there from the start.
  error.textContent = text
  input.setAttribute('aria-invalid', 'true')
  describe(input, error.id)
  input.focus()
}

/** By its hint, and by the error when there is one. */
function describe (input: HTMLInputElement, errorId: string | undefined): void {
  const hint = document.getElementById(`${input.id}-hint`)
  const ids = [errorId, hint?.id].filter(id => id !== undefined)
  if (ids.length > 0) input.setAttribute('aria-describedby', ids.join(' '))
  else input.removeAttribute('aria-describedby')
}
