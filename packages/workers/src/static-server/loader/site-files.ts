/**
 * Opens and reads the files that a walk has found. Between the two anybody who may write to the
 * folder can put a link in the place of a file or of a folder above it, and a path would lead out
 * of the site. So it is the opened file that is looked at: nothing can be put in its place any
 * more.
 */
import { constants } from 'node:fs'
import { open, readlink, realpath, type FileHandle } from 'node:fs/promises'
import type { FoundFile } from './site-walk.ts'

/** What was found is not there any more, or is something else: another walk is needed. */
export class SiteChanged extends Error {}

/** Undefined on Windows. A pipe in the place of a file must not make the opening wait. */
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants

const CHANGED_CODES = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']

/**
 * The open file, its bytes and its time as they are now. Throws SiteChanged, or the system's error.
 */
export async function openFound (
  file: FoundFile
): Promise<{ handle: FileHandle, bytes: number, modifiedMs: number }> {
  const handle = await orChanged(file, open(file.realPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  try {
    const { dev, ino, size, mtimeMs } = await handle.stat({ bigint: true })
    // The inode alone would be no proof: the walk itself may have been led out by such a link.
    const isSame = dev === file.device && ino === file.inode &&
      await orChanged(file, truePath(handle, file)) === file.realPath
    if (!isSame) throw new SiteChanged(file.path)
    return { handle, bytes: Number(size), modifiedMs: Number(mtimeMs) }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Where the open file really is. The kernel says it of the descriptor, and no link can change that.
 * Where it does not (outside of Linux), the path is resolved once more, and the inode has to do.
 */
async function truePath (handle: FileHandle, file: FoundFile): Promise<string> {
  return await readlink(`/proc/self/fd/${handle.fd}`).catch(() => realpath(file.realPath))
}

/** Fills the view; returns how many bytes there were, fewer when the file was cut meanwhile. */
export async function readInto (handle: FileHandle, view: Buffer): Promise<number> {
  let bytes = 0
  while (bytes < view.length) {
    const { bytesRead } = await handle.read(view, bytes, view.length - bytes, bytes)
    if (bytesRead === 0) break
    bytes += bytesRead
  }
  return bytes
}

async function orChanged<T> (file: FoundFile, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw CHANGED_CODES.includes(code) ? new SiteChanged(file.path) : error
  }
}
