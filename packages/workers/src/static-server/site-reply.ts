/**
 * From a site and a request to the reply: the file, a part of it, a 304 that it has not changed, a
 * redirect to the folder, or the page for what is not there. Pure; knows nothing of visitors.
 */
import type { CodingChooser } from '@usher/shared/http/files/content-coding.ts'
import { chooseVariant, fileReply } from '@usher/shared/http/files/file-reply.ts'
import { withHeaders, type FileReply, type StoredFile } from '@usher/shared/http/files/stored-file.ts'
import { keptReply, textReply } from '@usher/shared/http/vocabulary/replies.ts'
import { toUri } from '@usher/shared/http/vocabulary/target.ts'
import { NO_BODY, type Reply, type RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { remembering } from '@usher/shared/remembering.ts'
import { canonicalSegments } from './rules/path-pattern.ts'
import {
  isRedirect, locationOf, shownPath, targetPath, type FoundRule
} from './rules/redirect-rules.ts'
import { notFoundPage, type Site } from './site.ts'

/** Most visitors ask for a few pages. */
const REMEMBERED_MAX = 1024

const NO_CACHE = ['Cache-Control', 'no-cache']

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

/** @param isPage false for what leads away from this site */
function redirect (status: number, location: string, isPage: boolean): Reply {
  return { status, headers: ['Location', location, ...NO_CACHE], body: NO_BODY, isPage }
}
