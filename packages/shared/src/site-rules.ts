/**
 * The rules that a folder's `_headers` and `_redirects` hold, as they cross threads: checked once
 * by the loader, kept as plain values. Says nothing of how they are matched. Pure.
 */

/** Between two slashes: `before`, then what the placeholder `name` stands for, then `after`. */
export interface SegmentPattern {
  readonly before: string
  /** Undefined where there is none: then `before` is the whole segment. */
  readonly name: string | undefined
  readonly after: string
}

/** Texts are in canonical escapes, as `canonicalSegments` gives them. */
export interface PathPattern {
  /** Of the whole path, or up to the segment with the asterisk. */
  readonly head: readonly SegmentPattern[]
  readonly splat: SplatPattern | undefined
}

export interface SplatPattern {
  /** What stands in the asterisk's own segment before and after it. */
  readonly before: string
  readonly after: string
  /** The segments after that one. */
  readonly tail: readonly SegmentPattern[]
}

/** A block of `_headers`. */
export interface HeaderRule {
  readonly path: PathPattern
  /** Fields by lower-case name that are taken away before the rule's own are added. */
  readonly removed: readonly string[]
  readonly fields: readonly HeaderField[]
}

export interface HeaderField {
  readonly name: string
  /** May name placeholders of the path. */
  readonly value: string
}

export type RedirectStatus = 200 | 301 | 302 | 303 | 307 | 308 | 404

/** A line of `_redirects`. */
export interface RedirectRule {
  readonly line: number
  readonly from: PathPattern
  /** What the query must consist of, if anything is said: a text, or a placeholder's name. */
  readonly query: readonly QueryCondition[]
  readonly to: RedirectTarget
  readonly status: RedirectStatus
  /** Also where there is a file. */
  readonly isForced: boolean
  /** A path with and without a slash at its end is the same, but not where that is the point. */
  readonly isSlashExact: boolean
}

export interface QueryCondition {
  readonly name: string
  readonly value: string
  readonly isPlaceholder: boolean
}

/** Each part may name placeholders, and is fit for a `Location` else. */
export interface RedirectTarget {
  /** `https://host` of another site; empty for a path of this one. */
  readonly origin: string
  readonly path: string
  /** Empty, or with its `?`; the request's own is passed on then. */
  readonly query: string
  /** Empty, or with its `#`. */
  readonly fragment: string
}

export interface SiteRules {
  readonly headers: readonly HeaderRule[]
  readonly redirects: readonly RedirectRule[]
}
