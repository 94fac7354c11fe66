/**
 * `/usher.js` of the router, for the pages of other programs. A page takes part with one line,
 *
 *     <script src="https://door.example.org/usher.js" data-server="shop-a" defer></script>
 *
 * and from then on its visitor is counted at that server as at one of Usher's own: see
 * `page-script/main.ts` for what a page does, and `remote-page.ts` for what is different here. It
 * is content with the policy `script-src` and `connect-src` of the router's origin. The router
 * fills in the two tokens below.
 */
import { takeTicket } from '../page-script/take-ticket.ts'
import { startUsher } from '../page-script/usher.ts'
import { keepId } from './kept-id.ts'
import { remotePage } from './remote-page.ts'
import { subjectOf } from './subject.ts'

/** Null in a module. */
const script = document.currentScript as HTMLScriptElement | null
const server = script?.dataset['server']

function complain (reason: string): void {
  console.error(`Usher counts nobody on this page. ${reason}`)
}

// A page that includes the script twice is still one page.
if (!server) {
  complain('The script needs data-server="NAME", the name of a server, and no type="module".')
} else if (!window.usher) {
  const door = script.src.replace(/\/[^/?#]*(?:[?#].*)?$/, '')
  const ticket = takeTicket(window, '__TICKET_PARAMETER__')
  const id = keepId(() => localStorage, subjectOf(ticket))
  window.usher = startUsher(
    remotePage(window, { door, server, ticket, id, onMistake: complain }),
    { now: Date.now, random: Math.random },
    {
      routerUrl: door, routingPort: NaN, timeoutThresholdMs: Number('__TIMEOUT_THRESHOLD_MS__')
    }
  )
}
