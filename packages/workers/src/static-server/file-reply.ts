/**
 * From a site and a request to the reply: the file, a part of it, a 304 that it has not changed, a
 * redirect to the folder, or the page for what is not there. Pure; knows nothing of visitors.
 */
import { keptReply, textReply } from '@usher/shared/http/vocabulary/replies.ts'
import { toUri } from '@usher/shared/http/vocabulary/target.ts'
import { NO_BODY, type Reply, type RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { remembering } from '@usher/shared/remembering.ts'
import { evaluatePreconditions, isRangeCurrent } from './conditional.ts'
import type { CodingChooser } from './content-coding.ts'
import { selectRange, type ByteRange } from './range.ts'
import { canonicalSegments } from './rules/path-pattern.ts'
import {
  isRedirect, locationOf, shownPath, targetPath, type FoundRule
} from './rules/redirect-rules.ts'
import { notFoundPage, type Site } from './site.ts'
import { withHeaders, type FileReply, type StoredFile, type Variant } from './stored-file.ts'

/** Most visitors ask for a few pages. */
const REMEMBERED_MAX = 1024

const NO_CACHE = ['Cache-Control', 'no-cache']

const PRECONDITION_FAILED = keptReply(
  textReply(412, 'The file is not in the state that the request requires.\n', NO_CACHE))
const NOT_FOUND = keptReply(textReply(404, 'There is nothing here.\n', NO_CACHE))

/** RFC 3986 knows no bare space, control or non-ASCII character, whatever a client may send. */
const NAMES_NO_FILE = /%2f|[^\x21-\x7e]/i

/** The reply of `site` to a GET or HEAD. */
export function siteReply (site: Site, request: RequestValue, codings: CodingChooser): FileReply {
  const path = decodePath(request.path)
  const file = path === undefined ? undefined : site.files.get(path)
  const folder = file === undefined && path !== undefined ? site.redirects.get(path) : undefined
  const isThere = file !== undefined || folder !== undefined
  const found = site.redirectRules.find(request.path, request.query, isThere)
  if (found !== undefined) return ruleReply(site, found, request, codings)
  if (file !== undefined) return fileReply(file, request, codings)
  if (folder !== undefined) return redirect(301, folder + toUri(request.query), true)
  return missingReply(site, request, codings)
}

/** What a rule shows in place has the headers of the path that was asked for. */
function ruleReply (
  site: Site, found: FoundRule, request: RequestValue, codings: CodingChooser
): FileReply {
  const { rule } = found
  if (isRedirect(rule)) {
    return redirect(rule.status, locationOf(found, request.query), rule.to.origin === '')
  }
  const path = shownPath(targetPath(found), site.files)
  const file = path === undefined ? undefined : site.files.get(path)
  if (file === undefined) return missingReply(site, request, codings)
  if (rule.status === 404) return notFoundReply(site, file, request, codings)
  return fileReply(inPlace(site, file, request), request, codings)
}

function inPlace ({ headerRules }: Site, file: StoredFile, { path }: RequestValue): StoredFile {
  return headerRules.isEmpty ? file : withHeaders(file, headerRules.setFor(canonicalSegments(path)))
}

function missingReply (site: Site, request: RequestValue, codings: CodingChooser): FileReply {
  const page = notFoundPage(site, decodePath(request.path) ?? '/')
  return page === undefined ? NOT_FOUND : notFoundReply(site, page, request, codings)
}

function notFoundReply (
  site: Site, page: StoredFile, request: RequestValue, codings: CodingChooser
): FileReply {
  return chooseVariant(inPlace(site, page, request), request, codings).notFound
}

/** For a file that is not there any more, from memory. */
export function goneReply (site: Site, request: RequestValue, codings: CodingChooser): Reply {
  const reply = missingReply(site, request, codings)
  return reply.part === undefined ? reply : NOT_FOUND
}

type FileRequest = Pick<RequestValue, 'method' | 'headers'>

/** The reply of one file to a GET or HEAD; the same object for every plain request. */
export function fileReply (
  file: StoredFile, request: FileRequest, codings: CodingChooser
): FileReply {
  const variant = chooseVariant(file, request, codings)
  const verdict = evaluatePreconditions(request.headers, variant, thisYear)
  if (verdict === 'failed') return PRECONDITION_FAILED
  if (verdict === 'not-modified') return variant.notModified
  // Section 14.2: a Range means something in a GET only.
  if (request.method !== 'GET' || request.headers.range === undefined) return variant.whole
  if (!isRangeCurrent(request.headers, variant, thisYear)) return variant.whole
  const range = selectRange(request.headers.range, variant.bytes)
  if (range === undefined) return variant.whole
  return range === 'unsatisfiable' ? rangeNotSatisfiable(variant) : partial(variant, range)
}

function thisYear (): number {
  return new Date().getUTCFullYear()
}

/**
 * Undefined for what names no file: bad escapes, bytes that are no UTF-8 (overlong forms among
 * them), and an escaped slash, which is part of a name and not a step into a folder.
 */
const decodePath = remembering(REMEMBERED_MAX, (path): string | undefined => {
  if (NAMES_NO_FILE.test(path)) return undefined
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
})

function chooseVariant (file: StoredFile, request: FileRequest, codings: CodingChooser): Variant {
  for (const coding of codings(request.headers['accept-encoding'])) {
    const variant = file.variants[coding]
    if (variant !== undefined) return variant
  }
  return file.variants.identity
}

function partial (variant: Variant, { first, last }: ByteRange): FileReply {
  const contentRange = `bytes ${first}-${last}/${variant.bytes}`
  return {
    ...variant.whole,
    status: 206,
    headers: [...variant.whole.headers, 'Content-Range', contentRange],
    ...variant.content(first, last + 1 - first),
    isKept: false
  }
}

function rangeNotSatisfiable (variant: Variant): Reply {
  return textReply(416, 'The file ends before that range begins.\n', [
    ...NO_CACHE, 'Content-Range', `bytes */${variant.bytes}`
  ])
}

/** @param isPage false for what leads away from this site */
function redirect (status: number, location: string, isPage: boolean): Reply {
  return { status, headers: ['Location', location, ...NO_CACHE], body: NO_BODY, isPage }
}
