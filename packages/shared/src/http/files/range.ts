/**
 * Byte ranges, RFC 9110 section 14: what a Range header asks of a representation. One range is
 * served; several, other units and malformed ones are as if there were none, which the standard
 * allows for all of them. Pure. (The range-parser package refuses suffixes longer than the file and
 * calls inverted ranges unsatisfiable; the standard says otherwise on both.)
 */

/** First and last byte, both included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

const ONE_RANGE = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i

/**
 * The range that a Range header's value selects of `bytes` bytes; undefined where the whole is to
 * be sent; 'unsatisfiable' where the range begins behind the end (416).
 */
export function selectRange (
  header: string, bytes: number
): ByteRange | 'unsatisfiable' | undefined {
  const [matched, first, last, suffix] = ONE_RANGE.exec(header) ?? []
  if (matched === undefined) return undefined
  if (suffix !== undefined) return selectSuffix(Number(suffix), bytes)
  const firstByte = Number(first)
  const lastByte = last === '' ? Infinity : Number(last)
  if (lastByte < firstByte) return undefined
  if (firstByte >= bytes) return 'unsatisfiable'
  return { first: firstByte, last: Math.min(lastByte, bytes - 1) }
}

function selectSuffix (
  suffixBytes: number, bytes: number
): ByteRange | 'unsatisfiable' | undefined {
  if (suffixBytes === 0) return 'unsatisfiable'
  // No Content-Range can describe a part of nothing.
  if (bytes === 0) return undefined
  return { first: Math.max(0, bytes - suffixBytes), last: bytes - 1 }
}
