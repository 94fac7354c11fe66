/**
 * Notices when the process has no file descriptor left for connections. Nothing else reports it:
 * each thread then closes new connections at once. Logged once when it begins and once when it is
 * over. Main thread; the descriptors are the whole process's.
 */
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { isSpare, lowestFreeDescriptor } from '@usher/shared/descriptors.ts'
import { startInterval as startSystemInterval, type StartInterval } from '@usher/shared/interval.ts'
import type { Logger } from 'pino'

export interface DescriptorWatchParts {
  readonly log: Pick<Logger, 'error' | 'info'>
  /** Returns the lowest descriptor that is free, or throws what the system says. */
  readonly probe?: () => number
  readonly startInterval?: StartInterval
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

const LOOK_MS = 1000
/** Under a flood there is one free every now and then. */
const OVER_MS = 10_000
/** Of this process, of the whole machine. */
const NONE_LEFT = ['EMFILE', 'ENFILE']

/** @returns ends it */
export function watchDescriptors ({
  log, probe = lowestFreeDescriptor, startInterval = startSystemInterval, now = monotonicNowMs
}: DescriptorWatchParts): () => void {
  let missedMs: number | undefined
  return startInterval(LOOK_MS, () => {
    const code = codeOf(probe)
    if (NONE_LEFT.includes(code)) {
      if (missedMs === undefined) log.error({ code }, MESSAGE)
      missedMs = now()
    } else if (missedMs !== undefined && now() - missedMs >= OVER_MS) {
      missedMs = undefined
      log.info(`resolved: ${MESSAGE}`)
    }
  })
}

const MESSAGE = 'no file descriptors are left: new connections are closed. Raise the limit ' +
  '(ulimit -n, LimitNOFILE), or lower MAX_CONNECTIONS'

function codeOf (probe: () => number): string {
  try {
    return isSpare(probe()) ? 'EMFILE' : ''
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? ''
  }
}
