/**
 * The page script as one server sends it: the built source with the router's port filled in. Pure;
 * the script itself is built from html/.
 */
import { PageScriptInvalid } from '@usher/shared/errors.ts'

const PORT_TOKEN = '__ROUTING_PORT__'
const PORT_MAX = 65535

/**
 * The script's bytes. Throws USHER_PAGE_SCRIPT_INVALID unless the token stands in `source` exactly
 * once and the port is one that a browser can visit.
 */
export function renderPageScript (source: string, routingPort: number): Buffer {
  const [before, after, ...more] = source.split(PORT_TOKEN)
  if (before === undefined || after === undefined || more.length > 0) {
    const count = source.split(PORT_TOKEN).length - 1
    throw new PageScriptInvalid(
      `the page script has ${PORT_TOKEN} ${count} times; it must be there exactly once`)
  }
  if (!Number.isInteger(routingPort) || routingPort < 1 || routingPort > PORT_MAX) {
    throw new PageScriptInvalid(
      `the router's port in the page script is ${routingPort}; it must be 1 to ${PORT_MAX}`)
  }
  return Buffer.from(before + routingPort + after)
}
