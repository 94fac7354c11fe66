/**
 * All files that were read, with their content codings, as the index lists them: what is compressed
 * beside a file is taken, the rest is made, as well as the time for it allows. Runs in the loader's
 * thread.
 */
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { isPacked, type CompressedCoding, type Effort } from '@usher/shared/http/files/compression.ts'
import { encodeFile, hashOf, variantOf, type ContentKind, type DiskFile } from '@usher/shared/http/files/encoded-file.ts'
import type { Place, SiteWriter } from '@usher/shared/memory/site-memory.ts'
import { quoteName } from '@usher/shared/quote.ts'
import { diskTag } from '../disk-file.ts'
import { atOnce } from './at-once.ts'
import { isOnDisk, type IndexedFile, type IndexedVariant } from './site-index.ts'

export interface ReadFile {
  readonly path: string
  readonly kind: ContentKind
  readonly body: Place | DiskFile
  readonly modifiedMs: number
}

/** One of libuv's four threads is left for what else the program reads. */
const COMPRESSIONS_AT_ONCE = Math.min(3, availableParallelism())

/**
 * So much text is compressed as well as can be, the smallest files first: 3 s of a processor,
 * whatever the size of the site. Bytes and not seconds decide, so that the next start makes the
 * same bytes and the same entity tags.
 */
const BEST_BYTES = 2 * 1024 * 1024
/** And so much beyond that well enough: 3 s at most. */
const GOOD_BYTES = 32 * 1024 * 1024

const NEIGHBOURS: ReadonlyArray<readonly [extension: string, coding: CompressedCoding]> =
  [['.br', 'br'], ['.zst', 'zstd'], ['.gz', 'gzip']]

export interface EncodeOptions {
  /** False: what has to be made is left out. */
  readonly isCompressing: boolean
  /** Told of what is newer than its neighbour, but does not hold the same. */
  readonly onRefused: (site: number, text: string) => void
}

export async function encodeAll (
  sites: ReadonlyArray<readonly ReadFile[]>, writer: SiteWriter,
  { isCompressing, onRefused }: EncodeOptions
): Promise<Map<ReadFile, IndexedFile>> {
  const index = new Map<ReadFile, IndexedFile>()
  const known = new Map<string, Promise<readonly IndexedVariant[]>>()
  const byPath = sites.map(files => new Map(files.map(file => [file.path, file])))
  const work = sites.flatMap((files, site) => files.map(file => ({ site, file })))
  const efforts = effortsOf(sites.flat())
  await atOnce(COMPRESSIONS_AT_ONCE, work, async ({ site, file }) => {
    const { path, modifiedMs, kind } = file
    const refuse = (text: string): void => { onRefused(site, text) }
    const given = await precompressed(file, byPath[site]!, writer, refuse)
    const variants = await variantsOf(file, given, efforts.get(file)!)
    index.set(file, { path, modifiedMs, contentType: kind.type, variants })
  })
  return index

  function variantsOf (
    { path, kind, body }: ReadFile, given: readonly IndexedVariant[], effort: Effort
  ): Promise<readonly IndexedVariant[]> | readonly IndexedVariant[] {
    if (isOnDisk(body)) return [onDisk(kind.isGzipped ? 'gzip' : 'identity', body), ...given]
    const hash = hashOf(writer.view(body))
    // Equal content, such as a script that several folders have, is compressed and kept once.
    const key = [hash, extname(path), kind.type, ...given.map(([, etag]) => etag)].join(' ')
    const made = { ...kind, isText: kind.isText && isCompressing }
    const encoding = known.get(key) ?? encode(body, made, hash, given, effort, writer)
    known.set(key, encoding)
    return encoding
  }
}

async function encode (
  place: Place, kind: ContentKind, hash: string, given: readonly IndexedVariant[], effort: Effort,
  writer: SiteWriter
): Promise<readonly IndexedVariant[]> {
  const codings = given.map(([coding]) => coding)
  const { variants } = await encodeFile(writer.view(place), kind, { hash, effort, given: codings })
  const made = variants.map(({ coding, etag, body }, at): IndexedVariant =>
    [coding, etag, at === 0 ? place : writer.store(body)])
  return [...made, ...given]
}

/** What each text in memory is worth; others are not compressed. */
function effortsOf (files: readonly ReadFile[]): Map<ReadFile, Effort> {
  let bytes = 0
  const smallestFirst = files.map(file => ({ file, size: sizeOf(file) }))
    .sort((a, b) => a.size - b.size)
  return new Map(smallestFirst.map(({ file, size }) => {
    if (file.kind.isText && !isOnDisk(file.body)) bytes += size
    const effort = bytes <= BEST_BYTES ? 'best' : bytes <= BEST_BYTES + GOOD_BYTES ? 'good' : 'fast'
    return [file, effort]
  }))
}

/** The files beside this one that hold the same in a content coding, and are not older. */
async function precompressed (
  file: ReadFile, beside: ReadonlyMap<string, ReadFile>, writer: SiteWriter,
  refuse: (text: string) => void
): Promise<readonly IndexedVariant[]> {
  const found: IndexedVariant[] = []
  for (const [extension, coding] of NEIGHBOURS) {
    const neighbour = beside.get(`${file.path}${extension}`)
    if (neighbour === undefined || file.kind.isGzipped) continue
    if (neighbour.modifiedMs < file.modifiedMs || sizeOf(neighbour) >= sizeOf(file)) continue
    const { body } = neighbour
    if (isOnDisk(body)) {
      found.push(onDisk(coding, body))
      continue
    }
    const packed = writer.view(body)
    // What is too large to be read at the load is believed.
    if (isOnDisk(file.body) || await isPacked(packed, writer.view(file.body), coding)) {
      found.push([coding, variantOf(coding, packed).etag, body])
    } else {
      refuse(`${quoteName(neighbour.path)} (does not hold what ${quoteName(file.path)} does, so it is not sent in its place)`)
    }
  }
  return found
}

function onDisk (coding: IndexedVariant[0], file: DiskFile): IndexedVariant {
  return [coding, diskTag(file, coding), file]
}

function sizeOf ({ body }: ReadFile): number {
  return isOnDisk(body) ? body.bytes : body[2]
}
