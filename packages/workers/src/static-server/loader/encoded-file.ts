/**
 * A file in every content coding that makes it smaller, each with its entity tag. Compresses in
 * libuv's threads, hashes in the one that calls.
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Coding } from '../content-coding.ts'
import type { DiskFile } from '../disk-file.ts'
import type { ContentKind } from './content-type.ts'

export interface EncodedFile {
  readonly contentType: string
  /** The first one is for clients that name no coding. */
  readonly variants: readonly EncodedVariant[]
}

export interface EncodedVariant {
  readonly coding: Coding
  /** Empty for one that stays on disk. */
  readonly body: Buffer
  readonly file?: DiskFile | undefined
  readonly etag: string
}

/** 132 of SHA-256's bits: two versions of a file never share a tag. */
const ETAG_HASH_LENGTH = 22

/**
 * The largest files of the first two steps take 0.1 s and 0.05 s, the third step 0.02 s per MiB;
 * quality 11 would take a second per MiB. Measured on JavaScript source, 2-core machine, Node 20.
 */
const BROTLI_STEPS = [
  { bytesMax: 128 * 1024, quality: 11 },
  { bytesMax: 1024 * 1024, quality: 9 },
  { bytesMax: Infinity, quality: 5 }
]
const GZIP_STEPS = [
  { bytesMax: 1024 * 1024, level: 9 },
  { bytesMax: Infinity, level: 6 }
]

const compressBrotli = promisify(brotliCompress)
const compressGzip = promisify(gzip)

/**
 * One compression at a time.
 *
 * @param hash of the body, as `hashOf` makes it
 */
export async function encodeFile (
  body: Buffer, { type, isText, isGzipped }: ContentKind, hash = hashOf(body)
): Promise<EncodedFile> {
  const variants = [variantOf(isGzipped ? 'gzip' : 'identity', body, hash)]
  if (isText) {
    const coded = [variantOf('br', await brotli(body)), variantOf('gzip', await gzipped(body))]
    variants.push(...coded.filter(variant => variant.body.length < body.length))
  }
  return { contentType: type, variants }
}

function brotli (body: Buffer): Promise<Buffer> {
  const { quality } = BROTLI_STEPS.find(step => body.length <= step.bytesMax)!
  return compressBrotli(body, {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length
    }
  })
}

function gzipped (body: Buffer): Promise<Buffer> {
  const { level } = GZIP_STEPS.find(step => body.length <= step.bytesMax)!
  return compressGzip(body, { level })
}

/** Enough of SHA-256 for an entity tag. */
export function hashOf (body: Buffer): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, ETAG_HASH_LENGTH)
}

/** The tag is of the bytes as sent, so that another release's zlib gives another tag. */
function variantOf (coding: Coding, body: Buffer, hash = hashOf(body)): EncodedVariant {
  return { coding, body, etag: `"${hash}-${coding}"` }
}
