/**
 * Reads what came back on a connection as HTTP/1.1 answers, strictly: whatever is no whole answer
 * is said to be garbage, or cut short. Pure.
 */

export interface Answer {
  readonly status: number
  /** By name in lower case; of repeated ones the last. */
  readonly fields: ReadonlyMap<string, string>
  /** Bytes as Latin-1. */
  readonly body: string
}

export interface Answers {
  /** Final ones: 100 Continue does not count. */
  readonly answers: readonly Answer[]
  /** What stands behind the last whole one. */
  readonly rest: 'nothing' | 'cut short' | 'garbage' | 'stream'
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/
const FIELD = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+): ?([\x20-\x7e\x80-\xff\t]*)$/
const START = 'HTTP/1.1 '

/**
 * @param mayBeHead whether a HEAD may have been asked: then a body may be missing
 */
export function readAnswers (text: string, mayBeHead: boolean): Answers {
  const answers: Answer[] = []
  let at = 0
  while (at < text.length) {
    const head = headAt(text, at)
    if (head === 'cut short' || head === 'garbage') return { answers, rest: head }
    const { status, fields, end } = head
    const isStream = fields.get('content-type')?.startsWith('text/event-stream') === true
    if (isStream) return { answers: [...answers, { status, fields, body: '' }], rest: 'stream' }
    const body = bodyAt(text, end, head, mayBeHead)
    if (body === 'cut short' || body === 'garbage') return { answers, rest: body }
    if (status >= 200) answers.push({ status, fields, body: body.text })
    at = body.end
  }
  return { answers, rest: 'nothing' }
}

interface Head {
  readonly status: number
  readonly fields: ReadonlyMap<string, string>
  /** Where the body begins. */
  readonly end: number
}

function headAt (text: string, at: number): Head | 'cut short' | 'garbage' {
  const seen = text.slice(at, at + START.length)
  if (!START.startsWith(seen) && seen !== START) return 'garbage'
  const headEnd = text.indexOf('\r\n\r\n', at)
  if (headEnd === -1) return 'cut short'
  const [statusLine = '', ...lines] = text.slice(at, headEnd).split('\r\n')
  const [, status] = STATUS_LINE.exec(statusLine) ?? []
  if (status === undefined) return 'garbage'
  const fields = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? []
    if (name === undefined) return 'garbage'
    fields.set(name.toLowerCase(), value!)
  }
  return { status: Number(status), fields, end: headEnd + 4 }
}

type Body = { readonly text: string, readonly end: number } | 'cut short' | 'garbage'

function bodyAt (text: string, at: number, { status, fields }: Head, mayBeHead: boolean): Body {
  const none = { text: '', end: at }
  if (status < 200 || status === 204 || status === 304) return none
  const isNextHere = at === text.length || text.startsWith(START, at)
  if (fields.get('transfer-encoding') === 'chunked') {
    return mayBeHead && isNextHere ? none : chunksAt(text, at)
  }
  const length = Number(fields.get('content-length') ?? NaN)
  // Every answer of ours says how long it is, or comes in chunks.
  if (!Number.isSafeInteger(length)) return 'garbage'
  if (mayBeHead && isNextHere) return none
  const end = at + length
  return end > text.length ? 'cut short' : { text: text.slice(at, end), end }
}

function chunksAt (text: string, start: number): Body {
  let body = ''
  let at = start
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return 'cut short'
    const size = text.slice(at, lineEnd)
    if (!/^[0-9a-f]+$/i.test(size)) return 'garbage'
    const dataEnd = lineEnd + 2 + parseInt(size, 16)
    if (dataEnd + 2 > text.length) return 'cut short'
    if (text.slice(dataEnd, dataEnd + 2) !== '\r\n') return 'garbage'
    body += text.slice(lineEnd + 2, dataEnd)
    at = dataEnd + 2
    if (size === '0') return { text: body, end: at }
  }
}
