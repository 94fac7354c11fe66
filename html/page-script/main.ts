/**
 * `/usher.js`, the page script that every server serves. A page takes part with one line,
 *
 *     <script src="/usher.js" defer></script>
 *
 * and from then on its visitor is counted while the page is open:
 *
 *  - it beats (GET `/heartbeat`) at load and then as the server says, and by POST when the server
 *    does not know the visitor; while hidden, as seldom as the server allows without forgetting the
 *    visitor; while prerendered, not at all;
 *  - it leaves (POST `/leave?page`) when the page goes, and comes back when the browser brings it
 *    back;
 *  - the tabs of one visitor share one beat;
 *  - a beat that fails is tried again, ever later, and at once when the network returns;
 *  - when an operator has ended the visit, the page says so and falls silent;
 *  - when an operator empties the server, the page is loaded again by way of the router.
 *
 * It needs no library, sets nothing but `window.usher` (see `usher.ts` for what is in it), and is
 * content with the policy `script-src 'self'; connect-src 'self'`. The server fills in the four
 * tokens below: the name of the ticket in the query, the router's public URL, its port, and how
 * long a visitor may be silent before it is forgotten.
 */
import { takeTicket } from './take-ticket.ts'
import { startUsher } from './usher.ts'

takeTicket(window, '__TICKET_PARAMETER__')

// A page that includes the script twice is still one page.
window.usher ??= startUsher(
  window,
  { now: Date.now, random: Math.random },
  {
    routerUrl: '__ROUTER_URL__',
    routingPort: Number('__ROUTING_PORT__'),
    timeoutThresholdMs: Number('__TIMEOUT_THRESHOLD_MS__')
  }
)
