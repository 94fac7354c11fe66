/**
 * Paths as the rules of a site name them: text, `:placeholders` and one `*`. Both sides are
 * compared in canonical escapes. A match takes time in proportion to the path, whatever is written
 * in the rule or asked for: each placeholder has a segment of its own, and what stands behind the
 * asterisk is found from the end. Pure.
 */
import { quote } from '@usher/shared/quote.ts'
import { toUri } from '@usher/shared/http/vocabulary/target.ts'
import type { PathPattern, SegmentPattern, SplatPattern } from '@usher/shared/site-rules.ts'

/** What placeholders stand for, in canonical escapes. */
export type Captures = ReadonlyMap<string, string>

export const SPLAT = 'splat'
const NO_CAPTURES: Captures = new Map()

/** Of Cloudflare Pages: a colon with no letter behind it is a port or a part of a text. */
const PLACEHOLDER = /:([A-Za-z]\w*)/g
/** Neither escaped nor in need of it: what RFC 3986 allows in a segment, and the slash. */
const CANONICAL = /^[\w\-.~!$&'()*+,;=:@/]*$/
/** Escapes of what may stand for itself. */
const NEEDLESS_ESCAPE = /%(?:24|26|2B|2C|3A|3B|3D|40)/g
/** They mean something of their own within a query. */
const QUERY_DELIMITER = /[&+;=]/g

/** The names that a text refers to. */
export function placeholdersIn (text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!)
}

/** The pattern of a rule's path, which starts with `/`; or, as text, why it is none. */
export function parsePattern (text: string): PathPattern | string {
  if (/\s/.test(text)) return 'has white space in its path; there it is written %20'
  if (text.includes('?')) return 'has a query in its path; conditions on it stand behind the path, as name=value'
  if (text.includes('#')) return 'has a # in its path; browsers do not send what is behind it'
  const segments = text.slice(1).split('/')
  if (segments.some(isDotSegment)) return 'has . or .. in its path; a rule is for what is inside the folder'
  const names = placeholdersIn(text)
  if (names.includes(SPLAT)) return `has a placeholder :${SPLAT}; that is what * stands for`
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) return `has :${twice} twice in its path`
  if (text.split('*').length > 2) return 'has more than one * in its path'
  const crowded = segments.find(segment =>
    placeholdersIn(segment).length + (segment.includes('*') ? 1 : 0) > 1)
  if (crowded !== undefined) return `has ${quote(crowded)} between two slashes; one placeholder or * may stand there`
  return patternOf(segments)
}

export function isDotSegment (segment: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(segment)
}

function patternOf (segments: readonly string[]): PathPattern {
  const at = segments.findIndex(segment => segment.includes('*'))
  if (at === -1) return { head: segments.map(segmentPattern), splat: undefined }
  const [before, after] = segments[at]!.split('*')
  const behind = segments.slice(at + 1)
  const tail = (behind.at(-1) === '' ? behind.slice(0, -1) : behind).map(segmentPattern)
  return {
    head: segments.slice(0, at).map(segmentPattern),
    splat: { before: canonicalSegment(before!), after: canonicalSegment(after!), tail }
  }
}

function segmentPattern (segment: string): SegmentPattern {
  const [before, name, after] = segment.split(/:([A-Za-z]\w*)/)
  return { before: canonicalSegment(before!), name, after: canonicalSegment(after ?? '') }
}

/** Whether it is for one path only. */
export function isStatic ({ head, splat }: PathPattern): boolean {
  return splat === undefined && head.every(({ name }) => name === undefined)
}

/** The path that the pattern is for, when it stands for one only or its placeholders are filled. */
export function pathOf ({ head, splat }: PathPattern, captures: Captures = NO_CAPTURES): string {
  const text = ({ before, name, after }: SegmentPattern): string =>
    before + (name === undefined ? '' : captures.get(name)!) + after
  const segments = head.map(text)
  if (splat !== undefined) {
    segments.push(splat.before + captures.get(SPLAT)! + splat.after, ...splat.tail.map(text))
  }
  return `/${segments.join('/')}`
}

/** Everything that the pattern's placeholders are called, the asterisk's name included. */
export function namesOf ({ head, splat }: PathPattern): string[] {
  const names = [...head, ...splat?.tail ?? []].flatMap(({ name }) => name ?? [])
  return splat === undefined ? names : [...names, SPLAT]
}

/**
 * The segments of a path as received, each in one spelling: `%41` is `A`, `%2f` is `%2F` and no
 * slash. What is no escape and no UTF-8 is escaped as it is.
 */
export function canonicalSegments (path: string): string[] {
  const segments = path.slice(1).split('/')
  return CANONICAL.test(path) ? segments : segments.map(canonicalSegment)
}

function canonicalSegment (segment: string): string {
  try {
    return encodeSegment(decodeURIComponent(segment))
  } catch {
    return toUri(segment)
  }
}

/** A text without escapes as a segment in canonical escapes. */
export function encodeSegment (text: string): string {
  return encodeURIComponent(text).replace(NEEDLESS_ESCAPE, decodeURIComponent)
}

/**
 * What the pattern's placeholders stand for in a path of these segments; undefined when it is not
 * for this path. A slash at the end makes no difference, unless told otherwise.
 */
export function matchPath (
  { head, splat }: PathPattern, path: readonly string[], isSlashExact = false
): Captures | undefined {
  if (splat !== undefined) return matchSplat(head, splat, path)
  const length = isSlashExact ? path.length : lengthWithoutSlash(path)
  if (length !== (isSlashExact ? head.length : lengthWithoutSlash(head))) return undefined
  const captures = new Map<string, string>()
  for (let at = 0; at < length; at++) {
    if (!matchSegment(head[at]!, path[at]!, captures)) return undefined
  }
  return captures
}

/** An empty last segment is a slash at the end, but for the root, which consists of it. */
function lengthWithoutSlash (segments: ReadonlyArray<string | SegmentPattern>): number {
  const last = segments.at(-1)!
  const isEmpty = typeof last === 'string' ? last === '' : last.before === '' && last.name === undefined
  return isEmpty && segments.length > 1 ? segments.length - 1 : segments.length
}

/** As on Netlify, a folder's asterisk is for the folder too, with and without its slash. */
function matchSplat (
  head: readonly SegmentPattern[], { before, after, tail }: SplatPattern, path: readonly string[]
): Captures | undefined {
  const length = tail.length === 0 ? path.length : lengthWithoutSlash(path)
  const end = length - tail.length
  const isFolder = before === '' && after === '' && tail.length === 0 && head.length > 0
  if (end < head.length + (isFolder ? 0 : 1)) return undefined
  const captures = new Map<string, string>()
  for (const [at, segment] of head.entries()) {
    if (!matchSegment(segment, path[at]!, captures)) return undefined
  }
  for (const [at, segment] of tail.entries()) {
    if (!matchSegment(segment, path[end + at]!, captures)) return undefined
  }
  const middle = path.slice(head.length, end).join('/')
  if (!isWithin(before, middle, after, 0)) return undefined
  return captures.set(SPLAT, middle.slice(before.length, middle.length - after.length))
}

function matchSegment (
  { before, name, after }: SegmentPattern, segment: string, captures: Map<string, string>
): boolean {
  if (name === undefined) return segment === before
  if (!isWithin(before, segment, after, 1)) return false
  captures.set(name, segment.slice(before.length, segment.length - after.length))
  return true
}

/** Whether the text has both ends, and so much between them. */
function isWithin (before: string, text: string, after: string, lengthMin: number): boolean {
  return text.length >= before.length + after.length + lengthMin &&
    text.startsWith(before) && text.endsWith(after)
}

/** The text with its placeholders filled in; names that nothing is known of stay as they are. */
export function fillIn (text: string, captures: Captures): string {
  if (captures.size === 0) return text
  return text.replace(PLACEHOLDER, (written, name: string) => captures.get(name) ?? written)
}

/** As fillIn, for a query: there a value must not end a parameter. */
export function fillInQuery (text: string, captures: Captures): string {
  if (captures.size === 0) return text
  return text.replace(PLACEHOLDER, (written, name: string) =>
    captures.get(name)?.replace(QUERY_DELIMITER, encodeURIComponent) ?? written)
}
