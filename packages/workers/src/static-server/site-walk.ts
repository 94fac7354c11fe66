/**
 * Finds what a site consists of: the regular files under a folder, by their path from it. Looks at
 * names and sizes and reads no content. Dotfiles are left out without a word; what else is left out
 * is listed.
 */
import { readdir, realpath, stat } from 'node:fs/promises'
import type { Dirent } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { SiteTooLarge, SiteUnreadable } from '@usher/shared/errors.ts'

export interface FoundFile {
  /** From the folder, with `/` between the segments. */
  readonly path: string
  /** Where it really is, symbolic links followed. */
  readonly realPath: string
  readonly bytes: number
  readonly modifiedMs: number
}

export interface FoundFiles {
  readonly files: readonly FoundFile[]
  /** Paths from the folder, each with why it was left out. */
  readonly skipped: readonly string[]
}

/** Files and folders, those of linked folders counted once per link. */
export const SITE_ENTRIES_MAX = 100_000

/**
 * Throws USHER_SITE_UNREADABLE, naming what could not be read, and USHER_SITE_TOO_LARGE above
 * `entriesMax`.
 */
export async function findFiles (dir: string, entriesMax: number): Promise<FoundFiles> {
  const root = await orUnreadable(dir, realpath(dir))
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

/** Adds the folder's files to the walk; returns its folders. */
async function readFolder (walk: Walk, folder: FoundFolder): Promise<FoundFolder[]> {
  const entries = await orUnreadable(
    join(walk.dir, folder.path), readdir(folder.realPath, { withFileTypes: true }))
  const folders: FoundFolder[] = []
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    countEntry(walk)
    const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`
    const found = await resolveEntry(walk, folder, entry, path)
    if (typeof found === 'string') walk.skipped.push(`${path} (${found})`)
    else if ('bytes' in found) walk.files.push(found)
    else folders.push(found)
  }
  return folders
}

function countEntry (walk: Walk): void {
  walk.entries++
  if (walk.entries <= walk.entriesMax) return
  throw new SiteTooLarge(`${walk.dir} has more than ${walk.entriesMax} files and folders`)
}

/** The file or folder that an entry stands for, or why it is left out. */
async function resolveEntry (
  walk: Walk, folder: FoundFolder, entry: Dirent, path: string
): Promise<FoundFile | FoundFolder | string> {
  let realPath = join(folder.realPath, entry.name)
  if (entry.isSymbolicLink()) {
    const target = await realpath(realPath).catch(() => undefined)
    if (target === undefined) return 'leads nowhere'
    if (!isServable(walk.root, target)) return 'leads out of the folder or to a dotfile'
    realPath = target
  }
  const facts = await orUnreadable(join(walk.dir, path), stat(realPath))
  if (facts.isFile()) return { path, realPath, bytes: facts.size, modifiedMs: facts.mtimeMs }
  if (!facts.isDirectory()) return 'is no regular file'
  // A link to a folder that contains it would never end.
  if (folder.ancestors.includes(realPath)) return 'leads back to a folder that contains it'
  return { path, realPath, ancestors: [...folder.ancestors, realPath] }
}

function isServable (root: string, target: string): boolean {
  if (target === root) return true
  const fromRoot = relative(root, target)
  return !fromRoot.split(sep).some(segment => segment.startsWith('.'))
}

async function orUnreadable<T> (path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    throw new SiteUnreadable(`${path} could not be read: ${(error as Error).message}`)
  }
}
