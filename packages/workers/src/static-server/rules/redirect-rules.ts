/**
 * Which rule of `_redirects` is for a request, and where it leads. The first one in the file is;
 * where there is a file, the first one that is forced. One for each site, and one for the loader,
 * which looks for loops.
 */
import type { RedirectRule } from '@usher/shared/site-rules.ts'
import { toUri } from '@usher/shared/http/vocabulary/target.ts'
import {
  canonicalSegments, encodeSegment, fillIn, fillInQuery, isStatic, matchPath, pathOf, type Captures
} from './path-pattern.ts'

export interface FoundRule {
  readonly rule: RedirectRule
  readonly captures: Captures
}

export class RedirectRules {
  /** By path without a slash at its end; several with the same one in the order of the file. */
  readonly #statics = new Map<string, RedirectRule[]>()
  readonly #dynamics: readonly RedirectRule[]
  readonly #isEmpty: boolean
  readonly #hasForced: boolean

  constructor (rules: readonly RedirectRule[]) {
    for (const rule of rules) {
      if (!isStatic(rule.from)) continue
      const key = withoutSlash(pathOf(rule.from))
      const same = this.#statics.get(key)
      if (same === undefined) this.#statics.set(key, [rule])
      else same.push(rule)
    }
    this.#dynamics = rules.filter(({ from }) => !isStatic(from))
    this.#isEmpty = rules.length === 0
    this.#hasForced = rules.some(({ isForced }) => isForced)
  }

  /**
   * @param path as received
   * @param query empty, or with its `?`
   * @param isThere whether a file or a folder has that path
   */
  find (path: string, query: string, isThere: boolean): FoundRule | undefined {
    if (this.#isEmpty || (isThere && !this.#hasForced)) return undefined
    const segments = canonicalSegments(path)
    const first = (rules: readonly RedirectRule[], beforeLine: number): FoundRule | undefined => {
      for (const rule of rules) {
        if (rule.line > beforeLine) return undefined
        if (isThere && !rule.isForced) continue
        const captures = captured(rule, segments, query)
        if (captures !== undefined) return { rule, captures }
      }
      return undefined
    }
    const key = withoutSlash(`/${segments.join('/')}`)
    const fixed = first(this.#statics.get(key) ?? [], Infinity)
    return first(this.#dynamics, fixed?.rule.line ?? Infinity) ?? fixed
  }
}

function withoutSlash (path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

function captured (
  { from, query, isSlashExact }: RedirectRule, segments: readonly string[], asked: string
): Captures | undefined {
  const captures = matchPath(from, segments, isSlashExact)
  if (captures === undefined || query.length === 0) return captures
  const parameters = new URLSearchParams(asked)
  // Netlify: those that are named, and no others.
  if (parameters.size !== query.length) return undefined
  const all = new Map(captures)
  for (const { name, value, isPlaceholder } of query) {
    const given = parameters.get(name)
    if (given === null || (!isPlaceholder && given !== value)) return undefined
    if (isPlaceholder) all.set(value, encodeSegment(given))
  }
  return all
}

/** Whether the rule sends browsers elsewhere, rather than showing something in place. */
export function isRedirect ({ status }: RedirectRule): boolean {
  return status !== 200 && status !== 404
}

/** The value of `Location`. @param query the request's, which is passed on if the rule has none */
export function locationOf (found: FoundRule, query: string): string {
  const { rule: { to }, captures } = found
  const passedOn = to.query === '' ? toUri(query) : fillInQuery(to.query, captures)
  const path = to.origin === '' ? targetPath(found) : fillIn(to.path, captures)
  return to.origin + path + passedOn + fillIn(to.fragment, captures)
}

/**
 * The path on this site that a rule leads to, escaped. A value that begins with a slash must not
 * make a host of what comes behind it.
 */
export function targetPath ({ rule: { to }, captures }: FoundRule): string {
  return fillIn(to.path, captures).replace(/^\/+/, '/')
}

/** What a server finds by a decoded path. */
export interface SitePaths {
  has (path: string): boolean
}

/**
 * The path of the file that a rule shows, as owners of sites write it: `/about` may be the page
 * `about.html` or the folder's.
 * @param path escaped
 */
export function shownPath (path: string, paths: SitePaths): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return undefined
  }
  return [decoded, `${decoded}.html`, `${decoded}/`].find(candidate => paths.has(candidate))
}
