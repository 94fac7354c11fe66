/**
 * What kind of content a file is: its type, whether it is text that compresses, and whether it is
 * compressed already. By its extension; of text the first bytes are asked for a charset of its own.
 * Pure.
 */
import { extname } from 'node:path'
import type { ContentKind } from '@usher/shared/http/files/encoded-file.ts'
import { declaredCharset } from './charset.ts'
import { contentType } from './extension-types.ts'

const UNKNOWN_TYPE = 'application/octet-stream'
/** RFC 8555 section 8.3: named by a token, with ASCII text in them, and of no type of their own. */
const CHALLENGES = '.well-known/acme-challenge/'
const CHALLENGE_TYPE = 'text/plain; charset=utf-8'
const TEXT_TYPE = /^(?:text\/|image\/svg\+xml|application\/(?:.+\+)?(?:javascript|json|xml|manifest))/
const UTF8_PARAMETER = '; charset=utf-8'

/** Extensions that by custom mean another extension's content in gzip. */
const GZIPPED_EXTENSIONS = ['.svgz']
/** RFC 1952 section 2.3.1: magic number and method. */
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 0x08])

/** @param path of the file from its folder */
export function contentKind (path: string, body: Buffer): ContentKind {
  // Only by its extension: mime-types alone would take a file named `html` for a page.
  const extension = extname(path).toLowerCase()
  const type = (extension !== '' && contentType(extension)) || typeWithoutExtension(path)
  const isGzipped = GZIPPED_EXTENSIONS.includes(extension) &&
    body.subarray(0, GZIP_HEAD.length).equals(GZIP_HEAD)
  const isText = TEXT_TYPE.test(type) && !isGzipped
  return { type: isText ? withOwnCharset(type, body) : type, isText, isGzipped }
}

function typeWithoutExtension (path: string): string {
  return path.startsWith(CHALLENGES) ? CHALLENGE_TYPE : UNKNOWN_TYPE
}

/** A charset in the header outranks the one in the file, so the file's own is left alone. */
function withOwnCharset (type: string, body: Buffer): string {
  if (!type.endsWith(UTF8_PARAMETER)) return type
  const bare = type.slice(0, -UTF8_PARAMETER.length)
  const own = declaredCharset(bare, body)
  return own === undefined || own === 'utf-8' ? type : bare
}
