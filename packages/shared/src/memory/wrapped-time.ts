/** Times as shared memory holds them: whole, in 32 bits, and compared by wrapping subtraction. */

/** Milliseconds as the slots hold them: modulo 2^32. */
export function wrappedMs (nowMs: number): number {
  return Math.floor(nowMs) | 0
}

export function wrappedSeconds (nowMs: number): number {
  return Math.floor(nowMs / 1000) | 0
}

/**
 * How long ago, in the unit of both; right for up to 2^31 of it (24.8 days in milliseconds).
 * Signed, because another thread may have looked at the clock a moment later than this one.
 */
export function wrappedAge (now: number, then: number): number {
  return (now - then) | 0
}
