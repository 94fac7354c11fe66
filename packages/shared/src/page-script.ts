/**
 * The page script as one server sends it: the built source with what pages are told filled in.
 * The script itself is built from html/.
 */
import { PageScriptInvalid } from './errors.ts'
import type { Settings } from './settings/settings.ts'
import { encodeFile } from './http/files/encoded-file.ts'
import { storeFile, type StoredFile } from './http/files/stored-file.ts'

export const SCRIPT_PATH = '/usher.js'

/** Said here, so that no server loads the table of all types. */
const KIND = { type: 'text/javascript; charset=utf-8', isText: true, isGzipped: false }

export type PageScriptSettings =
  Pick<Settings, 'routerUrl' | 'routingPort' | 'timeoutThresholdMs' | 'ticketParameter'>

const PORT_MAX = 65535

/**
 * The script's bytes. Throws USHER_PAGE_SCRIPT_INVALID unless each token stands in `source` exactly
 * once and the port is one that a browser can visit.
 */
export function renderPageScript (source: string, settings: PageScriptSettings): Buffer {
  const { routerUrl, routingPort, timeoutThresholdMs, ticketParameter } = settings
  if (!Number.isInteger(routingPort) || routingPort < 1 || routingPort > PORT_MAX) {
    throw new PageScriptInvalid(
      `the router's port in the page script is ${routingPort}; it must be 1 to ${PORT_MAX}`)
  }
  const withUrl = fillIn(source, '__ROUTER_URL__', inString(routerUrl))
  const withPort = fillIn(withUrl, '__ROUTING_PORT__', String(routingPort))
  const withTicket = fillIn(withPort, '__TICKET_PARAMETER__', ticketParameter)
  return Buffer.from(fillIn(withTicket, '__TIMEOUT_THRESHOLD_MS__', String(timeoutThresholdMs)))
}

/** The script that renderPageScript has made, as a file that is sent. */
export async function storePageScript (
  script: Buffer, isCompressed = true
): Promise<StoredFile> {
  return storeFile(await encodeFile(script, { ...KIND, isText: isCompressed }), undefined)
}

/** The token stands in quotes of any kind; of them all, a URL may have an apostrophe. */
function inString (url: string): string {
  return url.replaceAll("'", '\\u0027')
}

function fillIn (source: string, token: string, value: string): string {
  const [before, after, ...more] = source.split(token)
  if (before === undefined || after === undefined || more.length > 0) {
    const count = source.split(token).length - 1
    throw new PageScriptInvalid(
      `the page script has ${token} ${count} times; it must be there exactly once`)
  }
  return before + value + after
}
