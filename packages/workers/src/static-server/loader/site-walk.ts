/**
 * Finds what a site consists of: the regular files under a folder, by their path from it. Looks at
 * names and sizes and reads no content. Dotfiles are left out without a word, but for the folder
 * `.well-known`; what else cannot be served is left out and listed. Whoever opens a file has to
 * look again: see site-files.ts.
 */
import { isUtf8 } from 'node:buffer'
import type { BigIntStats, Dirent } from 'node:fs'
import { lstat, readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { SiteTooLarge, SiteUnreadable } from '@usher/shared/errors.ts'
import { quoteName } from '@usher/shared/quote.ts'
import { isServable, WELL_KNOWN } from '@usher/shared/settings/path-check.ts'
import { isOutOfResources, reasonOf } from './file-errors.ts'

export interface FoundFile {
  /** From the folder, with `/` between the segments. */
  readonly path: string
  /** Where it really is, symbolic links followed. */
  readonly realPath: string
  readonly device: bigint
  readonly inode: bigint
  readonly bytes: number
  readonly modifiedMs: number
}

export interface FoundFiles {
  readonly files: readonly FoundFile[]
  /** Paths from the folder, made printable, each with why it was left out. */
  readonly skipped: readonly string[]
}

/** Files and folders, those of linked folders counted once per link. */
export const SITE_ENTRIES_MAX = 100_000

/**
 * Throws USHER_SITE_UNREADABLE when the folder itself cannot be read, and USHER_SITE_TOO_LARGE
 * above `entriesMax`.
 */
export async function findFiles (dir: string, entriesMax: number): Promise<FoundFiles> {
  const root = await resolveRoot(dir)
  const walk: Walk = { dir, root, entriesMax, entries: 0, files: [], skipped: [] }
  const rest: FoundFolder[] = [{ path: '', realPath: root, ancestors: [root] }]
  for (let folder = rest.pop(); folder !== undefined; folder = rest.pop()) {
    rest.push(...await readFolder(walk, folder))
  }
  return walk
}

interface Walk extends FoundFiles {
  readonly dir: string
  readonly root: string
  readonly entriesMax: number
  entries: number
  readonly files: FoundFile[]
  readonly skipped: string[]
}

interface FoundFolder {
  readonly path: string
  readonly realPath: string
  /** Real paths from the root to this folder, itself included. */
  readonly ancestors: readonly string[]
}

/** Once for a walk: a link to a release that is switched meanwhile does not mix two releases. */
async function resolveRoot (dir: string): Promise<string> {
  try {
    return await realpath(dir)
  } catch (error) {
    throw unreadable(dir, error)
  }
}

/** Adds the folder's files to the walk; returns its folders. */
async function readFolder (walk: Walk, folder: FoundFolder): Promise<FoundFolder[]> {
  const folders: FoundFolder[] = []
  for (const entry of await entriesOf(walk, folder)) {
    const isWellKnown = folder.path === '' && entry.name.equals(WELL_KNOWN_BYTES)
    if (entry.name[0] === DOT && !isWellKnown) continue
    countEntry(walk)
    const path = folder.path === '' ? '' : `${folder.path}/`
    if (!isUtf8(entry.name)) {
      walk.skipped.push(quoteName(path) + `${escapeBytes(entry.name)} (has a name that is not UTF-8)`)
      continue
    }
    const name = entry.name.toString()
    const found = await resolveEntry(walk, folder, entry.isSymbolicLink(), path, name)
    if (typeof found === 'string') walk.skipped.push(`${quoteName(path + name)} (${found})`)
    else if ('bytes' in found) walk.files.push(found)
    else folders.push(found)
  }
  return folders
}

const DOT = '.'.charCodeAt(0)
const WELL_KNOWN_BYTES = Buffer.from(WELL_KNOWN)

/** By names as bytes: what is no UTF-8 would not be the file's name any more as text. */
async function entriesOf (walk: Walk, folder: FoundFolder): Promise<Array<Dirent<Buffer>>> {
  try {
    return await readdir(folder.realPath, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    if (folder.path === '' || isOutOfResources(error)) throw unreadable(join(walk.dir, folder.path), error)
    walk.skipped.push(`${quoteName(folder.path)} (${reasonOf(error)})`)
    return []
  }
}

function countEntry (walk: Walk): void {
  walk.entries++
  if (walk.entries <= walk.entriesMax) return
  throw new SiteTooLarge(`${walk.dir} has more than ${walk.entriesMax} files and folders`)
}

/** The file or folder that an entry stands for, or why it is left out. */
async function resolveEntry (
  walk: Walk, folder: FoundFolder, isLink: boolean, parentPath: string, name: string
): Promise<FoundFile | FoundFolder | string> {
  let realPath = join(folder.realPath, name)
  const path = parentPath + name
  if (isLink) {
    const target = await realpath(realPath, 'buffer').catch(() => undefined)
    if (target === undefined) return 'leads nowhere'
    if (!isUtf8(target)) return 'leads to a name that is not UTF-8'
    realPath = target.toString()
    if (realPath !== walk.root && !isServable(walk.root, realPath)) return 'leads out of the folder or to a dotfile'
  }
  let facts: BigIntStats
  try {
    facts = await lstat(realPath, { bigint: true })
  } catch (error) {
    if (isOutOfResources(error)) throw unreadable(join(walk.dir, path), error)
    return reasonOf(error)
  }
  if (facts.isFile()) return toFoundFile(path, realPath, facts)
  if (!facts.isDirectory()) return 'is no regular file'
  // A link to a folder that contains it would never end.
  if (folder.ancestors.includes(realPath)) return 'leads back to a folder that contains it'
  return { path, realPath, ancestors: [...folder.ancestors, realPath] }
}

function toFoundFile (path: string, realPath: string, facts: BigIntStats): FoundFile {
  const { dev: device, ino: inode, size, mtimeMs } = facts
  return { path, realPath, device, inode, bytes: Number(size), modifiedMs: Number(mtimeMs) }
}

/** As bash writes it: printable ASCII as it is, other bytes as `\xff`. */
function escapeBytes (name: Buffer): string {
  return name.toString('latin1').replace(/[^\x20-\x5b\x5d-\x7e]/g,
    byte => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function unreadable (path: string, error: unknown): Error {
  return new SiteUnreadable(`${path} could not be read: ${(error as Error).message}`)
}
