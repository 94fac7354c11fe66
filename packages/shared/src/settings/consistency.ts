/**
 * What no setting can tell alone: whether settings agree with each other, and whether the files
 * that they name are there. Skips what depends on a setting that is already refused. Each problem
 * is one line. Runs on the main thread at start; creates nothing.
 */
import { isServable, realPath, refusalOfFileToMake, refusalOfFolder } from './path-check.ts'
import { SERVERS_MAX } from '../memory/layout.ts'
import { quote, quotePath } from '../quote.ts'
import { complain, describe, type Given } from './given.ts'
import type { SettingName, ValidValues } from './setting-table.ts'
import type { TlsPair } from '../http/tls-context.ts'
import { readTlsFiles } from './tls-files.ts'

export type GivenByName = Readonly<Record<SettingName, Given>>

export interface Tls {
  /** Undefined without TLS, or when there is a problem with it. */
  readonly pair: TlsPair | undefined
  readonly problems: readonly string[]
}

/** Lists with an entry for each port, and how many entries they may have instead. */
const COUNTED = [
  { name: 'SERVER_URLS', otherwise: 0, allowed: 'empty, or one URL per port' },
  { name: 'SERVER_NAMES', otherwise: 0, allowed: 'empty, or one name per port' },
  { name: 'HTML_DIRS', otherwise: 1, allowed: 'one folder, or one per port' }
] as const

/** How the settings disagree with each other. */
export function disagreements (values: ValidValues, given: GivenByName): readonly string[] {
  return [
    ...samePorts(values, given),
    ...serverCount(values, given),
    ...countsUnlikePorts(values, given),
    ...countUnlikeServers(values, given),
    ...countsUnlikeExternal(values, given),
    ...ambiguousNames(values, given),
    ...outOfOrder(values, given, 'HEARTBEAT_INTERVAL', 'TIMEOUT_THRESHOLD'),
    ...outOfOrder(values, given, 'SESSION_IDLE_TIMEOUT', 'SESSION_LIFETIME'),
    ...trustsNobody(values, given)
  ]
}

/**
 * What is wrong with the files and folders; paths must be absolute.
 * @param settingsFile where it is, or would be
 */
export function pathProblems (
  values: ValidValues, given: GivenByName, settingsFile: string
): readonly string[] {
  const folders = [...new Set(values.HTML_DIRS)].map(refusalOfFolder)
  const dbFile = values.DB_PATH === undefined ? '' : refusalOfFileToMake(values.DB_PATH)
  const logFile = values.LOG_FILE === undefined ? '' : refusalOfFileToMake(values.LOG_FILE)
  return [
    ...folders.map(refusal => complaint(given.HTML_DIRS, refusal, 'folders that can be read')),
    complaint(given.DB_PATH, dbFile, 'the path of a file'),
    complaint(given.LOG_FILE, logFile, 'the path of a file, or - for none'),
    ...sameFile(values, given),
    ...servedSecrets(values, given, settingsFile)
  ].filter(problem => problem !== '')
}

/** Reads certificate and key; paths must be absolute. */
export function checkTls (values: ValidValues, given: GivenByName): Tls {
  const { TLS_CERT: certPath, TLS_KEY: keyPath } = values
  if (certPath === undefined || keyPath === undefined) return { pair: undefined, problems: [] }
  if (certPath === '' && keyPath === '') return { pair: undefined, problems: [] }
  if (certPath === '' || keyPath === '') {
    const [there, missing] = certPath === ''
      ? [given.TLS_KEY, given.TLS_CERT]
      : [given.TLS_CERT, given.TLS_KEY]
    const allowed = 'both or neither'
    return { pair: undefined, problems: [complain(there, `${missing.row.name} is empty`, allowed)] }
  }
  const files = readTlsFiles(certPath, keyPath)
  const problems = [
    complaint(given.TLS_CERT, files.certRefusal, 'a PEM file with a certificate'),
    complaint(given.TLS_KEY, files.keyRefusal, 'a PEM file with the certificate\'s private key')
  ].filter(problem => problem !== '')
  return { pair: files.pair, problems }
}

function samePorts (values: ValidValues, given: GivenByName): readonly string[] {
  const uses = [
    ...(values.PORTS ?? []).map(port => ({ port, by: given.PORTS })),
    { port: values.ROUTING_PORT, by: given.ROUTING_PORT },
    { port: values.MONITORING_PORT, by: given.MONITORING_PORT },
    { port: values.DECISION_PORT, by: given.DECISION_PORT }
  ]
  return uses.flatMap(({ port, by }, at) => {
    const first = uses.findIndex(use => use.port === port)
    if (port === undefined || port === 0 || first === at) return []
    const other = uses[first]!.by
    const both = other === by
      ? `${describe(by)} names ${port} more than once`
      : `${describe(other)} and ${describe(by)} both name ${port}`
    return [`${both}; allowed: ports that all differ, except for 0`]
  })
}

/** No more than the user table has room for; none is right where the console names some. */
function serverCount (
  { PORTS: ports, EXTERNAL_SERVERS: external }: ValidValues, given: GivenByName
): readonly string[] {
  if (ports === undefined || external === undefined) return []
  const count = ports.length + external.length
  if (count <= SERVERS_MAX) return []
  const refusal = `with ${describe(given.PORTS)} there are ${count} servers`
  return [complain(given.EXTERNAL_SERVERS, refusal, `${SERVERS_MAX} servers of both kinds`)]
}

/** Lists with an entry for each server, or one entry for all where that is allowed. */
const PER_SERVER = [
  { name: 'WEIGHTS', mayBeOne: false, entries: 'one weight' },
  { name: 'CAPACITY', mayBeOne: true, entries: 'one number for all, or one' }
] as const

function countUnlikeServers (values: ValidValues, given: GivenByName): readonly string[] {
  const { PORTS: ports, EXTERNAL_SERVERS: external } = values
  if (ports === undefined || external === undefined) return []
  const count = ports.length + external.length
  return PER_SERVER.flatMap(({ name, mayBeOne, entries }) => {
    const length = values[name]?.length
    if (length === undefined || length === count || length === 0) return []
    if (mayBeOne && length === 1) return []
    const refusal = external.length === 0
      ? `it has ${length}, ${describe(given.PORTS)} has ${count}`
      : `it has ${length}, ${describe(given.PORTS)} and ` +
        `${describe(given.EXTERNAL_SERVERS)} have ${count}`
    const or = mayBeOne ? '' : 'or '
    const allowed = external.length === 0
      ? `empty, ${or}${entries} per port`
      : `empty, ${or}${entries} per server, those of the ports first`
    return [complain(given[name], refusal, allowed)]
  })
}

const OF_EXTERNAL = [
  'HEALTH_PATH', 'HEALTH_INTERVAL', 'HEALTH_TIMEOUT', 'HEALTH_RISE', 'HEALTH_FALL', 'HEALTH_STATUS'
] as const

function countsUnlikeExternal (values: ValidValues, given: GivenByName): readonly string[] {
  const count = values.EXTERNAL_SERVERS?.length
  return OF_EXTERNAL.flatMap(name => {
    const has = values[name]?.length
    if (count === undefined || has === undefined || has === count || has === 1) return []
    const refusal = `it has ${has}, ${describe(given.EXTERNAL_SERVERS)} has ${count}`
    return [complain(given[name], refusal, 'one for all external servers, or one for each')]
  })
}

function countsUnlikePorts (values: ValidValues, given: GivenByName): readonly string[] {
  const { PORTS: ports } = values
  if (ports === undefined) return []
  return COUNTED.flatMap(({ name, otherwise, allowed }) => {
    const count = values[name]?.length
    if (count === undefined || count === ports.length || count === otherwise) return []
    const refusal = `it has ${count}, ${describe(given.PORTS)} has ${ports.length}`
    return [complain(given[name], refusal, allowed)]
  })
}

/** Names must tell servers apart, also where one is called by its port. */
function ambiguousNames (values: ValidValues, given: GivenByName): readonly string[] {
  const { SERVER_NAMES: names = [], PORTS: ports = [], EXTERNAL_SERVERS: external = [] } = values
  const allowed = 'names that all differ, none of them the port of another server'
  /** @param at where among the ports the server's own is; -1 without one */
  const problemsOf = (by: Given, name: string, others: readonly string[], at: number): string[] => {
    if (others.includes(name)) return [complain(by, `${quote(name)} stands there more than once`, allowed)]
    const isPort = ports.some((port, other) => other !== at && mayBecome(port, name))
    return isPort
      ? [complain(by, `${quote(name)} is or may become another server's port`, allowed)]
      : []
  }
  const externalNames = external.map(({ name }) => name)
  const isOwn = new Set(names)
  return [
    ...names.flatMap((name, at) => problemsOf(given.SERVER_NAMES, name, names.slice(0, at), at)),
    ...externalNames.flatMap((name, at) => isOwn.has(name)
      ? [complain(given.EXTERNAL_SERVERS,
        `${quote(name)} stands in ${describe(given.SERVER_NAMES)}, too`, allowed)]
      : problemsOf(given.EXTERNAL_SERVERS, name, externalNames.slice(0, at), -1))
  ]
}

/** A port of 0 becomes whichever the kernel chooses, which is none of the well-known ones. */
function mayBecome (port: number, name: string): boolean {
  return port === 0 ? /^[1-9]\d{3,4}$/.test(name) : String(port) === name
}

function outOfOrder (
  values: ValidValues, given: GivenByName,
  shorter: 'HEARTBEAT_INTERVAL' | 'SESSION_IDLE_TIMEOUT',
  longer: 'TIMEOUT_THRESHOLD' | 'SESSION_LIFETIME'
): readonly string[] {
  const [shorterMs, longerMs] = [values[shorter], values[longer]]
  if (shorterMs === undefined || longerMs === undefined || shorterMs <= longerMs) return []
  const { [shorter]: a, [longer]: b } = given
  return [`${describe(a)} is ${quote(a.text)} and ${describe(b)} is ${quote(b.text)}; ` +
    `allowed: ${longer} not below ${shorter}`]
}

function trustsNobody (
  { PROXY_PROTOCOL: protocol, TRUST_PROXY: proxies }: ValidValues, given: GivenByName
): readonly string[] {
  if (protocol !== 'trusted' || proxies === undefined || proxies.length > 0) return []
  const allowed = 'off, or trusted with the addresses of the proxies in TRUST_PROXY'
  return [complain(given.PROXY_PROTOCOL, 'TRUST_PROXY is empty', allowed)]
}

/** A log written into the database would destroy it. */
function sameFile (values: ValidValues, given: GivenByName): readonly string[] {
  if (values.DB_PATH === undefined || values.DB_PATH !== values.LOG_FILE) return []
  return [`${describe(given.DB_PATH)} and ${describe(given.LOG_FILE)} both name ` +
    `${quotePath(values.DB_PATH)}; allowed: two files`]
}

/** A site is for everybody. */
function servedSecrets (
  values: ValidValues, given: GivenByName, settingsFile: string
): readonly string[] {
  const secrets = [
    ['the settings', settingsFile],
    ['the database', values.DB_PATH],
    ['the log', values.LOG_FILE],
    ['the TLS key', values.TLS_KEY],
    ['the secret of the fleet', values.CLUSTER_SECRET_FILE]
  ] as const
  const named = secrets.flatMap(([what, path = '']) =>
    path === '' ? [] : [{ what, path, place: realPath(path) }])
  return [...new Set(values.HTML_DIRS)].map(realPath).flatMap(folder => named
    .filter(({ place }) => isServable(folder, place))
    .map(({ what, path }) => complain(given.HTML_DIRS,
      `visitors could read ${what} there, ${quotePath(path)}`, 'folders with pages and nothing else')))
}

/** Empty when there is nothing to complain about. */
function complaint (given: Given, refusal: string, allowed: string): string {
  return refusal === '' ? '' : complain(given, refusal, allowed)
}
