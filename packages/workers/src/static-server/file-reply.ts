/**
 * From a site and a request to the reply: the file, a part of it, a 304 that it has not changed, a
 * redirect to the folder, or the page for what is not there. Pure; knows nothing of visitors.
 */
import { textReply } from '@usher/shared/http/vocabulary/replies.ts'
import { toUri } from '@usher/shared/http/vocabulary/target.ts'
import { NO_BODY, type Reply, type RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { evaluatePreconditions, isRangeCurrent } from './conditional.ts'
import type { CodingChooser } from './content-coding.ts'
import { selectRange, type ByteRange } from './range.ts'
import type { Site } from './site.ts'
import type { StoredFile, Variant } from './stored-file.ts'

const NO_CACHE = ['Cache-Control', 'no-cache']

const PRECONDITION_FAILED =
  textReply(412, 'The file is not in the state that the request requires.\n', NO_CACHE)
const NOT_FOUND = textReply(404, 'There is nothing here.\n', NO_CACHE)

/** RFC 3986 knows no bare space, control or non-ASCII character, whatever a client may send. */
const NAMES_NO_FILE = /%2f|[^\x21-\x7e]/i

/** The reply of `site` to a GET or HEAD. */
export function siteReply (site: Site, request: RequestValue, codings: CodingChooser): Reply {
  const path = decodePath(request.path)
  const file = path === undefined ? undefined : site.files.get(path)
  if (file !== undefined) return fileReply(file, request, codings)
  const location = path === undefined ? undefined : site.redirects.get(path)
  if (location !== undefined) return redirect(location, request.query)
  return notFound(site.notFound, request, codings)
}

type FileRequest = Pick<RequestValue, 'method' | 'headers'>

/** The reply of one file to a GET or HEAD; the same object for every plain request. */
export function fileReply (file: StoredFile, request: FileRequest, codings: CodingChooser): Reply {
  const variant = chooseVariant(file, request, codings)
  const thisYear = new Date().getUTCFullYear()
  const current = { etag: variant.etag, lastModifiedMs: file.lastModifiedMs }
  const verdict = evaluatePreconditions(request.headers, current, thisYear)
  if (verdict === 'failed') return PRECONDITION_FAILED
  if (verdict === 'not-modified') return variant.notModified
  // Section 14.2: a Range means something in a GET only.
  if (request.method !== 'GET' || request.headers.range === undefined) return variant.whole
  if (!isRangeCurrent(request.headers, current, thisYear)) return variant.whole
  const range = selectRange(request.headers.range, variant.body.length)
  if (range === undefined) return variant.whole
  return range === 'unsatisfiable' ? rangeNotSatisfiable(variant) : partial(variant, range)
}

/**
 * Undefined for what names no file: bad escapes, bytes that are no UTF-8 (overlong forms among
 * them), and an escaped slash, which is part of a name and not a step into a folder.
 */
function decodePath (path: string): string | undefined {
  if (NAMES_NO_FILE.test(path)) return undefined
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

function chooseVariant (file: StoredFile, request: FileRequest, codings: CodingChooser): Variant {
  for (const coding of codings(request.headers['accept-encoding'])) {
    const variant = file.variants[coding]
    if (variant !== undefined) return variant
  }
  return file.variants.identity
}

function partial (variant: Variant, { first, last }: ByteRange): Reply {
  const contentRange = `bytes ${first}-${last}/${variant.body.length}`
  return {
    ...variant.whole,
    status: 206,
    headers: [...variant.whole.headers, 'Content-Range', contentRange],
    body: variant.body.subarray(first, last + 1)
  }
}

function rangeNotSatisfiable (variant: Variant): Reply {
  return textReply(416, 'The file ends before that range begins.\n', [
    ...NO_CACHE, 'Content-Range', `bytes */${variant.body.length}`
  ])
}

function redirect (location: string, query: string): Reply {
  const headers = ['Location', location + toUri(query), ...NO_CACHE]
  return { status: 301, headers, body: NO_BODY, isPage: true }
}

/** Without validators: section 13.2.1 lets conditions apply to what would be a 200 only. */
function notFound (
  page: StoredFile | undefined, request: FileRequest, codings: CodingChooser
): Reply {
  if (page === undefined) return NOT_FOUND
  const variant = chooseVariant(page, request, codings)
  const headers = ['Content-Type', page.contentType, ...NO_CACHE]
  if (variant.coding !== 'identity') headers.push('Content-Encoding', variant.coding)
  if (page.isNegotiated) headers.push('Vary', 'Accept-Encoding')
  return { status: 404, headers, body: variant.body, isPage: page.isPage }
}
