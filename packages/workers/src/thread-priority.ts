/**
 * Lets threads that serve visitors go first: the one that calls this gets the processor when those
 * leave some of it. Linux has a priority for each thread, which the threads that it starts inherit;
 * where there is none, nothing changes. Any thread but the main one, whose priority is the
 * process's.
 */
import { execFileSync } from 'node:child_process'
import { readlinkSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'

/**
 * For a thread that now and then holds a lock of the user table: a tenth of a server's share, so
 * that whoever waits for the lock waits a few slices at most. With 5 in its place, a third, pages
 * on a core that is half busy were later in a flood of logins.
 */
export const BEHIND_VISITORS = 10
/** For work that nobody but its own caller waits for, and that holds no lock: the least. */
const FAR_BEHIND_VISITORS = 19
const CHRT_MS_MAX = 1000

/** @param niceness as `nice` has it: 0 is usual, 19 the least */
export function giveWay (niceness: number): void {
  whereAllowed(() => { setPriority(Number(ownTask()), niceness) })
}

/**
 * Gives way at the moment when somebody else wakes, by the scheduling policy SCHED_IDLE. A thread
 * of the usual policy keeps the processor until its slice is over, 1 to 8 ms, however low its
 * priority. For one that holds no lock: where others take all of the processor, it gets little.
 * Node has no call for it, util-linux has `chrt`; without that, the thread has the least priority.
 * @returns whether it does
 */
export function giveWayAtOnce (): boolean {
  giveWay(FAR_BEHIND_VISITORS)
  return whereAllowed(() => {
    execFileSync('chrt', ['-i', '-p', '0', ownTask()], { stdio: 'ignore', timeout: CHRT_MS_MAX })
  })
}

/**
 * Ends this thread's waits when they are over: by default Linux adds up to 50 us to each.
 * @returns whether it does
 */
export function waitPrecisely (): boolean {
  return whereAllowed(() => { writeFileSync(`/proc/${ownTask()}/timerslack_ns`, '1') })
}

/** As the kernel numbers threads. */
function ownTask (): string {
  return basename(readlinkSync('/proc/thread-self')) // Of the form PID/task/TID.
}

/** False on another system, without /proc, or when not allowed: the thread goes on as it was. */
function whereAllowed (set: () => void): boolean {
  try {
    set()
    return true
  } catch {
    return false
  }
}
