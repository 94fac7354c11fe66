/**
 * A file of a site as a server keeps it: its bytes in every content coding that makes them fewer,
 * and the replies that send them whole, made once at load. Does not read files; runs in the
 * server's thread, compressing and hashing in libuv's.
 */
import { webcrypto } from 'node:crypto'
import { extname } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { contentType } from 'mime-types'
import { NO_BODY, type Reply } from '@usher/shared/http/vocabulary/values.ts'
import type { Coding } from './content-coding.ts'
import { formatHttpDate } from './http-date.ts'

export interface StoredFile extends FileKind {
  readonly variants: Readonly<Record<Coding, Variant | undefined>> & { readonly identity: Variant }
}

/** What all variants of a file have in common. */
interface FileKind {
  readonly contentType: string
  /** What a browser shows as a page. */
  readonly isPage: boolean
  /** Whole seconds; undefined for what was made in memory. */
  readonly lastModifiedMs: number | undefined
  /** True when there is more than one variant, so that caches must tell them apart. */
  readonly isNegotiated: boolean
}

/** One representation. Its replies are the same objects at every request. */
export interface Variant {
  readonly coding: Coding
  readonly body: Buffer
  /** Strong, with its quotes. */
  readonly etag: string
  readonly whole: Reply
  readonly notModified: Reply
}

/** 132 of SHA-256's bits: two versions of a file never share a tag. */
const ETAG_HASH_LENGTH = 22

const UNKNOWN_TYPE = 'application/octet-stream'
const PAGE_TYPE = /^(?:text\/html|application\/xhtml\+xml)\b/
const TEXT_TYPE = /^(?:text\/|image\/svg\+xml|application\/(?:.+\+)?(?:javascript|json|xml|manifest))/

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
 * `name` decides the content type; `modifiedMs` counts from 1970 and may have a fraction.
 */
export async function storeFile (
  name: string, body: Buffer, modifiedMs: number | undefined
): Promise<StoredFile> {
  const type = typeOf(name)
  const [br, gzip] = TEXT_TYPE.test(type) ? await Promise.all([brotli(body), gzipped(body)]) : []
  const bodies = { identity: body, br: smaller(br, body), gzip: smaller(gzip, body) }
  const kind: FileKind = {
    contentType: type,
    isPage: PAGE_TYPE.test(type),
    lastModifiedMs: modifiedMs === undefined ? undefined : Math.floor(modifiedMs / 1000) * 1000,
    isNegotiated: bodies.br !== undefined || bodies.gzip !== undefined
  }
  const [identity, ...coded] = await Promise.all([
    variantOf('identity', bodies.identity, kind),
    bodies.br && variantOf('br', bodies.br, kind),
    bodies.gzip && variantOf('gzip', bodies.gzip, kind)
  ])
  return { ...kind, variants: { identity, br: coded[0], gzip: coded[1] } }
}

/** Only by its extension: mime-types alone would take a file named `html` for a page. */
function typeOf (name: string): string {
  const extension = extname(name)
  return (extension !== '' && contentType(extension)) || UNKNOWN_TYPE
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

function smaller (coded: Buffer | undefined, plain: Buffer): Buffer | undefined {
  return coded !== undefined && coded.length < plain.length ? coded : undefined
}

async function variantOf (coding: Coding, body: Buffer, kind: FileKind): Promise<Variant> {
  const etag = await entityTag(coding, body)
  const { isPage } = kind
  const shared = ['ETag', etag, 'Cache-Control', 'no-cache']
  if (kind.isNegotiated) shared.push('Vary', 'Accept-Encoding')
  // RFC 9110 section 15.4.5: a 304 repeats what caches key and judge by, and nothing else.
  const notModified = { status: 304, headers: shared, body: NO_BODY, isPage }
  const headers = ['Content-Type', kind.contentType, ...shared, 'Accept-Ranges', 'bytes']
  if (coding !== 'identity') headers.push('Content-Encoding', coding)
  if (kind.lastModifiedMs !== undefined) {
    headers.push('Last-Modified', formatHttpDate(kind.lastModifiedMs))
  }
  return { coding, body, etag, notModified, whole: { status: 200, headers, body, isPage } }
}

/** The tag is of the bytes as sent, so that another release's zlib gives another tag. */
async function entityTag (coding: Coding, body: Buffer): Promise<string> {
  const hash = Buffer.from(await webcrypto.subtle.digest('SHA-256', body))
  return `"${hash.toString('base64url').slice(0, ETAG_HASH_LENGTH)}-${coding}"`
}
