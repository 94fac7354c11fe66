/**
 * Preconditions of what has neither entity tag nor date (RFC 9110 section 13): all that can be told
 * is that it exists. Files have both, and see to theirs by themselves. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http'

/**
 * The status that stands in place of a 200 to this GET or HEAD; undefined where it stays. Dates are
 * ignored, as section 13.1.4 has it for what has none.
 */
export function preconditionStatus (headers: IncomingHttpHeaders): 304 | 412 | undefined {
  const match = headers['if-match']
  if (match !== undefined && match.trim() !== '*') return 412
  return headers['if-none-match']?.trim() === '*' ? 304 : undefined
}
