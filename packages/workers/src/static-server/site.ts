/**
 * A site: one folder's files, by the URL path that each answers to; their bytes stay in shared
 * memory, those of large ones on disk. Never changes; a reload makes a new one. Nothing that is not
 * in its map can be served, so that no spelling of a path leads anywhere else. Runs in a server's
 * thread.
 */
import type { Coding } from '@usher/shared/http/files/content-coding.ts'
import type { DiskFile, EncodedVariant } from '@usher/shared/http/files/encoded-file.ts'
import {
  PLAIN_HEADERS, storeFile, withHeaders, type HeaderSet, type StoredFile
} from '@usher/shared/http/files/stored-file.ts'
import { NO_BODY } from '@usher/shared/http/vocabulary/values.ts'
import { viewOf, type Place, type SiteMemory } from '@usher/shared/memory/site-memory.ts'
import type { LoadedSites } from '@usher/shared/messages.ts'
import { inTimeSlices } from '@usher/shared/time-slices.ts'
import {
  folderOf, isOnDisk, linesOf, type IndexedFile, type IndexedVariant
} from './loader/site-index.ts'
import { HeaderRules } from './rules/header-rules.ts'
import { canonicalSegments } from './rules/path-pattern.ts'
import { RedirectRules } from './rules/redirect-rules.ts'

export interface Site {
  /** The folder, as it was given. */
  readonly dir: string
  /** By decoded URL path: `/index.html`, and for a folder's page the folder too: `/`, `/sub/`. */
  readonly files: ReadonlyMap<string, StoredFile>
  /** From a decoded folder path without its slash to the same, percent-encoded, with it. */
  readonly redirects: ReadonlyMap<string, string>
  /** Of `_headers`; the files have theirs already. */
  readonly headerRules: HeaderRules
  /** Of `_redirects`. */
  readonly redirectRules: RedirectRules
  /** In how deep a folder there is a page for 404: 0 is the site's own folder, -1 none at all. */
  readonly notFoundDepth: number
  /** Of all files, uncompressed. */
  readonly bytes: number
}

const NOT_FOUND = '404.html'

/** The site of the folder `dir`, which must be one of those loaded. */
export async function openSite (dir: string, { memory, sites }: LoadedSites): Promise<Site> {
  const entry = sites.find(site => site.dir === dir)!
  const filling: FillingSite = {
    files: new Map(),
    redirects: new Map(),
    headerRules: new HeaderRules(entry.rules.headers),
    notFoundDepth: -1
  }
  const lines = linesOf(viewOf(memory.chunks, entry.index))
  // A hundred thousand files take a second, and meanwhile the server answers.
  await inTimeSlices(() => {
    const { done, value } = lines.next()
    if (done !== true) addFile(value, memory, filling)
    return done === true
  })
  return {
    ...filling, dir, redirectRules: new RedirectRules(entry.rules.redirects), bytes: entry.bytes
  }
}

interface FillingSite extends Pick<Site, 'headerRules'> {
  readonly files: Map<string, StoredFile>
  readonly redirects: Map<string, string>
  notFoundDepth: number
}

function addFile (
  { path, contentType, modifiedMs, variants }: IndexedFile, { chunks }: SiteMemory,
  site: FillingSite
): void {
  const encoded = {
    contentType,
    variants: variants.map(variant => new SiteVariant(chunks, variant))
  }
  const file = storeFile(encoded, modifiedMs, headersOf(site, path))
  site.files.set(`/${path}`, file)
  if (path === NOT_FOUND || path.endsWith(`/${NOT_FOUND}`)) {
    site.notFoundDepth = Math.max(site.notFoundDepth, path.split('/').length - 1)
  }
  const folder = folderOf(path)
  if (folder === undefined) return
  site.files.set(`/${folder}`, withHeaders(file, headersOf(site, folder)))
  if (folder === '') return
  // Made from names of files, none of which is empty: it cannot begin with `//`.
  site.redirects.set(`/${folder.slice(0, -1)}`, `/${escaped(folder)}`)
}

function headersOf ({ headerRules }: FillingSite, path: string): HeaderSet {
  return headerRules.isEmpty ? PLAIN_HEADERS : headerRules.setFor(canonicalSegments(`/${escaped(path)}`))
}

function escaped (path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

/** The page for what is not there: that of the path's folder, or of the nearest one above it. */
export function notFoundPage (
  { files, notFoundDepth }: Site, path: string
): StoredFile | undefined {
  let page: StoredFile | undefined
  for (let depth = 0, slash = 0; depth <= notFoundDepth && slash !== -1; depth++) {
    page = files.get(path.slice(0, slash + 1) + NOT_FOUND) ?? page
    slash = path.indexOf('/', slash + 1)
  }
  return page
}

/** Of a hundred thousand files each byte counts: the view is made when it is asked for. */
class SiteVariant implements EncodedVariant {
  readonly coding: Coding
  readonly etag: string
  readonly #chunks: SiteMemory['chunks']
  readonly #body: Place | DiskFile

  constructor (chunks: SiteMemory['chunks'], [coding, etag, body]: IndexedVariant) {
    this.coding = coding
    this.etag = etag
    this.#chunks = chunks
    this.#body = body
  }

  get file (): DiskFile | undefined {
    return isOnDisk(this.#body) ? this.#body : undefined
  }

  get body (): Buffer {
    return isOnDisk(this.#body) ? NO_BODY : viewOf(this.#chunks, this.#body)
  }
}
