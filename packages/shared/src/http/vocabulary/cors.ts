/**
 * Pages of other origins that may speak to the router: those of the servers that it knows and those
 * of ALLOWED_ORIGINS. What browsers are told of it is the CORS protocol (Fetch standard, section
 * 3.2). Pure.
 */
import { whileSame } from '../../remembering.ts'
import { followServers } from '../../settings/server-list.ts'
import { ownServers, presentServers } from '../../settings/servers.ts'
import type { Settings } from '../../settings/settings.ts'
import { parseAuthority } from './authority.ts'
import type { OriginSettings } from './own-origin.ts'
import { keptReply, NO_STORE } from './replies.ts'
import { NO_BODY, type Reply, type RequestValue } from './values.ts'

export type CorsSettings = OriginSettings & Pick<Settings, 'routingPort'> &
  { readonly live: Pick<Settings['live'], 'allowedOrigins'> }

type Head = Pick<RequestValue, 'headers' | 'authority' | 'isSecure'>

/** What scripts may read of a reply, beside what they always may. */
const EXPOSED = 'X-Active-Users, X-Heartbeat-Interval, X-Server-Users, X-Usher-Client, ' +
  'X-Usher-Reason, X-Usher-Base, Retry-After'
/** Browsers ask again after this, in seconds; Chromium never waits longer. */
const PREFLIGHT_MAX_AGE = '7200'
const VARY = ['Vary', 'Origin']
const WITH_CREDENTIALS = ['Access-Control-Allow-Credentials', 'true']

/** Gives the origin of a request's page if it is allowed, by the settings as they are then. */
export function originCheck (settings: CorsSettings): (request: Head) => string | undefined {
  let ofServers: ReadonlySet<string> = new Set()
  followServers(settings.servers, () => { ofServers = serverOrigins(settings) })
  const ofOthers = whileSame(
    () => settings.live.allowedOrigins, () => new Set(settings.live.allowedOrigins))
  return request => {
    const { origin } = request.headers
    if (origin === undefined) return undefined
    const isKnown = ofServers.has(origin) || ofOthers().has(origin)
    return isKnown || isOwnPort(origin, request, settings) ? origin : undefined
  }
}

function serverOrigins ({ servers, routerUrl }: CorsSettings): ReadonlySet<string> {
  const urls = [routerUrl, ...presentServers(servers).map(({ publicUrl }) => publicUrl)]
  return new Set(urls.flatMap(url => url ? [new URL(url).origin] : []))
}

/** Whether a server of ours or the router is at that port, under the name that the request has. */
function isOwnPort (
  origin: string, { authority = '', isSecure }: Head,
  { publicHosts, servers, routingPort }: CorsSettings
): boolean {
  const scheme = isSecure ? 'https://' : 'http://'
  if (!origin.startsWith(scheme)) return false
  const { host, port = isSecure ? 443 : 80 } = parseAuthority(origin.slice(scheme.length)) ?? {}
  if (host === undefined) return false
  const isOwnName = host === parseAuthority(authority)?.host || publicHosts.includes(host)
  if (!isOwnName) return false
  return port === routingPort || ownServers(servers).some(server => server.port === port)
}

const dressed = new Map<string | undefined, WeakMap<Reply, Reply>>()
const ORIGINS_MAX = 1024

/** The reply as pages of that origin may read it; undefined: of none, but caches are told. */
export function withCors (reply: Reply, origin: string | undefined): Reply {
  if (reply.isKept !== true) return withFields(reply, origin)
  let known = dressed.get(origin)
  if (known === undefined) {
    if (dressed.size >= ORIGINS_MAX) dressed.clear()
    known = new WeakMap()
    dressed.set(origin, known)
  }
  let made = known.get(reply)
  if (made === undefined) {
    made = keptReply(withFields(reply, origin))
    known.set(reply, made)
  }
  return made
}

function withFields (reply: Reply, origin: string | undefined): Reply {
  const fields = origin === undefined
    ? VARY
    : [...readableBy(origin), 'Access-Control-Expose-Headers', EXPOSED, ...VARY]
  return { ...reply, headers: [...reply.headers, ...fields] }
}

/** That pages of this origin may read the reply, cookies or not. */
export function readableBy (origin: string): readonly string[] {
  return ['Access-Control-Allow-Origin', origin, ...WITH_CREDENTIALS]
}

/** To the question of a browser whether it may send a request that is not a simple one. */
export function preflightReply (allow: string, origin: string): Reply {
  const headers = [
    'Allow', allow, ...readableBy(origin), 'Access-Control-Allow-Methods', allow,
    'Access-Control-Max-Age', PREFLIGHT_MAX_AGE, ...VARY, ...NO_STORE
  ]
  return { status: 204, headers, body: NO_BODY }
}
