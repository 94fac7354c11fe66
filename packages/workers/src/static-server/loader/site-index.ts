/**
 * What the loader writes down of a site's files, for the servers to read: text in the shared
 * memory, a line of JSON for each file, so that a reader can stop after each. Pure.
 */
import type { Coding } from '@usher/shared/http/files/content-coding.ts'
import type { DiskFile } from '@usher/shared/http/files/encoded-file.ts'
import type { Place } from '@usher/shared/memory/site-memory.ts'

export interface IndexedFile {
  /** From the folder, without a leading slash. */
  readonly path: string
  readonly contentType: string
  readonly modifiedMs: number
  /** As in EncodedFile, with the bytes' place. */
  readonly variants: readonly IndexedVariant[]
}

export type IndexedVariant = readonly [coding: Coding, etag: string, body: Place | DiskFile]

export function isOnDisk (body: Place | DiskFile): body is DiskFile {
  return 'realPath' in body
}

const LINE_END = 10

export function indexText (files: readonly IndexedFile[]): Buffer {
  // JSON escapes every line feed within a name.
  return Buffer.from(files.map(file => `${JSON.stringify(file)}\n`).join(''))
}

export function * linesOf (index: Buffer): Generator<IndexedFile, void, undefined> {
  for (let from = 0; from < index.length;) {
    const end = index.indexOf(LINE_END, from)
    yield JSON.parse(index.toString('utf8', from, end)) as IndexedFile
    from = end + 1
  }
}

const INDEX = 'index.html'

/** The folder whose page this is, with its slash, '' for the root; undefined for other files. */
export function folderOf (path: string): string | undefined {
  const isIndex = path === INDEX || path.endsWith(`/${INDEX}`)
  return isIndex ? path.slice(0, -INDEX.length) : undefined
}
