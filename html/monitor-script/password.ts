/** `/password.js`: changes the password without leaving the page when it does not work. */
import { Api } from './kit/api.ts'
import { find, setText } from './kit/dom.ts'
import { takeOver } from './kit/json-form.ts'
import { changePassword } from './account/password-change.ts'
import { GATE } from './kit/texts.ts'

const HOME = '/tracker.html'

const current = find<HTMLInputElement>('current')
const next = find<HTMLInputElement>('next')
const repeat = find<HTMLInputElement>('repeat')
const api = new Api({
  fetch: (path, init) => fetch(path, init),
  leaveFor: page => { location.assign(page) }
})

setText(find('host'), location.host)
takeOver(find<HTMLFormElement>('form'), async () => {
  if (repeat.value !== next.value) {
    repeat.value = ''
    return { field: 'repeat', text: GATE.repeatDiffers }
  }
  const complaint = await changePassword((path, body) => api.post(path, body), current, next)
  if (complaint !== undefined) return complaint
  location.assign(HOME)
  return 'leaving'
})
void nameAccount()
current.focus()

/** A password manager files the new password under the name that is in the form. */
async function nameAccount (): Promise<void> {
  const answer = await api.get<{ username: string }>('/user-info')
  if (answer.isOk) find<HTMLInputElement>('username').value = answer.body.username
}
