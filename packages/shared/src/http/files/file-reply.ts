/**
 * From a file and a request to the reply: the whole file, a part of it, or a 304 that it has not
 * changed, in the coding that the client likes best. Pure; knows nothing of visitors.
 */
import { keptReply, textReply } from '../vocabulary/replies.ts'
import type { Reply, RequestValue } from '../vocabulary/values.ts'
import { evaluatePreconditions, isRangeCurrent } from './conditional.ts'
import type { CodingChooser } from './content-coding.ts'
import { selectRange, type ByteRange } from './range.ts'
import type { FileReply, StoredFile, Variant } from './stored-file.ts'

const NO_CACHE = ['Cache-Control', 'no-cache']

const PRECONDITION_FAILED = keptReply(
  textReply(412, 'The file is not in the state that the request requires.\n', NO_CACHE))

type FileRequest = Pick<RequestValue, 'method' | 'headers'>

/** The reply of one file to a GET or HEAD; the same object for every plain request. */
export function fileReply (
  file: StoredFile, request: FileRequest, codings: CodingChooser
): FileReply {
  const variant = chooseVariant(file, request, codings)
  const verdict = evaluatePreconditions(request.headers, variant, thisYear)
  if (verdict === 'failed') return PRECONDITION_FAILED
  if (verdict === 'not-modified') return variant.notModified
  // Section 14.2: a Range means something in a GET only.
  if (request.method !== 'GET' || request.headers.range === undefined) return variant.whole
  if (!isRangeCurrent(request.headers, variant, thisYear)) return variant.whole
  const range = selectRange(request.headers.range, variant.bytes)
  if (range === undefined) return variant.whole
  return range === 'unsatisfiable' ? rangeNotSatisfiable(variant) : partial(variant, range)
}

function thisYear (): number {
  return new Date().getUTCFullYear()
}

export function chooseVariant (
  file: StoredFile, request: FileRequest, codings: CodingChooser
): Variant {
  for (const coding of codings(request.headers['accept-encoding'])) {
    const variant = file.variants[coding]
    if (variant !== undefined) return variant
  }
  return file.variants.identity
}

function partial (variant: Variant, { first, last }: ByteRange): FileReply {
  const contentRange = `bytes ${first}-${last}/${variant.bytes}`
  return {
    ...variant.whole,
    status: 206,
    headers: [...variant.whole.headers, 'Content-Range', contentRange],
    ...variant.content(first, last + 1 - first),
    isKept: false
  }
}

function rangeNotSatisfiable (variant: Variant): Reply {
  return textReply(416, 'The file ends before that range begins.\n', [
    ...NO_CACHE, 'Content-Range', `bytes */${variant.bytes}`
  ])
}
