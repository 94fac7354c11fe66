/**
 * A file of a site as a server sends it: its variants, one for each content coding, and their whole
 * replies, made when they are first asked for. Does not read files and compresses nothing.
 */
import { NO_BODY, type Reply } from '../vocabulary/values.ts'
import type { Validators } from './conditional.ts'
import type { Coding } from './content-coding.ts'
import { formatHttpDate } from './http-date.ts'
import type { DiskFile, EncodedFile, EncodedVariant } from './encoded-file.ts'

/** What a reply gets beside what the file itself says. */
export interface HeaderSet {
  /** Undefined: the file's own. */
  readonly contentType: string | undefined
  /** Undefined: none is sent. */
  readonly cacheControl: string | undefined
  /** What replies vary by, beside the coding. */
  readonly vary: string | undefined
  /** Names and values in turn, as in Reply. */
  readonly others: readonly string[]
}

/** Where no rule says otherwise. */
export const PLAIN_HEADERS: HeaderSet = {
  contentType: undefined, cacheControl: 'no-cache', vary: undefined, others: []
}

export interface StoredFile extends FileKind {
  /** `identity` is for clients that name no coding, even where the file itself is compressed. */
  readonly variants: Readonly<Record<Coding, Variant | undefined>> & { readonly identity: Variant }
}

/** What all variants of a file have in common. */
interface FileKind {
  /** Unless `headers` has another one. */
  readonly contentType: string
  /** What the site's rules give it. */
  readonly headers: HeaderSet
  /** What a browser shows as a page. */
  readonly isPage: boolean
  /** Whole seconds; undefined for what was made in memory. */
  readonly lastModifiedMs: number | undefined
  /** True when there is more than one variant, so that caches must tell them apart. */
  readonly isNegotiated: boolean
}

/** One representation. */
export interface Variant extends Validators {
  readonly coding: Coding
  /** Empty for a file on disk. */
  readonly body: Buffer
  readonly file: DiskFile | undefined
  readonly bytes: number
  /** The same objects at every request. */
  readonly whole: FileReply
  readonly notModified: Reply
  /** For what is not there, when this is the site's own page for that. */
  readonly notFound: FileReply
  /** So many bytes from `first` on, as a reply has them. */
  content (first: number, bytes: number): Pick<FileReply, 'body' | 'part'>
}

/** A reply whose body, where it has a part, is read from the disk: see file-streams.ts. */
export interface FileReply extends Reply {
  readonly part?: FilePart | undefined
}

export interface FilePart {
  readonly file: DiskFile
  readonly first: number
  readonly bytes: number
}

const PAGE_TYPE = /^(?:text\/html|application\/xhtml\+xml)\b/

/** `modifiedMs` counts from 1970 and may have a fraction. */
export function storeFile (
  { contentType, variants }: EncodedFile, modifiedMs: number | undefined,
  headers: HeaderSet = PLAIN_HEADERS
): StoredFile {
  const isPage = PAGE_TYPE.test(headers.contentType ?? contentType)
  const lastModifiedMs =
    modifiedMs === undefined ? undefined : Math.floor(modifiedMs / 1000) * 1000
  const isNegotiated = variants.length > 1
  const kind: FileKind = { contentType, headers, isPage, lastModifiedMs, isNegotiated }
  const [identity, ...coded] = variants.map(variant => new SentVariant(variant, kind))
  const of = (coding: Coding): Variant | undefined =>
    coded.find(variant => variant.coding === coding)
  const sent = { identity: identity!, br: of('br'), zstd: of('zstd'), gzip: of('gzip') }
  // Field by field: what a spread makes is slow to read.
  return { contentType, headers, isPage, lastModifiedMs, isNegotiated, variants: sent }
}

const dressed = new WeakMap<HeaderSet, WeakMap<StoredFile, StoredFile>>()

/** The file with other headers than those of its own path; the same object each time. */
export function withHeaders (file: StoredFile, headers: HeaderSet): StoredFile {
  if (file.headers === headers) return file
  const files = dressed.get(headers) ?? new WeakMap<StoredFile, StoredFile>()
  dressed.set(headers, files)
  const known = files.get(file)
  if (known !== undefined) return known
  const variants = Object.values(file.variants).filter(variant => variant !== undefined)
  const made = storeFile({ contentType: file.contentType, variants }, file.lastModifiedMs, headers)
  files.set(file, made)
  return made
}

/** As keptReply. */
function keptFileReply ({ status, headers, body, isPage, part }: FileReply): FileReply {
  return {
    status, headers, body, streamed: undefined, isPage, newClient: undefined, isKept: true, part
  }
}

/** Most files of a large site are asked for rarely: what is not needed is not made. */
class SentVariant implements Variant {
  readonly #encoded: EncodedVariant
  readonly #kind: FileKind
  #body: Buffer | undefined
  #whole: FileReply | undefined
  #notModified: FileReply | undefined
  #notFound: FileReply | undefined

  constructor (encoded: EncodedVariant, kind: FileKind) {
    this.#encoded = encoded
    this.#kind = kind
  }

  get coding (): Coding {
    return this.#encoded.coding
  }

  get etag (): string {
    return this.#encoded.etag
  }

  get lastModifiedMs (): number | undefined {
    return this.#kind.lastModifiedMs
  }

  get body (): Buffer {
    this.#body ??= this.#encoded.body
    return this.#body
  }

  get file (): DiskFile | undefined {
    return this.#encoded.file
  }

  get bytes (): number {
    return this.file?.bytes ?? this.body.length
  }

  get whole (): FileReply {
    this.#whole ??= this.#makeWhole()
    return this.#whole
  }

  /**
   * RFC 9110 section 15.4.5: a 304 repeats what caches key and judge by. What a rule says is sent
   * too: rules can change while the file does not, and caches update what they keep.
   */
  get notModified (): FileReply {
    const { isPage, headers: { others } } = this.#kind
    this.#notModified ??= keptFileReply({
      status: 304, headers: [...this.#validators(), ...others], body: NO_BODY, isPage
    })
    return this.#notModified
  }

  /** Without validators: section 13.2.1 lets conditions apply to what would be a 200 only. */
  get notFound (): FileReply {
    this.#notFound ??= this.#makeNotFound()
    return this.#notFound
  }

  content (first: number, bytes: number): Pick<FileReply, 'body' | 'part'> {
    const { body, file } = this
    if (file !== undefined) return { body, part: { file, first, bytes } }
    return { body: bytes === body.length ? body : body.subarray(first, first + bytes) }
  }

  #makeWhole (): FileReply {
    const { lastModifiedMs, isPage, headers: { others } } = this.#kind
    const headers = [...this.#type(), ...this.#validators(), 'Accept-Ranges', 'bytes']
    if (this.coding !== 'identity') headers.push('Content-Encoding', this.coding)
    if (lastModifiedMs !== undefined) headers.push('Last-Modified', formatHttpDate(lastModifiedMs))
    headers.push(...others)
    return keptFileReply({ status: 200, headers, ...this.content(0, this.bytes), isPage })
  }

  /** Whatever a rule says: what is not there now may be there soon. */
  #makeNotFound (): FileReply {
    const { isPage, headers: { others } } = this.#kind
    const headers = [...this.#type(), 'Cache-Control', 'no-cache']
    if (this.coding !== 'identity') headers.push('Content-Encoding', this.coding)
    headers.push(...this.#vary(), ...others)
    return keptFileReply({ status: 404, headers, ...this.content(0, this.bytes), isPage })
  }

  #type (): string[] {
    const { contentType, headers } = this.#kind
    return ['Content-Type', headers.contentType ?? contentType]
  }

  #validators (): string[] {
    const { cacheControl } = this.#kind.headers
    const headers = ['ETag', this.etag]
    if (cacheControl !== undefined) headers.push('Cache-Control', cacheControl)
    return [...headers, ...this.#vary()]
  }

  #vary (): string[] {
    const { isNegotiated, headers: { vary } } = this.#kind
    if (!isNegotiated) return vary === undefined ? [] : ['Vary', vary]
    return ['Vary', vary === undefined ? 'Accept-Encoding' : `Accept-Encoding, ${vary}`]
  }
}
