/**
 * Reads folders into shared memory: walks each, reads its files, then compresses and hashes them.
 * Each folder is read once, however many servers serve it. Runs in the loader's thread.
 */
import { join } from 'node:path'
import { SiteTooLarge, SiteUnreadable } from '@usher/shared/errors.ts'
import {
  checkRoom, holderOfServer, inMiB, SiteWriter, type MemoryRoom
} from '@usher/shared/memory/site-memory.ts'
import type { LoadedSites, SiteEntry } from '@usher/shared/messages.ts'
import { quoteName } from '@usher/shared/quote.ts'
import { SiteChanged } from '../disk-file.ts'
import { atOnce } from './at-once.ts'
import { contentKind } from './content-type.ts'
import { encodeAll, type ReadFile } from './encode-all.ts'
import { isOutOfResources, reasonOf } from './file-errors.ts'
import { readRules, type FolderRules } from './folder-rules.ts'
import { identify, openFound, readInto } from './site-files.ts'
import { indexText, isOnDisk } from './site-index.ts'
import { findFiles, SITE_ENTRIES_MAX, type FoundFile, type FoundFiles } from './site-walk.ts'

export interface LoadOptions {
  /** For all sites together. */
  readonly room?: MemoryRoom
  /** What is larger stays on disk; nothing does if left out. */
  readonly memoryFileMaxBytes?: number
  /** Of one site's files in memory, as they are. */
  readonly bytesMax?: number
  readonly entriesMax?: number
  /** How many servers will hold the memory. */
  readonly serverCount?: number
  /** Leaves the compressing of small sites for another load. */
  readonly isFirst?: boolean
  /** Told how many bytes there are to be read, at each walk. */
  readonly onFound?: (bytes: number) => void
  readonly walk?: typeof findFiles
}

export const SITE_BYTES_MAX = 256 * 1024 * 1024

/** What is larger would be read twice for long, and be in memory twice. */
const FIRST_BYTES_MAX = 8 * 1024 * 1024

/** Folders that somebody is changing while they are read. */
const WALKS_MAX = 3
/** For one line of the log. */
const SKIPPED_NAMED_MAX = 100
/** What a server needs for each file beside its bytes. Measured: 20,000 files, Node 20. */
const LISTED_FILE_BYTES = 2048
const FILES_AT_ONCE = 8

const NO_BOUNDS: MemoryRoom = { limitBytes: Infinity, leftBytes: Infinity }

/**
 * Rejects with USHER_SITE_UNREADABLE, USHER_SITE_TOO_LARGE or USHER_SITE_RULES_INVALID, which name
 * the folder, the file or the line.
 * What cannot be served is left out, and said.
 */
export async function loadSites (
  dirs: readonly string[], options: LoadOptions = {}
): Promise<LoadedSites> {
  const { room = NO_BOUNDS, serverCount = 1, isFirst = false } = options
  const writer = new SiteWriter(room)
  const read = await readAll([...new Set(dirs)], writer, options)
  const fileCount = read.reduce((sum, { files }) => sum + files.length, 0)
  writer.reserve(fileCount * serverCount * LISTED_FILE_BYTES)
  const bytes = read.reduce((sum, site) => sum + bytesOf(site), 0)
  const isComplete = !isFirst || bytes > FIRST_BYTES_MAX
  const onRefused = (site: number, text: string): void => { read[site]!.skipped.push(text) }
  const index = await encodeAll(
    read.map(({ files }) => files), writer, { isCompressing: isComplete, onRefused })
  const sites = read.map((site): SiteEntry => ({
    dir: site.dir,
    index: writer.store(indexText(site.files.map(file => index.get(file)!))),
    rules: site.rules,
    bytes: bytesOf(site),
    skippedCount: site.skipped.length,
    skipped: site.skipped.slice(0, SKIPPED_NAMED_MAX)
  }))
  return { memory: writer.finish(holderOfServer(serverCount)), sites, isComplete }
}

function bytesOf ({ files }: ReadSite): number {
  return files.reduce((sum, { body }) => sum + (isOnDisk(body) ? body.bytes : body[2]), 0)
}

/** Reads the rules only. Rejects as loadSites does. */
export async function checkSites (
  dirs: readonly string[], options: LoadOptions = {}
): Promise<void> {
  await untilUnchanged(() => walkAll([...new Set(dirs)], options))
}

interface ReadSite extends Pick<FolderRules, 'rules'> {
  readonly dir: string
  readonly files: readonly ReadFile[]
  readonly skipped: string[]
}

/** Where files are read to. */
interface Into {
  readonly writer: SiteWriter
  /** What is larger stays on disk. */
  readonly memoryFileMaxBytes: number
}

/** All files are read before any is compressed: it leaves little time for changes in between. */
function readAll (
  dirs: readonly string[], writer: SiteWriter, options: LoadOptions
): Promise<ReadSite[]> {
  return untilUnchanged(() => walkAndRead(dirs, writer, options), () => { writer.clear() })
}

async function untilUnchanged<T> (
  read: () => Promise<T>, onChanged: () => void = () => {}
): Promise<T> {
  for (let walks = 1; ; walks++) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof SiteChanged)) throw error
      if (walks === WALKS_MAX) {
        throw new SiteUnreadable(`${error.message} was replaced while it was read, at each of ${WALKS_MAX} times: ` +
          'somebody is changing the folder')
      }
      onChanged()
    }
  }
}

async function walkAndRead (
  dirs: readonly string[], writer: SiteWriter, options: LoadOptions
): Promise<ReadSite[]> {
  const found = await walkAll(dirs, options)
  const bytes = sumOf(found.flatMap(folder => inMemory(folder, options)))
  checkRoom(bytes, options.room ?? NO_BOUNDS) // Before a byte of it is read.
  options.onFound?.(bytes)
  const sites: ReadSite[] = []
  const into = { writer, memoryFileMaxBytes: options.memoryFileMaxBytes ?? Infinity }
  for (const folder of found) {
    sites.push({ ...await readSite(folder.dir, folder, into), rules: folder.rules })
  }
  return sites
}

/** What is in each folder, and its rules. */
async function walkAll (
  dirs: readonly string[], options: LoadOptions
): Promise<FolderRules[]> {
  const { walk = findFiles, bytesMax = SITE_BYTES_MAX, entriesMax = SITE_ENTRIES_MAX } = options
  const found: Array<{ dir: string, walked: FoundFiles }> = []
  for (const dir of dirs) {
    const walked = await walk(dir, entriesMax)
    checkSize(dir, inMemory(walked, options), bytesMax)
    found.push({ dir, walked })
  }
  return await readRules(found)
}

function inMemory (
  { files }: FoundFiles, { memoryFileMaxBytes = Infinity }: LoadOptions
): readonly FoundFile[] {
  return files.filter(file => file.bytes <= memoryFileMaxBytes)
}

function sumOf (files: readonly FoundFile[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0)
}

function checkSize (dir: string, files: readonly FoundFile[], bytesMax: number): void {
  const giant = files.find(file => file.bytes > bytesMax)
  if (giant !== undefined) {
    throw new SiteTooLarge(`${join(dir, giant.path)} has ${inMiB(giant.bytes)}; ` +
      `all files of a site together may have ${inMiB(bytesMax)}`)
  }
  const bytes = sumOf(files)
  if (bytes > bytesMax) {
    throw new SiteTooLarge(`${dir} has ${inMiB(bytes)} in ${files.length} files; ` +
      `a site may have ${inMiB(bytesMax)}`)
  }
}

async function readSite (
  dir: string, { files, skipped }: FoundFiles, into: Into
): Promise<Omit<ReadSite, 'rules'>> {
  const read: ReadFile[] = []
  const leftOut: string[] = []
  await atOnce(FILES_AT_ONCE, files, async file => {
    try {
      read.push(await readFile(file, into))
    } catch (error) {
      if (error instanceof SiteChanged) throw new SiteChanged(join(dir, file.path))
      if (error instanceof SiteTooLarge) throw error
      if (isOutOfResources(error)) {
        throw new SiteUnreadable(`${join(dir, file.path)} could not be read: ${(error as Error).message}`)
      }
      leftOut.push(`${quoteName(file.path)} (${reasonOf(error)})`)
    }
  })
  return { dir, files: read, skipped: [...skipped, ...leftOut] }
}

async function readFile (
  found: FoundFile, { writer, memoryFileMaxBytes }: Into
): Promise<ReadFile> {
  const { path, realPath } = found
  const opened = await openFound(found)
  const { handle, facts } = opened
  // RFC 9110 section 8.8.2.1: a file from the future was last modified now.
  const modifiedMs = Math.min(Number(facts.mtimeMs), Date.now())
  const bytes = Number(facts.size)
  try {
    if (bytes > memoryFileMaxBytes) {
      const { file, head } = await identify(realPath, opened)
      return { path, kind: contentKind(path, head), body: file, modifiedMs }
    }
    const [chunk, at] = writer.take(bytes)
    const place = [chunk, at, await readInto(handle, writer.view([chunk, at, bytes]))] as const
    return { path, kind: contentKind(path, writer.view(place)), body: place, modifiedMs }
  } finally {
    await handle.close()
  }
}
