/** `/login.js`: logs in without leaving the page when it does not work. */
import { Api } from './kit/api.ts'
import { find, setText } from './kit/dom.ts'
import { refusalText, takeOver } from './kit/json-form.ts'

const HOME = '/tracker.html'

const username = find<HTMLInputElement>('username')
const password = find<HTMLInputElement>('password')
const api = new Api({ fetch: (path, init) => fetch(path, init) })

setText(find('host'), location.host)
takeOver(find<HTMLFormElement>('form'), async () => {
  const answer = await api.post<{ redirect?: string }>('/login', {
    username: username.value, password: password.value
  })
  if (answer.isOk) {
    location.assign(answer.body.redirect ?? HOME)
    return 'leaving'
  }
  password.value = ''
  return { field: 'password', text: refusalText(answer) }
})
username.focus()
