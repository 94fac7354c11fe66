/**
 * Fills in what the settings as given leave open: the monitor's host, the address for links (where
 * HOST is one and no name), the folder of each server, and the absolute form of every path.
 * Computes only; looks at no file.
 */
import { resolve } from 'node:path'
import { detectIp, type Interfaces } from './detect-ip.ts'
import type { ValidValues } from './setting-table.ts'

/** Where the program runs. */
export interface Surroundings {
  /** Absolute; relative paths resolve against it. */
  readonly cwd: string
  /** Absolute; the folder that holds the program, and with it the default html. */
  readonly programDir: string
  readonly interfaces: Interfaces
}

/** Without `HTML_DIRS` the program's own folders are served. */
export function completeValues (
  values: ValidValues, isHtmlDefault: boolean, surroundings: Surroundings
): ValidValues {
  const { cwd, programDir } = surroundings
  const { HOST, MONITORING_HOST, IP, HTML_DIRS, DB_PATH, LOG_FILE, TLS_CERT, TLS_KEY } = values
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
    ...(TLS_KEY !== undefined && TLS_KEY !== '' && { TLS_KEY: resolve(cwd, TLS_KEY) })
  }
}

/** As many as `count`, starting over at the first when they run out. */
function inTurn (folders: readonly string[], count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => folders[index % folders.length]!)
}
