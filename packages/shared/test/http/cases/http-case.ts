/**
 * HTTP as data: bytes in, statuses out, and whether the connection is kept. The files beside this
 * one hold lines of it by subject; each line is held against a test door, and against every port of
 * the running program, whole and in pieces. Add yours: `bytes` goes out as it stands (use \r\n),
 * and nothing but what `seen` lists may be read as a request.
 */
export interface HttpCase {
  readonly name: string
  /** The section that decides, of RFC 9112 or 9110. */
  readonly rfc: string
  readonly bytes: string
  /** One for each reply, in order. 200 stands for whatever the port answers to what is asked. */
  readonly statuses: readonly number[]
  /** True when the connection serves another request afterwards. */
  readonly isKept: boolean
  /** Method and target of each request that reaches the handler, in order. */
  readonly seen: readonly string[]
  /** Whether the request is HEAD, so that no body follows. */
  readonly isHead?: boolean
  /** Header fields of the test door's last reply that the case is about. */
  readonly headers?: Readonly<Record<string, string>>
  /** Only the body is at fault: a port that answers by the head may have done so by then. */
  readonly isBodyAtFault?: boolean
}

export const HOST = 'Host: example.org\r\n'
/** What follows a refused request and must never be read as one. */
export const SECOND = `GET /second HTTP/1.1\r\n${HOST}\r\n`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

/** A head with the given fields besides Host, and no body. */
export function get (fields: string, target = '/'): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${fields}\r\n`
}

export function post (fields: string, body: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`
}

export function chunked (body: string): string {
  return post(CHUNKED, body)
}

/** The request line as it stands, with its line end, and a proper Host. */
export function withLine (line: string): string {
  return `${line}${HOST}\r\n`
}

/** The lines of a GET with no other field. */
export function withFields (fields: string): string {
  return `GET / HTTP/1.1\r\n${fields}\r\n`
}

/** A request whose head, with its empty line, has exactly so many bytes. */
export function headOf (bytes: number): string {
  const bare = get('X: \r\n').length
  return get(`X: ${'a'.repeat(bytes - bare)}\r\n`)
}

/** A refusal: the status, the end of the connection, and nothing read behind it. */
export function refused (
  rfc: string, status: number, name: string, bytes: string, more: Partial<HttpCase> = {}
): HttpCase {
  return { name, rfc, bytes: bytes + SECOND, statuses: [status], isKept: false, seen: [], ...more }
}

/** The same where only the body is at fault. */
export function refusedBody (rfc: string, status: number, name: string, bytes: string): HttpCase {
  return refused(rfc, status, name, bytes, { isBodyAtFault: true })
}

/** Answered, and the connection is kept. */
export function accepted (
  rfc: string, name: string, bytes: string, seen: readonly string[] = ['GET /']
): HttpCase {
  return { name, rfc, bytes, statuses: seen.map(() => 200), isKept: true, seen }
}

/** Answered, and the connection is closed, whatever follows. */
export function closing (
  rfc: string, name: string, bytes: string, seen: readonly string[] = ['GET /']
): HttpCase {
  const statuses = seen.map(() => 200)
  const headers = { connection: 'close' }
  return { name, rfc, bytes: bytes + SECOND, statuses, isKept: false, seen, headers }
}
