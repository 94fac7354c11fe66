/**
 * A site: one folder's files, all in memory, by the URL path that each answers to. Read once and
 * never changed; a reload makes a new one. Nothing that is not in its map can be served, so that no
 * spelling of a path leads anywhere else.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SiteTooLarge, SiteUnreadable } from '@usher/shared/errors.ts'
import { findFiles, SITE_ENTRIES_MAX, type FoundFile } from './site-walk.ts'
import { storeFile, type StoredFile } from './stored-file.ts'

export interface Site {
  /** The folder, as it was given. */
  readonly dir: string
  /** By decoded URL path: `/index.html`, and for a folder's page the folder too: `/`, `/sub/`. */
  readonly files: ReadonlyMap<string, StoredFile>
  /** From a decoded folder path without its slash to the same, percent-encoded, with it. */
  readonly redirects: ReadonlyMap<string, string>
  /** The folder's own page for 404. */
  readonly notFound: StoredFile | undefined
  /** What was left out, dotfiles aside, each with the reason: for one log line. */
  readonly skipped: readonly string[]
  /** Of all files, uncompressed. */
  readonly bytes: number
}

export interface SiteLimits {
  readonly bytesMax: number
  readonly entriesMax: number
}

export const SITE_BYTES_MAX = 256 * 1024 * 1024

const DEFAULT_LIMITS: SiteLimits = { bytesMax: SITE_BYTES_MAX, entriesMax: SITE_ENTRIES_MAX }

const INDEX = 'index.html'
const NOT_FOUND = '404.html'

/** Enough to keep libuv's four threads compressing while the next files are read. */
const FILES_AT_ONCE = 8

/**
 * Reads the folder `dir`. Throws USHER_SITE_UNREADABLE or USHER_SITE_TOO_LARGE, naming the folder
 * or the file.
 */
export async function loadSite (dir: string, limits: SiteLimits = DEFAULT_LIMITS): Promise<Site> {
  const found = await findFiles(dir, limits.entriesMax)
  const bytes = checkSize(dir, found.files, limits.bytesMax)
  const loaded = await loadFiles(dir, found.files)
  return {
    dir,
    files: new Map(loaded.flatMap(({ path, file }) => pathsOf(path).map(at => [at, file]))),
    redirects: new Map(loaded.flatMap(({ path }) => redirectsTo(path))),
    notFound: loaded.find(({ path }) => path === NOT_FOUND)?.file,
    skipped: found.skipped,
    bytes
  }
}

interface LoadedFile {
  /** From the folder, without a leading slash. */
  readonly path: string
  readonly file: StoredFile
}

/** The bytes of all files. */
function checkSize (dir: string, files: readonly FoundFile[], bytesMax: number): number {
  const giant = files.find(file => file.bytes > bytesMax)
  if (giant !== undefined) {
    throw new SiteTooLarge(`${join(dir, giant.path)} has ${inMiB(giant.bytes)}; ` +
      `all files of a site together may have ${inMiB(bytesMax)}`)
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  if (bytes > bytesMax) {
    throw new SiteTooLarge(`${dir} has ${inMiB(bytes)} in ${files.length} files; ` +
      `a site may have ${inMiB(bytesMax)}`)
  }
  return bytes
}

/** Rounded up, so that a size over the limit never reads as the limit. */
function inMiB (bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024 * 100) / 100} MiB (${bytes} bytes)`
}

/** Loads with bounded concurrency, in no order. */
async function loadFiles (dir: string, files: readonly FoundFile[]): Promise<LoadedFile[]> {
  const loaded: LoadedFile[] = []
  // All loops take their files from one generator; a loop that throws ends it for all of them.
  const rest = oneByOne(files)
  async function loadOneAfterAnother (): Promise<void> {
    for (const file of rest) loaded.push(await loadFile(dir, file))
  }
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, loadOneAfterAnother))
  return loaded
}

function * oneByOne<T> (list: readonly T[]): Generator<T, void, undefined> {
  yield * list
}

async function loadFile (dir: string, found: FoundFile): Promise<LoadedFile> {
  const { path, realPath, modifiedMs } = found
  try {
    const body = await readFile(realPath)
    // RFC 9110 section 8.8.2.1: a file from the future was last modified now.
    return { path, file: await storeFile(path, body, Math.min(modifiedMs, Date.now())) }
  } catch (error) {
    throw new SiteUnreadable(`${join(dir, path)} could not be read: ${(error as Error).message}`)
  }
}

function pathsOf (path: string): string[] {
  const folder = folderOf(path)
  return folder === undefined ? [`/${path}`] : [`/${path}`, `/${folder}`]
}

function redirectsTo (path: string): Array<[string, string]> {
  const folder = folderOf(path)
  if (folder === undefined || folder === '') return []
  // Made from names of files, none of which is empty: it cannot begin with `//`.
  const location = `/${folder.split('/').map(encodeURIComponent).join('/')}`
  return [[`/${folder.slice(0, -1)}`, location]]
}

/** The folder whose page this is, with its slash, '' for the root; undefined for other files. */
function folderOf (path: string): string | undefined {
  const isIndex = path === INDEX || path.endsWith(`/${INDEX}`)
  return isIndex ? path.slice(0, -INDEX.length) : undefined
}
