/**
 * The open streams of GET /events: one snapshot for all of them, sent when something in it has
 * changed and now and then anyway; and ends each stream whose reader is too slow or has lost its
 * session. Knows no sockets and no sessions. Runs in the monitor's thread.
 */
import stringifier from 'fast-json-stringify'
import { STATS_EVENT } from '@usher/shared/api/events.ts'
import { Stats } from '@usher/shared/api/stats.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { startInterval as startSystemInterval, type StartInterval } from '@usher/shared/interval.ts'

/** One stream's connection. */
export interface Sink {
  write (text: string): void
  /** What was written and has not left yet. */
  bufferedBytes (): number
  /** Ends the stream after what was written. */
  end (): void
  /** Cuts the connection at once. */
  drop (): void
  /** Whether its reader still has a session that may see this. */
  isAllowed (): Promise<boolean>
}

export interface EventHubParts {
  /** What streams show; a change of `timestamp` alone is none. */
  readonly makeSnapshot: () => Stats
  /** Monotonic milliseconds. */
  readonly now?: () => number
  readonly startInterval?: StartInterval
}

interface Stream {
  readonly sink: Sink
  /** What it was sent last, without the time, and when. */
  sentKey: string
  sentMs: number
  /** When the latest check began; the next one follows it, none runs beside it. */
  checkedMs: number
  isChecking: boolean
  /** When the first check began that has not yet been answered by "allowed". */
  doubtfulSinceMs: number | undefined
}

export const STREAMS_MAX = 100
export const BUFFERED_BYTES_MAX = 64 * 1024
const TICK_MS = 250
/** The least between two events of a stream. */
const PAUSE_MS = 1000
/** An event every 15 s at the latest; a tick earlier, for the timer is never early. */
const SILENCE_MS = 15_000 - 2 * TICK_MS
const CHECK_MS = 750
/** A stream ends within 2 s of its session, also when the session cannot be checked. */
const DOUBT_MS = 750

/** By the schema of /stats, as Fastify writes its answer: what is in one is in the other. */
const toJson = stringifier(Stats)

export class EventHub {
  readonly #makeSnapshot: EventHubParts['makeSnapshot']
  readonly #now: () => number
  readonly #startInterval: StartInterval
  readonly #streams = new Set<Stream>()
  #stopTicking: (() => void) | undefined
  #isClosed = false

  constructor ({
    makeSnapshot, now = monotonicNowMs, startInterval = startSystemInterval
  }: EventHubParts) {
    this.#makeSnapshot = makeSnapshot
    this.#now = now
    this.#startInterval = startInterval
  }

  get size (): number {
    return this.#streams.size
  }

  /** No stream is to be added then. */
  isFull (): boolean {
    return this.#isClosed || this.#streams.size >= STREAMS_MAX
  }

  /**
   * Sends the first event at once. The caller has just found the reader allowed, and calls the
   * function that this returns when the connection has closed.
   */
  add (sink: Sink): () => void {
    const nowMs = this.#now()
    const stream: Stream = {
      sink,
      sentKey: '',
      sentMs: nowMs,
      checkedMs: nowMs,
      isChecking: false,
      doubtfulSinceMs: undefined
    }
    if (this.isFull()) {
      sink.end()
      return () => {}
    }
    this.#streams.add(stream)
    this.#stopTicking ??= this.#startInterval(TICK_MS, () => { this.#tick() })
    send(stream, this.#snapshot(), nowMs)
    return () => { this.#remove(stream) }
  }

  /** Ends all streams; none is taken from then on. Safe to call twice. */
  close (): void {
    this.#isClosed = true
    for (const stream of [...this.#streams]) this.#end(stream)
  }

  #tick (): void {
    const nowMs = this.#now()
    const snapshot = this.#snapshot()
    for (const stream of [...this.#streams]) {
      if (stream.sink.bufferedBytes() > BUFFERED_BYTES_MAX) {
        this.#remove(stream)
        stream.sink.drop()
      } else if (nowMs - (stream.doubtfulSinceMs ?? nowMs) >= DOUBT_MS) {
        this.#end(stream)
      } else {
        if (isDue(stream, snapshot, nowMs)) send(stream, snapshot, nowMs)
        if (isToBeChecked(stream, nowMs)) void this.#check(stream, nowMs)
      }
    }
  }

  /** Never rejects: a session that cannot be checked counts as ended once DOUBT_MS is over. */
  async #check (stream: Stream, nowMs: number): Promise<void> {
    stream.isChecking = true
    stream.checkedMs = nowMs
    stream.doubtfulSinceMs ??= nowMs
    try {
      if (await stream.sink.isAllowed()) stream.doubtfulSinceMs = undefined
      else this.#end(stream)
    } catch {
      // Asked again at the next tick.
    } finally {
      stream.isChecking = false
    }
  }

  #end (stream: Stream): void {
    if (this.#remove(stream)) stream.sink.end()
  }

  #remove (stream: Stream): boolean {
    const wasThere = this.#streams.delete(stream)
    if (this.#streams.size === 0) {
      this.#stopTicking?.()
      this.#stopTicking = undefined
    }
    return wasThere
  }

  #snapshot (): Snapshot {
    const stats = this.#makeSnapshot()
    const key = toJson({ ...stats, timestamp: '' })
    return { key, text: `event: ${STATS_EVENT}\ndata: ${toJson(stats)}\n\n` }
  }
}

interface Snapshot {
  readonly key: string
  readonly text: string
}

function isDue (stream: Stream, { key }: Snapshot, nowMs: number): boolean {
  const silentForMs = nowMs - stream.sentMs
  return silentForMs >= SILENCE_MS || (silentForMs >= PAUSE_MS && key !== stream.sentKey)
}

/** While the answer is open it is asked again at every tick. */
function isToBeChecked (
  { isChecking, checkedMs, doubtfulSinceMs }: Stream, nowMs: number
): boolean {
  if (isChecking) return false
  return doubtfulSinceMs !== undefined || nowMs - checkedMs >= CHECK_MS
}

function send (stream: Stream, { key, text }: Snapshot, nowMs: number): void {
  stream.sentKey = key
  stream.sentMs = nowMs
  stream.sink.write(text)
}
