/**
 * Looks at files and folders that settings name, before anything is started: does the folder
 * exist, can the file be read or made. Says what is wrong in words; an empty refusal means nothing.
 * Creates nothing and keeps nothing open. Runs on the main thread, synchronously, at start.
 */
import {
  accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

export type FileText =
  | { readonly text: string, readonly refusal?: undefined }
  | { readonly refusal: string, readonly isMissing: boolean }

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'does not exist, because a part of its path is not a folder'],
  ['EACCES', 'may not be read'],
  ['EISDIR', 'is a folder'],
  ['ELOOP', 'is a link that leads in a circle'],
  ['ENAMETOOLONG', 'has too long a name'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'is not UTF-8 text']
])

/** A settings file or a PEM file is far smaller. */
const FILE_BYTES_MAX = 1_048_576

/** Why the path is no folder that can be listed and entered. */
export function refusalOfFolder (path: string): string {
  try {
    if (!statSync(path).isDirectory()) return `${path} is not a folder`
    accessSync(path, constants.R_OK | constants.X_OK)
    return ''
  } catch (error) {
    return `${path} ${reasonOf(error)}`
  }
}

/** Why the path cannot become a file; what is missing will be made. */
export function refusalOfFileToMake (path: string): string {
  try {
    return statSync(path).isDirectory() ? `${path} is a folder` : ''
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? '' : `${path} ${reasonOf(error)}`
  }
}

/** RFC 8615: where programs look for facts about a whole site. The one dotfile that is served. */
export const WELL_KNOWN = '.well-known'

/**
 * Whether what is at `path` is inside of the folder and served: what begins with a dot is not, but
 * for the one in the folder itself. Both paths are without links.
 */
export function isServable (folder: string, path: string): boolean {
  const steps = relative(folder, path).split(sep)
  return !steps.some((step, at) => step.startsWith('.') && !(at === 0 && step === WELL_KNOWN))
}

/** Without links, as far as the path is there. */
export function realPath (path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), path.slice(parent.length))
  }
}

/** The text of a small UTF-8 file, without its byte order mark. */
export function readSmallFile (path: string): FileText {
  try {
    const bytes = readUpTo(FILE_BYTES_MAX + 1, path)
    if (bytes.length > FILE_BYTES_MAX) {
      return { refusal: `is larger than ${FILE_BYTES_MAX} bytes`, isMissing: false }
    }
    return { text: decode(bytes) }
  } catch (error) {
    return { refusal: reasonOf(error), isMissing: codeOf(error) === 'ENOENT' }
  }
}

/** Whatever size the file claims to have: a device has none and no end. */
function readUpTo (bytesMax: number, path: string): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(bytesMax)
    let count = 0
    for (;;) {
      const read = readSync(fd, bytes, count, bytesMax - count, null)
      count += read
      if (read === 0 || count === bytesMax) return bytes.subarray(0, count)
    }
  } finally {
    closeSync(fd)
  }
}

/** The decoder drops a byte order mark by itself. */
function decode (bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

function reasonOf (error: unknown): string {
  const code = codeOf(error)
  return REASONS.get(code) ?? `cannot be used (${code})`
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
