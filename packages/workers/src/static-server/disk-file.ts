/**
 * A file of a site that stays on disk, as it was when the site was loaded, and the opening of files
 * that a path may have been led away from. Used by the loader and by the servers' threads.
 *
 * What is sent of such a file was read while the file was still as it was loaded: each piece is
 * read first, and then the open file is asked whether it has changed. The kernel sets the times of
 * a file before it puts what is written into it, so a piece of the new content never finds the old
 * times. Not noticed is only what leaves all times alone: a write to memory that another program
 * has mapped already.
 */
import { createHash } from 'node:crypto'
import { constants, type BigIntStats } from 'node:fs'
import { open, readlink, realpath, type FileHandle } from 'node:fs/promises'
import type { DiskFile } from '@usher/shared/http/files/encoded-file.ts'

/** What was found is not there any more, or is something else. */
export class SiteChanged extends Error {}

/** Undefined on Windows. A pipe in the place of a file must not make the opening wait. */
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants

const CHANGED_CODES = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']
/** 132 of SHA-256's bits, as of what is hashed whole. */
const TAG_LENGTH = 22

export function diskFileOf (realPath: string, facts: BigIntStats): DiskFile {
  return {
    realPath,
    bytes: Number(facts.size),
    identity: identityOf(facts),
    changedNs: String(facts.ctimeNs),
    linkCount: Number(facts.nlink)
  }
}

/**
 * Whether an open file still has the content that it was loaded with. Another link to it, or one
 * less, as when an old release is deleted while it is sent, changes that time and no content.
 */
export function isUnchanged (file: DiskFile, facts: BigIntStats): boolean {
  return identityOf(facts) === file.identity && Number(facts.size) === file.bytes &&
    (String(facts.ctimeNs) === file.changedNs || Number(facts.nlink) !== file.linkCount)
}

function identityOf ({ dev, ino, mtimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${mtimeNs}`
}

/**
 * A strong entity tag, RFC 9110 section 8.8.1, without reading the file: no program can write to it
 * and leave the time of its last change as it was. Hashed, for inodes are nobody's business.
 */
export function diskTag ({ identity, bytes, changedNs }: DiskFile, coding: string): string {
  const hash = createHash('sha256').update(`${identity} ${bytes} ${changedNs}`).digest('base64url')
  return `"${hash.slice(0, TAG_LENGTH)}-${coding}"`
}

export interface OpenedFile {
  readonly handle: FileHandle
  readonly facts: BigIntStats
}

/** The file as it was loaded. Throws SiteChanged, or the system's error. */
export function openUnchanged (file: DiskFile): Promise<OpenedFile> {
  return openAt(file.realPath, facts => isUnchanged(file, facts))
}

/**
 * Opens what is at a path without links, if it is what is looked for. Between the walk and the
 * opening anybody who may write to the folder can put a link in the place of the file or of a
 * folder above it. So it is the opened file that is looked at: nothing can be put in its place any
 * more. Throws SiteChanged, or the system's error.
 */
export async function openAt (
  realPath: string, isSame: (facts: BigIntStats) => boolean
): Promise<OpenedFile> {
  const handle = await orChanged(realPath, open(realPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  try {
    const facts = await handle.stat({ bigint: true })
    // The inode alone would be no proof: the walk itself may have been led out by such a link.
    if (isSame(facts) && await orChanged(realPath, truePath(handle, realPath)) === realPath) {
      return { handle, facts }
    }
    throw new SiteChanged(realPath)
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Where the open file really is. The kernel says it of the descriptor, and no link can change that.
 * Where it does not (outside of Linux), the path is resolved once more, and the inode has to do.
 */
async function truePath (handle: FileHandle, path: string): Promise<string> {
  return await readlink(`/proc/self/fd/${handle.fd}`).catch(() => realpath(path))
}

async function orChanged<T> (realPath: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw CHANGED_CODES.includes(code) ? new SiteChanged(realPath) : error
  }
}
