/**
 * A site: one folder's files, by the URL path that each answers to; their bytes stay in shared
 * memory. Never changes; a reload makes a new one. Nothing that is not in its map can be served, so
 * that no spelling of a path leads anywhere else. Runs in a server's thread.
 */
import { viewOf, type Place, type SiteMemory } from '@usher/shared/memory/site-memory.ts'
import type { LoadedSites } from '@usher/shared/messages.ts'
import { inTimeSlices } from '@usher/shared/time-slices.ts'
import type { Coding } from './content-coding.ts'
import type { EncodedVariant } from './loader/encoded-file.ts'
import { linesOf, type IndexedFile } from './loader/site-index.ts'
import { storeFile, type StoredFile } from './stored-file.ts'

export interface Site {
  /** The folder, as it was given. */
  readonly dir: string
  /** By decoded URL path: `/index.html`, and for a folder's page the folder too: `/`, `/sub/`. */
  readonly files: ReadonlyMap<string, StoredFile>
  /** From a decoded folder path without its slash to the same, percent-encoded, with it. */
  readonly redirects: ReadonlyMap<string, string>
  /** The folder's own page for 404. */
  readonly notFound: StoredFile | undefined
  /** Of all files, uncompressed. */
  readonly bytes: number
}

const INDEX = 'index.html'
const NOT_FOUND = '404.html'

/** The site of the folder `dir`, which must be one of those loaded. */
export async function openSite (dir: string, { memory, sites }: LoadedSites): Promise<Site> {
  const entry = sites.find(site => site.dir === dir)!
  const files = new Map<string, StoredFile>()
  const redirects = new Map<string, string>()
  const lines = linesOf(viewOf(memory.chunks, entry.index))
  // A hundred thousand files take a second, and meanwhile the server answers.
  await inTimeSlices(() => {
    const { done, value } = lines.next()
    if (done !== true) addFile(value, memory, files, redirects)
    return done === true
  })
  return { dir, files, redirects, notFound: files.get(`/${NOT_FOUND}`), bytes: entry.bytes }
}

function addFile (
  { path, contentType, modifiedMs, variants }: IndexedFile, { chunks }: SiteMemory,
  files: Map<string, StoredFile>, redirects: Map<string, string>
): void {
  const file = storeFile({
    contentType,
    variants: variants.map(variant => new SharedVariant(chunks, variant))
  }, modifiedMs)
  files.set(`/${path}`, file)
  const folder = folderOf(path)
  if (folder === undefined) return
  files.set(`/${folder}`, file)
  if (folder === '') return
  // Made from names of files, none of which is empty: it cannot begin with `//`.
  redirects.set(`/${folder.slice(0, -1)}`,
    `/${folder.split('/').map(encodeURIComponent).join('/')}`)
}

/** Of a hundred thousand files each byte counts: the view is made when it is asked for. */
class SharedVariant implements EncodedVariant {
  readonly coding: Coding
  readonly etag: string
  readonly #chunks: SiteMemory['chunks']
  readonly #place: Place

  constructor (chunks: SiteMemory['chunks'], [coding, etag, place]: IndexedFile['variants'][number]) {
    this.coding = coding
    this.etag = etag
    this.#chunks = chunks
    this.#place = place
  }

  get body (): Buffer {
    return viewOf(this.#chunks, this.#place)
  }
}

/** The folder whose page this is, with its slash, '' for the root; undefined for other files. */
function folderOf (path: string): string | undefined {
  const isIndex = path === INDEX || path.endsWith(`/${INDEX}`)
  return isIndex ? path.slice(0, -INDEX.length) : undefined
}
