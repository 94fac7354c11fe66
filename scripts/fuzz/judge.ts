/**
 * What is wrong with an outcome: the rules that hold for every input, whatever it is. A rule that
 * needs to know what was asked looks only at whole requests. Pure.
 */
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { Answer } from './answers.ts'
import type { Outcome } from './send-input.ts'
import type { RequestInput } from './inputs.ts'

/** What an answer must never show. */
export interface Secrets {
  /** Texts that were planted, and folders of this machine. */
  readonly texts: readonly string[]
  readonly publicHosts: readonly string[]
}

/** Everything that the contract has a row for; 500 is a fault of ours. */
const STATUSES = new Set([
  200, 204, 206, 301, 302, 303, 304, 307, 400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415,
  416, 417, 421, 429, 431, 501, 503, 505
])
/** On a busy machine the fuzzer itself may be slow to send. */
const SEND_MS_MAX = 250
const BUSY_CODES = ['busy', 'database_unavailable', 'not_ready']
const STACK = /\n\s+at .+:\d+:\d+|node:internal|file:\/\/\/(?!etc)|SqliteError|node_modules/
const CLIENT_COOKIE = new RegExp('^client_id=[0-9a-f-]{36}; Path=/; HttpOnly; SameSite=Lax; ' +
  'Max-Age=31536000(; Secure)?$')

/** One sentence for each thing that is wrong; none for a good outcome. */
export function wrongsOf (input: RequestInput, outcome: Outcome, secrets: Secrets): string[] {
  const wrongs = [...wrongEnds(input, outcome), ...wrongCounts(input, outcome)]
  for (const answer of outcome.answers) wrongs.push(...wrongAnswers(input, answer, secrets))
  const leak = secrets.texts.find(secret => outcome.text.includes(secret))
  if (leak !== undefined) wrongs.push(`the answer leaks ${JSON.stringify(leak)}`)
  if (STACK.test(outcome.text)) wrongs.push('the answer shows a stack or a file of the program')
  return wrongs
}

function wrongEnds ({ end, send }: RequestInput, outcome: Outcome): string[] {
  const wrongs: string[] = []
  if (outcome.end === 'refused') wrongs.push('no connection was taken')
  // Line ends alone begin no request, so nothing is due for them.
  const isIdle = send.join('').replaceAll(/[\r\n]/g, '') === ''
  if (outcome.end === 'hung' && !(isIdle && end === 'wait')) {
    wrongs.push('neither answered nor closed in time')
  }
  if (outcome.rest === 'garbage') wrongs.push('what came back is not HTTP')
  if (outcome.rest === 'cut short' && end !== 'reset' && outcome.end === 'closed') {
    wrongs.push('an answer was cut short')
  }
  return wrongs
}

function wrongCounts (
  { requestsMax, isIntact }: RequestInput, { answers, rest, end, sendMs }: Outcome
): string[] {
  if (answers.length > requestsMax) {
    return [`${answers.length} answers to ${requestsMax} requests at most`]
  }
  const isOver = rest === 'nothing' && (end === 'closed' || end === 'quiet')
  if (isIntact !== true || !isOver || sendMs > SEND_MS_MAX) return []
  const isMissing = answers.length < requestsMax && !saysClose(answers.at(-1))
  return isMissing ? [`${answers.length} answers to ${requestsMax} whole requests`] : []
}

/** Nothing is answered behind such an answer. */
function saysClose (answer: Answer | undefined): boolean {
  return answer?.fields.get('connection') === 'close'
}

function wrongAnswers (
  { to }: RequestInput, { status, fields, body }: Answer, { publicHosts }: Secrets
): string[] {
  const wrongs: string[] = []
  if (!STATUSES.has(status)) wrongs.push(`answered ${status}`)
  const isPublic = to === 'router' || to === 'server' || to === 'decision'
  if (status === 503 && isPublic && !fields.has('retry-after')) wrongs.push('503 without Retry-After')
  if (!isPublic && body !== '' && fields.get('content-type')?.includes('json') === true) {
    const json = parsed(body)
    if (json === undefined) wrongs.push('a body of JSON is none')
    const code = (json as { error?: string } | null | undefined)?.error ?? ''
    if (status === 503 && !BUSY_CODES.includes(code)) wrongs.push(`503 for ${code}`)
  }
  const location = fields.get('location')
  if (to === 'router' && location !== undefined && !isOwn(location, publicHosts)) {
    wrongs.push(`redirected to ${location.slice(0, 100)}`)
  }
  const cookie = fields.get('set-cookie')
  if (isPublic && cookie !== undefined && !CLIENT_COOKIE.test(cookie)) {
    wrongs.push('a cookie of another form')
  }
  return wrongs
}

function parsed (body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, 'latin1').toString())
  } catch {
    return undefined
  }
}

/** One of our own host names, or an address, as the contract has it. */
function isOwn (location: string, publicHosts: readonly string[]): boolean {
  const [, authority = ''] = /^https?:\/\/([^/?#]*)/.exec(location) ?? []
  const host = authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return isIP(host) !== 0 || host === 'localhost' || host === hostname().toLowerCase() ||
    publicHosts.includes(host)
}
