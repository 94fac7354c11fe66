/**
 * A form of the login and password pages: posts JSON instead of itself, and shows what is wrong
 * beside the field that it is about. Without it the form posts itself, and the monitor answers.
 */
import type { Failure } from './api.ts'
import { find, make, setText } from './dom.ts'
import { GATE } from './texts.ts'

export interface Complaint {
  /** The id of a field. */
  readonly field: string
  readonly text: string
}

const ERROR_ID = 'error'

/** @param submit what is wrong; undefined when the page is about to be left */
export function takeOver (
  form: HTMLFormElement, submit: () => Promise<Complaint | undefined>
): void {
  setText(find('host'), location.host)
  let isBusy = false
  form.addEventListener('submit', event => {
    event.preventDefault()
    if (isBusy) return
    isBusy = true
    find('submit').setAttribute('aria-disabled', 'true')
    void submit().then(complaint => {
      if (complaint === undefined) return
      isBusy = false
      find('submit').removeAttribute('aria-disabled')
      showComplaint(form, complaint)
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

function showComplaint (form: HTMLFormElement, { field, text }: Complaint): void {
  document.getElementById(ERROR_ID)?.remove()
  for (const input of form.querySelectorAll<HTMLInputElement>('input.input')) {
    input.removeAttribute('aria-invalid')
    describe(input, undefined)
  }
  const input = find<HTMLInputElement>(field)
  const error = make('p', 'error')
  error.id = ERROR_ID
  error.setAttribute('role', 'alert')
  input.after(error)
  // An alert is read when its text comes, not when it is there from the start.
  error.textContent = text
  input.setAttribute('aria-invalid', 'true')
  describe(input, ERROR_ID)
  input.focus()
}

/** By its hint, and by the error when there is one. */
function describe (input: HTMLInputElement, errorId: string | undefined): void {
  const hint = document.getElementById(`${input.id}-hint`)
  const ids = [errorId, hint?.id].filter(id => id !== undefined)
  if (ids.length > 0) input.setAttribute('aria-describedby', ids.join(' '))
  else input.removeAttribute('aria-describedby')
}
