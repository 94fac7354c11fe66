/**
 * A bound on how long somebody else may take. A thread that was held up finds its timers due before
 * it looks at what has arrived meanwhile: that is looked at first, so that nobody is called late
 * for this thread's own delay. Any thread.
 */

/**
 * Calls when it is over.
 * @returns what ends it: the peer has done its part, or is gone
 */
export function limitPeer (afterMs: number, onLate: () => void): () => void {
  let lastLook: NodeJS.Immediate | undefined
  const timer = setTimeout(() => { lastLook = setImmediate(onLate) }, afterMs)
  return () => {
    clearTimeout(timer)
    clearImmediate(lastLook)
  }
}
