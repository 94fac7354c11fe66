/**
 * Opens and reads the files that a walk has found: into memory, or, where a file is to stay on
 * disk, no more than what it is known by.
 */
import type { FileHandle } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { DiskFile } from '@usher/shared/http/files/encoded-file.ts'
import { diskFileOf, openAt, type OpenedFile } from '../disk-file.ts'
import type { FoundFile } from './site-walk.ts'

/** A type is told by so many bytes from the beginning. */
const HEAD_BYTES = 1024

/**
 * Files tell times by a clock of the kernel's, which goes on 100 times a second at least. Two
 * writes in one tick leave the same time.
 */
const TICKS_MS = 20

/** What was found. Throws SiteChanged when it is something else by now, or the system's error. */
export function openFound ({ realPath, device, inode }: FoundFile): Promise<OpenedFile> {
  return openAt(realPath, ({ dev, ino }) => dev === device && ino === inode)
}

/** What a file is known by that stays on disk, and its first bytes. */
export async function identify (
  realPath: string, { handle, facts }: OpenedFile
): Promise<{ file: DiskFile, head: Buffer }> {
  // From now on every write gives it a time that differs from the one that is remembered.
  const isSettled = Date.now() - Number(facts.ctimeMs) > TICKS_MS
  if (!isSettled) await setTimeout(TICKS_MS)
  const file = diskFileOf(realPath, isSettled ? facts : await handle.stat({ bigint: true }))
  const head = Buffer.alloc(HEAD_BYTES)
  return { file, head: head.subarray(0, await readInto(handle, head)) }
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
