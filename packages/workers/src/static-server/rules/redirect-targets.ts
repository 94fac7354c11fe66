/**
 * Where the rules of `_redirects` lead, seen once all are known: round in circles, or to a page
 * that the folder does not have. Rules with placeholders are followed with examples of what may
 * stand there. Pure; runs in the loader's thread.
 */
import type { RedirectRule } from '@usher/shared/site-rules.ts'
import { folderOf } from '../loader/site-index.ts'
import { namesOf, pathOf, SPLAT, type Captures } from './path-pattern.ts'
import {
  isRedirect, locationOf, RedirectRules, shownPath, type FoundRule, type SitePaths
} from './redirect-rules.ts'
import type { Problem } from './rule-lines.ts'

/** Browsers give up after 20. */
const HOPS_MAX = 20
/** Nothing, a name, and a name in a folder. */
const SPLAT_EXAMPLES = ['', 'x', 'x/x']
const EXAMPLE = 'x'

/** @param filePaths from the folder, without a leading slash */
export function targetProblems (
  rules: readonly RedirectRule[], filePaths: readonly string[]
): readonly Problem[] {
  if (rules.length === 0) return []
  const paths = urlPaths(filePaths)
  return [...missingPages(rules, paths), ...loops(rules, paths)]
}

/** Of all files, and of the folders that have a page, with their slash. */
function urlPaths (filePaths: readonly string[]): Set<string> {
  const paths = new Set(filePaths.map(path => `/${path}`))
  for (const path of filePaths) {
    const folder = folderOf(path)
    if (folder !== undefined) paths.add(`/${folder}`)
  }
  return paths
}

function missingPages (rules: readonly RedirectRule[], paths: SitePaths): Problem[] {
  return rules.flatMap(({ line, from, query, to, ...rule }) => {
    const isFixed = !to.path.includes(':') || namesOf(from).length + query.length === 0
    if (isRedirect({ line, from, query, to, ...rule }) || !isFixed) return []
    if (shownPath(to.path, paths) !== undefined) return []
    return [{ line, what: `shows ${to.path}, which is not in the folder` }]
  })
}

function loops (rules: readonly RedirectRule[], paths: SitePaths): Problem[] {
  const all = new RedirectRules(rules)
  const known = new Set<number>()
  return rules.flatMap(rule => {
    if (!isRedirect(rule) || rule.to.origin !== '' || known.has(rule.line)) return []
    for (const captures of examplesOf(rule)) {
      const trace = follow(pathOf(rule.from, captures), queryOf(rule), rule, all, paths)
      if (trace === undefined) continue
      for (const { line } of trace) known.add(line)
      return [{ line: rule.line, what: loopText(trace) }]
    }
    return []
  })
}

function examplesOf ({ from }: RedirectRule): Captures[] {
  const splats = from.splat === undefined ? [EXAMPLE] : SPLAT_EXAMPLES
  return splats.map(splat =>
    new Map(namesOf(from).map(name => [name, name === SPLAT ? splat : EXAMPLE])))
}

function queryOf ({ query }: RedirectRule): string {
  if (query.length === 0) return ''
  const parameters = new URLSearchParams()
  for (const { name, value, isPlaceholder } of query) {
    parameters.append(name, isPlaceholder ? EXAMPLE : value)
  }
  return `?${parameters.toString()}`
}

interface Hop {
  readonly line: number
  readonly path: string
}

/** The hops of a request that never ends; undefined when it does, or is not the rule's at all. */
function follow (
  path: string, query: string, rule: RedirectRule, rules: RedirectRules, paths: SitePaths
): readonly Hop[] | undefined {
  const trace: Hop[] = []
  const seen = new Set<string>()
  let at = path + query
  while (!seen.has(at) && seen.size <= HOPS_MAX) {
    seen.add(at)
    const step = next(at, rules, paths)
    if (step === undefined || (trace.length === 0 && step.found?.rule !== rule)) return undefined
    if (step.found !== undefined) trace.push({ line: step.found.rule.line, path: at })
    at = step.location
  }
  return trace.length === 0 ? undefined : trace
}

/** Where a browser goes on to, as the server would say. */
function next (
  at: string, rules: RedirectRules, paths: SitePaths
): { readonly found?: FoundRule, readonly location: string } | undefined {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(at)!
  const decoded = decodedOr(path)
  const isFolder = paths.has(`${decoded}/`) && !paths.has(decoded)
  const found = rules.find(path, query, isFolder || paths.has(decoded))
  if (found === undefined) return isFolder ? { location: `${path}/${query}` } : undefined
  if (!isRedirect(found.rule) || found.rule.to.origin !== '') return undefined
  return { found, location: locationOf(found, query).replace(/#.*$/s, '') }
}

function decodedOr (path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function loopText (trace: readonly Hop[]): string {
  const [{ path }, ...others] = trace as [Hop, ...Hop[]]
  const lines = [...new Set(others.map(({ line }) => line))].filter(line => line !== trace[0]!.line)
  const by = lines.length === 0 ? '' : ` by way of line ${lines.join(', ')}`
  return `goes round in circles${by}, for example from ${path}`
}
