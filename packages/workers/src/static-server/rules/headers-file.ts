/**
 * Reads `_headers`, the format of Cloudflare Pages and Netlify: a path, and below it the fields
 * that replies for it get. Pure; docs/sites.md says what is taken from which of the two.
 */
import type { HeaderField, HeaderRule, PathPattern } from '@usher/shared/site-rules.ts'
import { quote } from '@usher/shared/quote.ts'
import { parsePattern } from './path-pattern.ts'
import { ruleLines, type Parsed, type Problem, type RuleLine } from './rule-lines.ts'

/** The first two of Cloudflare Pages. */
const RULES_MAX = 100
const LINE_LENGTH_MAX = 2000
const FIELDS_PER_RULE_MAX = 50

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/
/** RFC 9110 section 5.5, without what is obsolete there. */
const VALUE = /^[\t\x20-\x7e]+$/

const FRAMING = 'is of the connection or the message itself, which the server sees to'
const VALIDATOR = 'tells one state of a file from another, which the server sees to'
const COOKIE = 'sets cookies; the cookie of visitors is the only one here'
const OWN = 'is what the server says of its visitors'

const REFUSED: ReadonlyMap<string, string> = new Map([
  ...[
    'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'date', 'age',
    'content-length', 'content-encoding', 'content-range', 'accept-ranges'
  ].map(name => [name, FRAMING] as const),
  ...['etag', 'last-modified'].map(name => [name, VALIDATOR] as const),
  ...['set-cookie', 'set-cookie2'].map(name => [name, COOKIE] as const),
  ...['x-active-users', 'x-heartbeat-interval', 'x-server-users'].map(name => [name, OWN] as const),
  ['location', 'leads elsewhere, which is said in _redirects'],
  // Netlify takes it for a password; sent as a field it would tell it to everybody.
  ['basic-auth', 'asks for a password, which this server does not know']
])

/** With it a browser forgets who the visitor is. */
const CLEARS_COOKIES = /"(?:cookies|\*)"/

export function parseHeadersFile (text: string): Parsed<HeaderRule> {
  const problems: Problem[] = []
  const blocks: Block[] = []
  for (const line of ruleLines(text, { lineLengthMax: LINE_LENGTH_MAX }, problems)) {
    const what = /^(?:\/|https?:\/\/)/i.test(line.text)
      ? addBlock(line, blocks)
      : addField(line.text, blocks.at(-1))
    if (what !== undefined) problems.push({ line: line.number, what })
  }
  for (const { line, lineCount } of blocks) {
    if (lineCount === 0) problems.push({ line, what: 'has no headers below it' })
    if (lineCount > FIELDS_PER_RULE_MAX) {
      problems.push({ line, what: `has ${lineCount} lines below it; ${FIELDS_PER_RULE_MAX} are allowed` })
    }
  }
  const tooMany = blocks[RULES_MAX]
  if (tooMany !== undefined) {
    problems.push({ line: tooMany.line, what: `is path ${RULES_MAX + 1} of ${blocks.length}; ${RULES_MAX} are allowed` })
  }
  return { rules: blocks.map(({ path, removed, fields }) => ({ path, removed, fields })), problems }
}

interface Block extends HeaderRule {
  readonly line: number
  readonly removed: string[]
  readonly fields: HeaderField[]
  /** Wrong ones included. */
  lineCount: number
}

/** Fields below a path that is refused belong to it all the same. */
const NOTHING: PathPattern = { head: [], splat: undefined }

/** What is wrong with the line of a path, if anything is. */
function addBlock ({ number, text }: RuleLine, blocks: Block[]): string | undefined {
  const path = text.startsWith('/') ? parsePattern(text) : HOST_RULE
  const isWrong = typeof path === 'string'
  blocks.push({
    line: number, path: isWrong ? NOTHING : path, removed: [], fields: [], lineCount: 0
  })
  return isWrong ? path : undefined
}

const HOST_RULE = 'is for one host; a folder is served under every name: begin with the path'

/** What is wrong with the line of a field, if anything is. */
function addField (text: string, block: Block | undefined): string | undefined {
  if (block === undefined) return 'stands before the first path, which begins with /'
  block.lineCount++
  if (text.startsWith('!')) return removeField(text.slice(1).trim(), block)
  const colon = text.indexOf(':')
  if (colon === -1) return 'is neither a path, which begins with /, nor name: value'
  const name = text.slice(0, colon).trim()
  const value = text.slice(colon + 1).trim()
  const what = refusalOfName(name) ?? refusalOfValue(name, value)
  if (what === undefined) block.fields.push({ name, value })
  return what
}

function removeField (name: string, block: Block): string | undefined {
  if (name.toLowerCase() === 'content-type') return 'takes Content-Type away; it can be given another value'
  const what = refusalOfName(name)
  // Within a block the order does not matter: first some go, then others come.
  if (what === undefined) block.removed.push(name.toLowerCase())
  return what
}

function refusalOfName (name: string): string | undefined {
  if (!TOKEN.test(name)) return `has ${quote(name)} where the name of a header is expected`
  const reason = REFUSED.get(name.toLowerCase())
  return reason === undefined ? undefined : `names ${name}, which ${reason}`
}

function refusalOfValue (name: string, value: string): string | undefined {
  if (value === '') return `gives ${name} no value`
  if (!VALUE.test(value)) return `has a value with other than ASCII characters: ${quote(value)}`
  if (name.toLowerCase() === 'clear-site-data' && CLEARS_COOKIES.test(value)) {
    return 'has browsers forget cookies, so that visitors would be newcomers each time'
  }
  return undefined
}
