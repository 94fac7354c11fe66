/**
 * Host and port out of a `Host` field, an `X-Forwarded-Host` or an absolute target. Says whether
 * the text is well-formed, not whether Usher answers to that name. Holds no state.
 */
import { isIPv6 } from 'node:net'

interface Authority {
  /**
   * Lower-case and without the dot of an absolute name, for both are the same host; an IPv6 address
   * keeps its brackets, so `host:port` is always well-formed.
   */
  readonly host: string
  /** Undefined when none is named, or an empty one (`example.org:`, RFC 3986 section 3.2.3). */
  readonly port: number | undefined
}

/** RFC 1035 section 2.3.4: a name has no more. Every IPv6 address is shorter. */
const HOST_LENGTH_MAX = 255
const PORT_MAX = 65_535

/**
 * `reg-name` of RFC 3986 section 3.2.2, not empty; covers dotted IPv4 too. Without the comma, which
 * no name has: with one it is two hosts in a line, whichever the next reader takes for the host.
 */
const NAME = /^(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+$/
const PORT = /^\d{0,5}$/

/** The parts of `host[:port]`; undefined for userinfo, an empty host, a bad port or bad bytes. */
export function parseAuthority (text: string): Authority | undefined {
  const hostEnd = text.startsWith('[') ? text.indexOf(']') + 1 : colonOrEnd(text)
  const host = text.slice(0, hostEnd)
  if (host.length > HOST_LENGTH_MAX || !isHost(host)) return undefined
  if (hostEnd === text.length) return { host: canonical(host), port: undefined }
  if (text[hostEnd] !== ':') return undefined
  const digits = text.slice(hostEnd + 1)
  if (!PORT.test(digits) || Number(digits) > PORT_MAX) return undefined
  return { host: canonical(host), port: digits === '' ? undefined : Number(digits) }
}

/** RFC 3986 section 3.2.2: a name that ends in a dot is the same name, said in full. */
function canonical (host: string): string {
  return host.toLowerCase().replace(/(?<=.)\.$/, '')
}

function colonOrEnd (text: string): number {
  const colon = text.indexOf(':')
  return colon === -1 ? text.length : colon
}

function isHost (host: string): boolean {
  if (!host.startsWith('[')) return NAME.test(host)
  // A zone (`%eth0`) means something on the client's machine only, so it does not belong here.
  return !host.includes('%') && isIPv6(host.slice(1, -1))
}
