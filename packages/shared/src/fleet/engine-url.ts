/**
 * Where the fleet's engine is, as CLUSTER_URL says it: one address, a Unix socket, or sentinels
 * that know it. Looks at nothing but the text; loads no client.
 */
import { quote } from '../quote.ts'

interface Access {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly isTls: boolean
}

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

export type EngineAddress = Access & (
  | { readonly kind: 'host' } & HostAndPort
  | { readonly kind: 'socket', readonly path: string }
  | {
    readonly kind: 'sentinels'
    readonly sentinels: readonly HostAndPort[]
    /** As the sentinels call the engine. */
    readonly master: string
  }
)

export const ENGINE_URL_ALLOWED = 'redis://HOST:PORT, rediss://HOST:PORT (TLS), unix:///PATH or ' +
  'redis+sentinel://HOST:PORT,HOST:PORT/NAME, with USER:PASSWORD@ before the host and /DB behind it if need be'

const ENGINE_PORT = 6379
const SENTINEL_PORT = 26379
const PORT_MAX = 65535
const DB_MAX = 15
const SENTINELS_MAX = 16
/** Scheme, what stands before an @, hosts and path, and ?db= of a socket. */
const URL = /^(rediss?|unix|rediss?\+sentinel):\/\/(?:([^@/]*)@)?([^?#@]*)(?:\?db=(\d+))?$/
/** RFC 3986 section 3.2.2: an IPv6 address stands in brackets. */
const HOST_AND_PORT = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i
const MASTER_NAME = /^[\w.-]{1,64}$/

type ParsedUrl =
  | { readonly value: EngineAddress, readonly refusal?: undefined }
  | { readonly refusal: string }

/** A refusal shows no password. */
export function parseEngineUrl (text: string): ParsedUrl {
  const [, scheme, credentials, rest, query] = URL.exec(text) ?? []
  if (scheme === undefined || rest === undefined) return { refusal: 'it is no URL of an engine' }
  const access = accessOf(scheme, credentials)
  if (access === undefined) return { refusal: 'the user or the password is not percent-encoded text' }
  if (scheme === 'unix') return socketAt(access, rest, query ?? '0')
  if (query !== undefined) return { refusal: '?db= is for unix:// only: the number stands behind a slash' }
  const [hosts = '', ...path] = rest.split('/')
  const isSentinel = scheme.endsWith('sentinel')
  const [master, db, ...more] = isSentinel ? path : ['', ...path]
  if (more.length > 0) return { refusal: 'there is too much behind the last slash' }
  const number = dbOf(db)
  if (number === undefined) return { refusal: `the database is a whole number, 0 to ${DB_MAX}` }
  const defaultPort = isSentinel ? SENTINEL_PORT : ENGINE_PORT
  const places = hosts.split(',').map(host => placeOf(host, defaultPort))
  const wrong = places.indexOf(undefined)
  if (wrong !== -1) return { refusal: `${quote(hosts.split(',')[wrong]!)} is no host with a port` }
  const known = places as HostAndPort[]
  if (isSentinel) return sentinelsAt({ ...access, db: number }, known, master ?? '')
  if (known.length > 1) {
    return { refusal: 'there is more than one host; a list is for redis+sentinel://' }
  }
  return { value: { ...access, kind: 'host', db: number, ...known[0]! } }
}

/** As it may stand in logs and on pages. */
export function shownEngine (address: EngineAddress): string {
  return formatUrl(address, address.username === undefined ? '' : `${address.username}@`)
}

/** With the password: what parseEngineUrl takes. */
export function formatEngineUrl (address: EngineAddress): string {
  const { username, password } = address
  if (username === undefined && password === undefined) return formatUrl(address, '')
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`
  return formatUrl(address, `${encodeURIComponent(username ?? '')}${secret}@`)
}

function formatUrl (address: EngineAddress, credentials: string): string {
  const { isTls, db, kind } = address
  const scheme = isTls ? 'rediss' : 'redis'
  const number = db === 0 ? '' : `/${db}`
  switch (kind) {
    case 'socket':
      return `unix://${credentials}${address.path}${db === 0 ? '' : `?db=${db}`}`
    case 'host':
      return `${scheme}://${credentials}${hostText(address)}${number}`
    case 'sentinels': {
      const hosts = address.sentinels.map(hostText).join(',')
      return `${scheme}+sentinel://${credentials}${hosts}/${address.master}${number}`
    }
  }
}

function hostText ({ host, port }: HostAndPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function accessOf (scheme: string, credentials: string | undefined): Access | undefined {
  const isTls = scheme.startsWith('rediss')
  if (credentials === undefined) return { isTls, db: 0, username: undefined, password: undefined }
  const colon = credentials.indexOf(':')
  const [user, secret] = colon === -1
    ? [credentials, undefined]
    : [credentials.slice(0, colon), credentials.slice(colon + 1)]
  try {
    return {
      isTls,
      db: 0,
      username: user === '' ? undefined : decodeURIComponent(user),
      password: secret === undefined ? undefined : decodeURIComponent(secret)
    }
  } catch {
    return undefined // Half a percent sign.
  }
}

function sentinelsAt (
  access: Access, sentinels: readonly HostAndPort[], master: string
): ParsedUrl {
  if (sentinels.length > SENTINELS_MAX) {
    return { refusal: `there are more than ${SENTINELS_MAX} sentinels` }
  }
  if (!MASTER_NAME.test(master)) {
    return { refusal: 'behind the hosts stands the name by which the sentinels know the engine' }
  }
  return { value: { ...access, kind: 'sentinels', sentinels, master } }
}

function socketAt (access: Access, path: string, query: string): ParsedUrl {
  const db = dbOf(query)
  if (db === undefined) return { refusal: `the database is a whole number, 0 to ${DB_MAX}` }
  const isAbsolute = path.startsWith('/') && path !== '/'
  if (!isAbsolute) return { refusal: 'the path of the socket is not absolute' }
  return { value: { ...access, kind: 'socket', path, db } }
}

function dbOf (text: string | undefined): number | undefined {
  if (text === undefined || text === '') return 0
  const db = /^\d{1,3}$/.test(text) ? Number(text) : NaN
  return db <= DB_MAX ? db : undefined
}

function placeOf (text: string, defaultPort: number): HostAndPort | undefined {
  const [, address, name, port] = HOST_AND_PORT.exec(text) ?? []
  const host = address ?? name
  const number = port === undefined ? defaultPort : Number(port)
  const isPort = number > 0 && number <= PORT_MAX
  return host === undefined || !isPort ? undefined : { host, port: number }
}
