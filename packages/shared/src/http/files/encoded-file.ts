/**
 * A file in every content coding that makes it smaller, each with its entity tag. Hashes in the
 * thread that calls.
 */
import { createHash } from 'node:crypto'
import type { Coding } from './content-coding.ts'
import { compress, madeCodings, type CompressedCoding, type Effort } from './compression.ts'

export interface ContentKind {
  /** The value of Content-Type. */
  readonly type: string
  readonly isText: boolean
  /** The content is this type in gzip; an archive such as `.gz` is a type of its own. */
  readonly isGzipped: boolean
}

/** A file that stays on disk, as it was when it was loaded. */
export interface DiskFile {
  /** Where it really is, symbolic links followed. */
  readonly realPath: string
  readonly bytes: number
  /** Device, inode and time of the last modification, in ns. */
  readonly identity: string
  /** When its content, its mode, its owner or its links last changed, in ns. */
  readonly changedNs: string
  readonly linkCount: number
}

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

export interface EncodeOptions {
  /** Of the body, as `hashOf` makes it. */
  readonly hash?: string
  readonly effort?: Effort
  /** Codings that are there already. */
  readonly given?: readonly Coding[]
}

/** One compression at a time. */
export async function encodeFile (
  body: Buffer, { type, isText, isGzipped }: ContentKind,
  { hash = hashOf(body), effort = 'best', given = [] }: EncodeOptions = {}
): Promise<EncodedFile> {
  const variants = [variantOf(isGzipped ? 'gzip' : 'identity', body, hash)]
  const codings: readonly CompressedCoding[] = isText ? madeCodings() : []
  for (const coding of codings) {
    if (given.includes(coding)) continue
    const coded = await compress(body, coding, effort)
    if (coded.length < body.length) variants.push(variantOf(coding, coded))
  }
  return { contentType: type, variants }
}

/** Enough of SHA-256 for an entity tag. */
export function hashOf (body: Buffer): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, ETAG_HASH_LENGTH)
}

/** The tag is of the bytes as sent, so that another release's zlib gives another tag. */
export function variantOf (coding: Coding, body: Buffer, hash = hashOf(body)): EncodedVariant {
  return { coding, body, etag: `"${hash}-${coding}"` }
}
