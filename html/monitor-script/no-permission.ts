/** `/no-permission.js`: opens the console as soon as the account may view it. */
import { Api } from './kit/api.ts'
import { find, setText } from './kit/dom.ts'
import { GATE } from './kit/texts.ts'

const HOME = '/tracker.html'
const ASK_EVERY_MS = 5000

const api = new Api({
  fetch: (path, init) => fetch(path, init),
  leaveFor: page => { location.assign(page) }
})

setText(find('host'), location.host)
setText(find('waiting'), GATE.waiting)
setInterval(() => {
  if (document.visibilityState === 'visible') void openWhenAllowed()
}, ASK_EVERY_MS)

async function openWhenAllowed (): Promise<void> {
  const answer = await api.get<{ can_view: boolean }>('/user-info')
  if (answer.isOk && answer.body.can_view) location.assign(HOME)
}
