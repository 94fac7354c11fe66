/**
 * The one table of settings: name, default, kind (what is allowed, how it is parsed, its unit),
 * meaning, and who applies it when a reload changes it. The type `Settings`, flags, environment,
 * file, `--help`, `--check`, the README and the tests are all driven by it: a new setting is a new
 * row. Knows nothing of files or of the process; starts nothing.
 */
import { POLICIES, type PolicyName } from '../balancing/policies.ts'
import {
  addressOrRange, baseUrl, bindHost, bytes, decimal, domain, filePath, filePathOrNone, folderPath,
  list, oneOf, optional, parameterName, password, port, portOrNone, publicHost, seconds, token,
  urlAddress, wholeNumber, type Kind
} from './kinds.ts'
import { OWN_SERVERS_MAX } from '../memory/layout.ts'
import { CLUSTER_TABLE } from './cluster-table.ts'
import { CAPACITY_MAX } from './server-bounds.ts'
import { origin } from './server-kinds.ts'
import { SERVER_TABLE } from './server-table.ts'
import type { Applier, Definition } from './setting-definition.ts'
import type { CamelCase } from './setting-spelling.ts'

/** For lists that a reader could still take in. */
const ENTRY_COUNT_MAX = 1000
/** The user table tells times up to 24.8 days apart (memory/wrapped-time.ts, wrappedAge). */
const SILENCE_MAX_S = 24 * 24 * 3600
const YEAR_S = 31_536_000

export const TABLE = {
  HOST: {
    kind: bindHost(),
    default: '::',
    defaultShown: ':: (0.0.0.0 without IPv6)',
    meaning: 'Address to bind.'
  },
  MONITORING_HOST: {
    kind: optional(bindHost()),
    default: '',
    defaultShown: 'as HOST',
    meaning: 'Address to bind the monitor; a non-loopback one without TLS logs a warning.'
  },
  IP: {
    kind: optional(urlAddress()),
    default: '',
    defaultShown: 'that of HOST; detected for :: and 0.0.0.0',
    meaning: 'Address for links and redirects when the host name of a request is not allowed.'
  },
  PUBLIC_HOSTS: {
    kind: list(publicHost(), 0, ENTRY_COUNT_MAX),
    default: '',
    meaning: 'Host names that redirects may use, the monitor answers to, and whose pages may beat.'
  },
  ALLOWED_ORIGINS: {
    kind: list(origin(), 0, ENTRY_COUNT_MAX),
    default: '',
    meaning: 'Origins besides those of the servers whose pages may beat to the router.',
    appliedBy: 'router'
  },
  COOKIE_DOMAIN: {
    kind: optional(domain()),
    default: '',
    defaultShown: 'each host name by itself',
    meaning: 'The domain that router and servers share, so that a visitor is one to all of them.'
  },
  TICKETS: {
    kind: oneOf('auto', 'always', 'never'),
    default: 'auto',
    meaning: 'Redirects that carry a signed ticket: with auto those to servers that the cookie does not reach.',
    appliedBy: 'router'
  },
  TICKET_PARAMETER: {
    kind: parameterName(),
    default: 'usher_ticket',
    meaning: 'The name under which the ticket stands in the query.'
  },
  ROUTER_URL: {
    kind: optional(baseUrl()),
    default: '',
    defaultShown: 'the visitor\'s host name and ROUTING_PORT',
    meaning: 'The router\'s public base URL, where pages send visitors back to.'
  },
  ...SERVER_TABLE,
  POLICY: {
    kind: oneOf(...Object.keys(POLICIES) as PolicyName[]),
    default: 'fewest-users',
    meaning: 'How the router chooses a server; round-robin ignores load and is for comparison.'
  },
  ROUTING_PORT: {
    kind: port(),
    default: '8080',
    meaning: 'The router\'s port, where visitors come first.'
  },
  MONITORING_PORT: {
    kind: port(),
    default: '8081',
    meaning: 'The monitor\'s port.'
  },
  DECISION_PORT: {
    kind: portOrNone(),
    default: '',
    defaultShown: 'none',
    meaning: 'A port where a proxy asks for each request which server it goes to; plain HTTP.'
  },
  DECISION_HOST: {
    kind: urlAddress(),
    default: '127.0.0.1',
    meaning: 'Address to bind for DECISION_PORT: whoever reaches it speaks for any visitor.'
  },
  HTML_DIRS: {
    kind: list(folderPath(), 1, OWN_SERVERS_MAX),
    default: 'html/site-1,html/site-2,html/site-3',
    defaultShown: 'html/site-1,html/site-2,html/site-3 of the program, in turn',
    meaning: 'One folder per server, or one for all, each with at most 256 MiB in memory.'
  },
  MEMORY_FILE_MAX: {
    kind: bytes(65_536, 268_435_456),
    default: '4MiB',
    meaning: 'Larger files are not kept in memory, but read from the disk while they are sent.',
    appliedBy: 'loader'
  },
  DB_PATH: {
    kind: filePath(),
    default: 'db/usher.db',
    meaning: 'The SQLite file, made at the first start.'
  },
  LOG_FILE: {
    kind: filePathOrNone(),
    default: 'server.log',
    meaning: 'The log file, in JSON lines.'
  },
  LOG_LEVEL: {
    kind: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    meaning: 'The lowest level that is logged.',
    appliedBy: 'every-thread'
  },
  SOCKET_TIMEOUT: {
    kind: seconds(0.1, 300),
    default: '5',
    meaning: 'How long a client may take to send a request before it is answered 408.'
  },
  HEARTBEAT_INTERVAL: {
    kind: seconds(0.1, 3600),
    default: '2.5',
    meaning: 'How often pages send a heartbeat, and how often inactive users are removed.'
  },
  HEARTBEAT_BUDGET: {
    kind: decimal(1, 1_000_000, 'beats a second'),
    default: '2000',
    meaning: 'Heartbeats that one server takes before it asks pages to send fewer; the router, for all external servers.'
  },
  TIMEOUT_THRESHOLD: {
    kind: seconds(1, SILENCE_MAX_S),
    default: '1800',
    meaning: 'A user silent for longer is removed; not below HEARTBEAT_INTERVAL.'
  },
  UNCONFIRMED_TIMEOUT: {
    kind: seconds(1, SILENCE_MAX_S),
    default: '120',
    meaning: 'A new visitor who has not come back is removed after this, or after TIMEOUT_THRESHOLD if that is less.'
  },
  LEAVE_GRACE: {
    kind: seconds(0, 60),
    default: '2',
    meaning: 'How long after a page was left its visitor is removed, unless seen again by then.'
  },
  RETURN_GRACE: {
    kind: seconds(0, 3600),
    default: '20',
    meaning: 'How long after a leave the visitor\'s place is held for a return, where CAPACITY is set.',
    appliedBy: 'table'
  },
  NEWCOMERS_PER_MINUTE: {
    kind: wholeNumber(1, 1_000_000, 'visitors'),
    default: '120',
    meaning: 'New visitors counted per network, or 10 % of all users where that is more; wider networks in proportion.'
  },
  TRUSTED_NETWORKS: {
    kind: list(addressOrRange(), 0, ENTRY_COUNT_MAX),
    default: '',
    meaning: 'Addresses and ranges whose newcomers are all counted: offices, schools.'
  },
  DELAY_BETWEEN_ROUTING: {
    kind: seconds(0, 60),
    default: '0.35',
    meaning: 'Each visitor\'s wait before the redirect; visitors wait side by side.',
    appliedBy: 'router'
  },
  RESERVATION_TTL: {
    kind: seconds(0.1, 3600),
    default: '10',
    meaning: 'How long a place is reserved for a redirected visitor who has not arrived.'
  },
  MAX_USERS: {
    kind: wholeNumber(16, CAPACITY_MAX, 'users'),
    default: '131072',
    meaning: 'Size of the user table.'
  },
  MAX_CONNECTIONS: {
    kind: wholeNumber(1, 1_000_000, 'connections'),
    default: '20000',
    meaning: 'Open connections per port.'
  },
  SESSION_IDLE_TIMEOUT: {
    kind: seconds(1, YEAR_S),
    default: '1800',
    meaning: 'A monitor session unused for longer ends; not above SESSION_LIFETIME.'
  },
  SESSION_LIFETIME: {
    kind: seconds(1, YEAR_S),
    default: '43200',
    meaning: 'A monitor session ends this long after login, used or not.'
  },
  SHUTDOWN_TIMEOUT: {
    kind: seconds(0.1, 600),
    default: '10',
    meaning: 'The longest that a graceful stop may take.'
  },
  TRUST_PROXY: {
    kind: list(addressOrRange(), 0, ENTRY_COUNT_MAX),
    default: '',
    meaning: 'Proxies whose X-Forwarded-* headers are believed.'
  },
  PROXY_PROTOCOL: {
    kind: oneOf('off', 'trusted'),
    default: 'off',
    meaning: 'With trusted, each connection from TRUST_PROXY begins with a PROXY protocol header.'
  },
  TLS_CERT: {
    kind: optional(filePath()),
    default: '',
    meaning: 'PEM file of the certificate and its chain; with TLS_KEY, every port speaks HTTPS.'
  },
  TLS_KEY: {
    kind: optional(filePath()),
    default: '',
    meaning: 'PEM file of the certificate\'s private key, not encrypted.'
  },
  METRICS_TOKEN: {
    kind: optional(token(16)),
    default: '',
    meaning: 'Bearer token for /metrics.',
    isSecret: true
  },
  ADMIN_PASSWORD: {
    kind: optional(password('admin')),
    default: '',
    defaultShown: 'made up and printed once',
    meaning: 'The password that the account admin gets at the first start.',
    isSecret: true
  },
  ...CLUSTER_TABLE
} as const satisfies Record<string, Definition<unknown>>

type Table = typeof TABLE

export type SettingName = keyof Table

type ValueOf<K> = K extends Kind<infer T> ? T : never

/** Every setting's value as its kind parses it; durations in milliseconds. */
export type SettingValues = {
  readonly [N in SettingName]: ValueOf<Table[N]['kind']>
}

/** As `SettingValues`; a refused setting has no value. */
export type ValidValues = Partial<SettingValues>

/** The key in `Settings`: `ROUTING_PORT` is `routingPort`, `RESERVATION_TTL` `reservationTtlMs`. */
export type SettingKey<N extends SettingName> =
  `${CamelCase<N>}${Table[N]['kind'] extends WithUnit<infer Unit> ? Unit : ''}`

export interface WithUnit<U extends string> {
  readonly keySuffix: U
}

/** The settings that a reload may change, of one applier or of any. */
export type LiveName<A extends Applier = Applier> = {
  [N in SettingName]: Table[N] extends { readonly appliedBy: A } ? N : never
}[SettingName]

/** The values of these settings by their keys. */
export type ValuesByKey<N extends SettingName> = {
  readonly [M in N as SettingKey<M>]: SettingValues[M]
}
