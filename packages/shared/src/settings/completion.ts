/**
 * Fills in what the settings as given leave open: the monitor's host, the address for links (where
 * HOST is one and no name), the folder of each server, the node's name in a fleet, and the absolute
 * form of every path.
 * Computes only; looks at no file.
 */
import { resolve } from 'node:path'
import { detectIp, type Interfaces } from './detect-ip.ts'
import type { ValidValues } from './setting-table.ts'

/** As the kind of NODE_NAME has it. */
const NODE_NAME_LENGTH_MAX = 63

/** Where the program runs. */
export interface Surroundings {
  /** Absolute; relative paths resolve against it. */
  readonly cwd: string
  /** Absolute; the folder that holds the program, and with it the default html. */
  readonly programDir: string
  readonly interfaces: Interfaces
  /** The machine's. */
  readonly hostName: string
}

/** Without `HTML_DIRS` the program's own folders are served. */
export function completeValues (
  values: ValidValues, isHtmlDefault: boolean, surroundings: Surroundings
): ValidValues {
  const { cwd, programDir } = surroundings
  const { HOST, MONITORING_HOST, IP, HTML_DIRS, DB_PATH, LOG_FILE, TLS_CERT, TLS_KEY } = values
  const { CLUSTER_URL, NODE_NAME, CLUSTER_SECRET_FILE: secretFile } = values
  const isNodeNamed = NODE_NAME !== '' || CLUSTER_URL === undefined || CLUSTER_URL === ''
  const monitoringHost = MONITORING_HOST === '' ? HOST : MONITORING_HOST
  const folders = HTML_DIRS?.map(dir => resolve(isHtmlDefault ? programDir : cwd, dir))
  const isForAll = isHtmlDefault || folders?.length === 1
  return {
    ...values,
    ...(monitoringHost !== undefined && { MONITORING_HOST: monitoringHost }),
    ...(IP === '' && HOST !== undefined && { IP: detectIp(HOST, surroundings.interfaces) ?? '' }),
    ...(folders !== undefined && {
      HTML_DIRS: isForAll ? inTurn(folders, values.PORTS?.length ?? folders.length) : folders
    }),
    ...(DB_PATH !== undefined && { DB_PATH: resolve(cwd, DB_PATH) }),
    ...(LOG_FILE !== undefined && { LOG_FILE: resolve(cwd, LOG_FILE) }),
    ...(TLS_CERT !== undefined && TLS_CERT !== '' && { TLS_CERT: resolve(cwd, TLS_CERT) }),
    ...(TLS_KEY !== undefined && TLS_KEY !== '' && { TLS_KEY: resolve(cwd, TLS_KEY) }),
    ...(!isNodeNamed && { NODE_NAME: nodeNameOf(surroundings.hostName) }),
    ...(secretFile !== undefined && secretFile !== '' && {
      CLUSTER_SECRET_FILE: resolve(cwd, secretFile)
    })
  }
}

/** Empty where nothing of the machine's name can stand in one. */
function nodeNameOf (hostName: string): string {
  return hostName.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, '-').replace(/^[._-]+/, '')
    .slice(0, NODE_NAME_LENGTH_MAX)
}

/** As many as `count`, starting over at the first when they run out. */
function inTurn (folders: readonly string[], count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => folders[index % folders.length]!)
}
