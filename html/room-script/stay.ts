/**
 * How long a visitor has been in a room. Kept for the tab by the browser, so that a reload does not
 * begin anew; without that storage it begins with the page. Numbers and text only.
 */

/** What of `sessionStorage` is used here. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem'>

export interface Stay {
  /** As said on the page, at this moment. */
  text (): string
  /** Writes down that the page goes; the stay goes on if it is soon back. */
  pause (): void
}

const KEY = 'usher-room-stay'
/** A page that is back within this was reloaded; later, the visitor has been away. */
const PAUSE_MS_MAX = 60_000
const MINUTE_MS = 60_000

/** `now` is the wall clock: monotonic ones begin anew with the page. */
export function startStay (storage: TabStorage | undefined, now: () => number): Stay {
  let sinceMs = now()
  let pausedMs: number | undefined
  const [storedSinceMs, storedPausedMs] = read(storage)
  if (isGoingOn(storedSinceMs, storedPausedMs)) sinceMs = storedSinceMs

  function isGoingOn (fromMs: number, untilMs: number): boolean {
    // NaN, for nothing stored, is neither; nor is a clock that was set back.
    return fromMs <= untilMs && untilMs <= now() && now() - untilMs <= PAUSE_MS_MAX
  }

  return {
    text () {
      // The browser may bring back the page itself, long after.
      if (pausedMs !== undefined && !isGoingOn(sinceMs, pausedMs)) sinceMs = now()
      pausedMs = undefined
      if (sinceMs > now()) sinceMs = now()
      return `Here for ${formatStay(now() - sinceMs)}`
    },
    pause () {
      pausedMs = now()
      write(storage, sinceMs, pausedMs)
    }
  }
}

function formatStay (ms: number): string {
  const minutes = Math.floor(ms / MINUTE_MS)
  if (minutes < 1) return 'less than a minute'
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}

function read (storage: TabStorage | undefined): [sinceMs: number, pausedMs: number] {
  try {
    const [sinceMs = NaN, pausedMs = NaN] = (storage?.getItem(KEY) ?? '').split(' ').map(Number)
    return [sinceMs || NaN, pausedMs]
  } catch {
    return [NaN, NaN]
  }
}

function write (storage: TabStorage | undefined, sinceMs: number, pausedMs: number): void {
  try {
    storage?.setItem(KEY, `${sinceMs} ${pausedMs}`)
  } catch { /* It is full, or the visitor forbids it. */ }
}
