/**
 * Reads `_redirects`, the format of Netlify and Cloudflare Pages: a line for each rule,
 *
 *     /from [name=value ...] /to [status[!]]
 *
 * Pure; docs/sites.md says what is taken from which of the two. Whether rules go round in circles
 * is seen in redirect-targets.ts.
 */
import {
  BEAT_PATH, HEALTH_PATH, LEAVE_PATH
} from '@usher/shared/http/vocabulary/counting.ts'
import { toUri } from '@usher/shared/http/vocabulary/target.ts'
import { SCRIPT_PATH } from '@usher/shared/page-script.ts'
import { quote } from '@usher/shared/quote.ts'
import type {
  PathPattern, QueryCondition, RedirectRule, RedirectStatus, RedirectTarget
} from '@usher/shared/site-rules.ts'
import {
  isDotSegment, isStatic, namesOf, parsePattern, pathOf, placeholdersIn
} from './path-pattern.ts'
import { ruleLines, type Parsed, type Problem, type RuleLine } from './rule-lines.ts'

/** Netlify advises against more; they cost a look into a map. */
const STATIC_MAX = 10_000
/** Of Cloudflare Pages: each may have to be looked at for a request. */
const DYNAMIC_MAX = 100
/** Of Cloudflare Pages. */
const LINE_LENGTH_MAX = 1000

const STATUSES: readonly number[] = [200, 301, 302, 303, 307, 308, 404] satisfies RedirectStatus[]
/** Of Cloudflare Pages. Netlify's is 301, which some keep for ever. */
const DEFAULT_STATUS = 302

/** Answered before any file or rule is looked at. */
const OWN_PATHS: readonly string[] = [BEAT_PATH, LEAVE_PATH, HEALTH_PATH, SCRIPT_PATH]

/** Conditions that Netlify knows, by lower-case name. */
const CONDITIONS: ReadonlyMap<string, string> = new Map([
  ['country', 'where visitors are is not known here'],
  ['language', 'rules do not look at the language of browsers'],
  ['role', 'the visitors of a site have no roles'],
  ['cookie', 'rules do not look at cookies'],
  ['sign', 'requests are not sent on to other servers'],
  ['signed', 'requests are not sent on to other servers']
])

const URL_START = /^https?:\/\//i

export function parseRedirectsFile (text: string): Parsed<RedirectRule> {
  const problems: Problem[] = []
  const rules: RedirectRule[] = []
  for (const line of ruleLines(text, { lineLengthMax: LINE_LENGTH_MAX }, problems)) {
    const rule = parseLine(line)
    if (typeof rule === 'string') problems.push({ line: line.number, what: rule })
    else rules.push(rule)
  }
  const [statics, dynamics] = [
    rules.filter(({ from }) => isStatic(from)), rules.filter(({ from }) => !isStatic(from))
  ]
  tellTooMany(statics, STATIC_MAX, 'without placeholder or *', problems)
  tellTooMany(dynamics, DYNAMIC_MAX, 'with placeholder or *', problems)
  return { rules, problems }
}

function tellTooMany (
  rules: readonly RedirectRule[], max: number, kind: string, problems: Problem[]
): void {
  const first = rules[max]
  if (first === undefined) return
  problems.push({ line: first.line, what: `is rule ${max + 1} of ${rules.length} ${kind}; ${max} are allowed` })
}

/** The rule of a line; or, as text, why it is none. */
function parseLine ({ number: line, text }: RuleLine): RedirectRule | string {
  const words = text.split(/\s+/)
  const comment = words.findIndex(word => word.startsWith('#'))
  const [source, ...rest] = comment === -1 ? words : words.slice(0, comment)
  if (URL_START.test(source!)) return 'is for one host; a folder is served under every name: begin with the path'
  if (!source!.startsWith('/')) return `begins with ${quote(source!)}; a rule begins with a path, which begins with /`
  const from = parsePattern(source!)
  if (typeof from === 'string') return from
  const at = rest.findIndex(word => word.startsWith('/') || URL_START.test(word))
  if (at === -1) return 'has no destination, which begins with /, http:// or https://'
  const query = parseConditions(rest.slice(0, at))
  if (typeof query === 'string') return query
  const [written, ...others] = rest.slice(at + 1)
  const status = parseStatus(written, others)
  if (typeof status === 'string') return status
  const to = parseTarget(rest[at]!)
  if (typeof to === 'string') return to
  const isSlashExact = differsBySlashOnly(source!, to)
  const rule = { line, from, query, to, ...status, isSlashExact }
  return refusalOf(rule) ?? rule
}

function parseConditions (words: readonly string[]): QueryCondition[] | string {
  const conditions: QueryCondition[] = []
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals < 1) return `has ${quote(word)} where the destination or name=value is expected`
    const name = word.slice(0, equals)
    const value = word.slice(equals + 1)
    if (conditions.some(condition => condition.name === name)) return `asks for the parameter ${quote(name)} twice`
    const [placeholder] = placeholdersIn(value)
    const isPlaceholder = value === `:${placeholder}`
    conditions.push({ name, value: isPlaceholder ? placeholder! : value, isPlaceholder })
  }
  return conditions
}

function parseStatus (
  written: string | undefined, others: readonly string[]
): { readonly status: RedirectStatus, readonly isForced: boolean } | string {
  if (written === undefined) return { status: DEFAULT_STATUS, isForced: false }
  const [matched, digits, mark] = /^(\d+)(!?)$/.exec(written) ?? []
  const extra = matched === undefined ? written : others[0]
  if (extra !== undefined) return refusalOfExtra(extra)
  const status = Number(digits)
  if (!STATUSES.includes(status)) return `has status ${digits}; ${STATUSES.join(', ')} are known`
  return { status: status as RedirectStatus, isForced: mark === '!' }
}

function refusalOfExtra (word: string): string {
  const reason = CONDITIONS.get(word.split('=')[0]!.toLowerCase())
  return reason === undefined
    ? `has ${quote(word)} behind its destination; a status may stand there, as 301 or 301!`
    : `has the condition ${quote(word)}; ${reason}`
}

function parseTarget (text: string): RedirectTarget | string {
  const [, rest = '', fragment = ''] = /^([^#]*)(#.*)?$/.exec(text)!
  const origin = /^https?:\/\/[^/?]*/i.exec(rest)?.[0] ?? ''
  const [, path = '', query = ''] = /^([^?]*)(.*)$/.exec(rest.slice(origin.length))!
  if (origin !== '' && placeholdersIn(origin.replace(URL_START, '')).length > 0) {
    return 'has a placeholder in the host of its destination; with it, links would lead anywhere'
  }
  if (origin !== '' && !URL.canParse(origin)) return `has no valid URL as its destination: ${quote(text)}`
  if (origin === '' && /^\/[/\\]/.test(path)) return 'has a destination with // at its beginning, which browsers take for a host'
  if (path.split('/').some(isDotSegment)) return 'has . or .. in its destination; a rule is for what is inside the folder'
  return { origin, path: inUri(path), query: inUri(query), fragment: fragment === '' ? '' : `#${inUri(fragment.slice(1))}` }
}

function inUri (text: string): string {
  return toUri(text.replace(/[^\x21-\x7e]/gu, encodeURIComponent))
}

/** Then the slash is what the rule is about, and to disregard it would be a loop. */
function differsBySlashOnly (source: string, { origin, path, query }: RedirectTarget): boolean {
  const bare = (text: string): string => text.replace(/\/$/, '')
  const filled = path.replace(/:splat\b/, '*')
  return origin === '' && query === '' && source !== filled && bare(source) === bare(filled)
}

/** What is wrong with the parts together, if anything is. */
function refusalOf ({ from, query, to, status }: RedirectRule): string | undefined {
  if (isStatic(from) && OWN_PATHS.includes(pathOf(from))) {
    return `is for ${pathOf(from)}, which the server answers itself`
  }
  if (status === 200 && to.origin !== '') return 'sends requests on to another server, which is not done here; 301 or 302 sends the browser there'
  if (status === 404 && to.origin !== '') return 'shows a page of another server; the page must be in the folder'
  const asked = query.filter(({ isPlaceholder }) => isPlaceholder).map(({ value }) => value)
  const named = [...namesOf(from), ...asked]
  const twice = named.find((name, at) => named.indexOf(name) !== at)
  if (twice !== undefined) return `has :${twice} twice`
  return refusalOfNames(from, to, named)
}

function refusalOfNames (
  { splat }: PathPattern, { path, query, fragment }: RedirectTarget, named: readonly string[]
): string | undefined {
  const unknown = placeholdersIn(path + query + fragment).find(name => !named.includes(name))
  if (unknown === undefined) return undefined
  return unknown === 'splat' && splat === undefined
    ? 'has :splat in its destination, but no * in its path'
    : `has :${unknown} in its destination, which nothing in front of it names; a colon of its own is written %3A`
}
