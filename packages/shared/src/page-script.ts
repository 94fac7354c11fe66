/**
 * The page scripts as they are sent: the built source with what pages are told filled in. The
 * scripts themselves are built from html/.
 */
import { PageScriptInvalid } from './errors.ts'
import type { Settings } from './settings/settings.ts'
import { encodeFile } from './http/files/encoded-file.ts'
import { storeFile, type HeaderSet, type StoredFile } from './http/files/stored-file.ts'

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

export type ServerScriptSettings = Pick<Settings, 'timeoutThresholdMs' | 'ticketParameter'>

/** As renderPageScript, of the router's script for other programs' pages. */
export function renderServerScript (
  source: string, { timeoutThresholdMs, ticketParameter }: ServerScriptSettings
): Buffer {
  const withTicket = fillIn(source, '__TICKET_PARAMETER__', ticketParameter)
  return Buffer.from(fillIn(withTicket, '__TIMEOUT_THRESHOLD_MS__', String(timeoutThresholdMs)))
}

/** A script that was rendered, as a file that is sent. */
export async function storePageScript (
  script: Buffer, isCompressed = true, headers?: HeaderSet
): Promise<StoredFile> {
  return storeFile(await encodeFile(script, { ...KIND, isText: isCompressed }), undefined, headers)
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
