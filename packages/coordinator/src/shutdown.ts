/**
 * Signals: the first SIGINT or SIGTERM stops gracefully, a second one exits at once, SIGHUP reloads
 * or, when the terminal was closed, stops; SIGUSR2 restarts the servers; those that mean nothing
 * here are logged. One deadline for all. Ends the process.
 */
import { UNUSED_SIGNALS } from '@usher/shared/unused-signals.ts'
import type { Logger } from 'pino'
import type { SignalHandler } from './early-signals.ts'

export interface ShutdownParts {
  readonly close: () => Promise<void>
  readonly reload: () => Promise<void>
  readonly restartServers: () => Promise<void>
  /** Whether the program was started from a terminal: then SIGHUP means that it is gone. */
  readonly hasTerminal: boolean
  readonly timeoutMs: number
  readonly now: () => number
  readonly exit: (code: number) => void
  readonly log: Logger
}

const UNUSED: ReadonlySet<string> = new Set(UNUSED_SIGNALS)
/** A terminal's Ctrl-C arrives twice within 1 ms when npm passes it on: that is one signal. */
const SAME_SIGNAL_MS = 500

/** What the program does at a signal. Returned as a function, so that tests need no signals. */
export function signalHandler (parts: ShutdownParts): SignalHandler {
  const { log, now, exit } = parts
  let firstMs: number | undefined
  return signal => {
    if (UNUSED.has(signal)) {
      log.warn({ signal }, 'received a signal that means nothing to Usher: ignored')
      return
    }
    if (signal === 'SIGUSR2') {
      if (firstMs === undefined) void parts.restartServers()
      return
    }
    if (signal === 'SIGHUP' && !parts.hasTerminal) {
      if (firstMs === undefined) void parts.reload()
      return
    }
    if (firstMs !== undefined) {
      if (now() - firstMs <= SAME_SIGNAL_MS) return
      log.warn({ signal }, 'a second signal: stopping at once')
      return exit(1)
    }
    firstMs = now()
    log.info({ signal }, 'received a signal to stop')
    void stop(parts)
  }
}

async function stop ({ close, timeoutMs, exit, log }: ShutdownParts): Promise<void> {
  const deadline = setTimeout(() => {
    log.error({ timeoutMs }, 'the stop timed out: what is left is cut off')
    exit(1)
  }, timeoutMs)
  try {
    await close()
    log.info('stopped')
    exit(0)
  } catch (error) {
    log.fatal({ err: error }, 'the stop failed')
    exit(1)
  } finally {
    clearTimeout(deadline)
  }
}
