/** `/password.js`: changes the password without leaving the page when it does not work. */
import { Api } from './api.ts'
import { find } from './dom.ts'
import { refusalText, takeOver, type Complaint } from './gate-form.ts'
import { GATE } from './texts.ts'

const HOME = '/tracker.html'
const LOGIN_PAGE = '/login.html'

const current = find<HTMLInputElement>('current')
const next = find<HTMLInputElement>('next')
const repeat = find<HTMLInputElement>('repeat')
const api = new Api({ fetch: (path, init) => fetch(path, init) })

takeOver(find<HTMLFormElement>('form'), async () => {
  if (repeat.value !== next.value) {
    repeat.value = ''
    return { field: 'repeat', text: GATE.repeatDiffers }
  }
  const answer = await api.post('/password', { current: current.value, next: next.value })
  if (answer.isOk) {
    location.assign(HOME)
    return undefined
  }
  if (answer.status === 401) {
    location.assign(LOGIN_PAGE)
    return undefined
  }
  return { field: fieldOf(answer.error), text: refusalText(answer) } satisfies Complaint
})
void nameAccount()
current.focus()

/** What is refused as a password is about the new one; all else is about who asks. */
function fieldOf (error: string): 'current' | 'next' {
  return error === 'bad_request' ? 'next' : 'current'
}

/** A password manager files the new password under the name that is in the form. */
async function nameAccount (): Promise<void> {
  const answer = await api.get<{ username: string }>('/user-info')
  if (answer.isOk) find<HTMLInputElement>('username').value = answer.body.username
}
