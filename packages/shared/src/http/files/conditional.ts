/**
 * Preconditions, RFC 9110 section 13: whether a GET or HEAD that would be answered 200 is answered
 * 304 or 412 instead, and whether its Range still applies. Pure. What cannot be read never matches:
 * a bad date is ignored, a list of entity tags counts up to its first malformed member.
 */
import type { RequestFields } from '../vocabulary/values.ts'
import { parseHttpDate } from './http-date.ts'

/** What tells the selected representation from others of its resource. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string
  /** Whole seconds; undefined for what has no date. */
  readonly lastModifiedMs: number | undefined
}

/** `thisYear` serves to read two-digit years: asked only where there is a date. */
export function evaluatePreconditions (
  headers: RequestFields, current: Validators, thisYear: () => number
): 'proceed' | 'not-modified' | 'failed' {
  // The order is that of section 13.2.2: an entity tag condition replaces the date condition.
  if (headers['if-match'] !== undefined) {
    if (!matches(headers['if-match'], current.etag, 'strong')) return 'failed'
  } else if (isModifiedSince(headers['if-unmodified-since'], current, thisYear) === true) {
    return 'failed'
  }
  if (headers['if-none-match'] !== undefined) {
    return matches(headers['if-none-match'], current.etag, 'weak') ? 'not-modified' : 'proceed'
  }
  const isModified = isModifiedSince(headers['if-modified-since'], current, thisYear)
  return isModified === false ? 'not-modified' : 'proceed'
}

/**
 * Whether a Range may be honoured: True without If-Range, and with one that names exactly the
 * current entity tag or date (section 13.1.5). A weak tag never does.
 */
export function isRangeCurrent (
  headers: RequestFields, current: Validators, thisYear: () => number
): boolean {
  const condition = headers['if-range']
  if (condition === undefined) return true
  const text = condition.trim()
  if (text === current.etag) return true
  const dateMs = parseHttpDate(text, thisYear())
  return dateMs !== undefined && dateMs === current.lastModifiedMs
}

/** Undefined where there is no condition: no header, a bad date, or no date to compare with. */
function isModifiedSince (
  header: string | undefined, current: Validators, thisYear: () => number
): boolean | undefined {
  if (header === undefined || current.lastModifiedMs === undefined) return undefined
  const sinceMs = parseHttpDate(header.trim(), thisYear())
  return sinceMs === undefined ? undefined : current.lastModifiedMs > sinceMs
}

/** Section 8.8.3: an entity tag may hold commas, so a list cannot be split at them. */
const LIST_MEMBER = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*"))?[ \t]*(?:,|$)/y

/**
 * Whether the list names `etag`, which is strong. Compared weakly a member's `W/` does not matter;
 * compared strongly it spoils the match (section 8.8.3.2).
 */
function matches (list: string, etag: string, comparison: 'weak' | 'strong'): boolean {
  if (list.trim() === '*') return true
  // Each round consumes at least a comma, so that a list's length bounds the rounds.
  LIST_MEMBER.lastIndex = 0
  while (LIST_MEMBER.lastIndex < list.length) {
    const member = LIST_MEMBER.exec(list)
    if (member === null) return false
    const isWeak = member[1] !== undefined
    if (member[2] === etag && (comparison === 'weak' || !isWeak)) return true
  }
  return false
}
