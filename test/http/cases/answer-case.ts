/**
 * Answers as data: a request, the status and the fields of its answer. The files beside this one
 * hold lines of it by subject. A line whose method is GET is asked with HEAD too, which must give
 * the same head. Add yours; in `fields`, `headers` and `body` these words stand for what the file
 * has: ETAG, GZIP_ETAG, BR_ETAG, OTHER_ETAG, DATE, EARLIER, LATER.
 */
import type { PortKind } from '../known-cluster.ts'

export interface AnswerCase {
  readonly name: string
  /** The section of RFC 9110 that decides. */
  readonly rfc: string
  readonly on: PortKind
  readonly method: string
  readonly path: string
  /** Field lines with their line ends, besides Host and the visitor's cookie. */
  readonly fields: string
  readonly status: number
  /** What the answer must say; null for a field that it must not have. */
  readonly headers: Readonly<Record<string, string | RegExp | null>>
  /** The whole body; left out where it does not matter. */
  readonly body?: string
}

/** A file of ten digits, without another coding. */
const DIGITS_PATH = '/digits.bin'
/** A page that is served in three codings. */
export const PAGE_PATH = '/'

type Rest = Partial<AnswerCase> & Pick<AnswerCase, 'status'>

/** A GET of the digits, unless something else is said. */
export function answer (rfc: string, name: string, rest: Rest): AnswerCase {
  return { on: 'server', method: 'GET', path: DIGITS_PATH, fields: '', headers: {}, name, rfc, ...rest }
}
