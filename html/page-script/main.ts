/**
 * `/usher.js`, the page script that every server serves. A page takes part with one line,
 *
 *     <script src="/usher.js" defer></script>
 *
 * and from then on its visitor is counted while the page is open:
 *
 *  - it beats (GET `/heartbeat`) at load and then as the server says, less often while hidden;
 *  - it leaves (POST `/leave`) when the page goes, and comes back when the browser brings it back;
 *  - the tabs of one visitor share one beat;
 *  - a beat that fails is tried again, ever later, and at once when the network returns;
 *  - when an operator has ended the visit, the page says so and falls silent.
 *
 * It needs no library, sets nothing but `window.usher` (see `usher.ts` for what is in it), and is
 * content with the policy `default-src 'self'`. The server puts the router's port in place of the
 * one token below.
 */
import { startUsher } from './usher.ts'

// A page that includes the script twice is still one page.
window.usher ??= startUsher(
  window,
  { now: Date.now, random: Math.random },
  Number('__ROUTING_PORT__')
)
