/**
 * Lets threads that serve visitors go first: the one that calls this gets the processor when those
 * leave some of it. Linux has a priority for each thread, which the threads that it starts inherit;
 * where there is none, nothing changes. Any thread but the main one, whose priority is the
 * process's.
 */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'

/**
 * For a thread that now and then holds a lock of the user table: a tenth of a server's share, so
 * that whoever waits for the lock waits a few slices at most. With 5 in its place, a third, pages
 * on a core that is half busy were later in a flood of logins.
 */
export const BEHIND_VISITORS = 10
/** For work that nobody but its own caller waits for, and that holds no lock: the least. */
export const FAR_BEHIND_VISITORS = 19

/** @param niceness as `nice` has it: 0 is usual, 19 the least */
export function giveWay (niceness: number): void {
  try {
    // Of the form PID/task/TID.
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), niceness)
  } catch {
    // Another system, no /proc, or not allowed: all threads are equal, as they were.
  }
}
