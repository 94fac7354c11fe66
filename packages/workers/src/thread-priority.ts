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
 * For a thread that now and then holds a lock of the user table: about a third of a server's share,
 * so that whoever waits for the lock waits no longer than a moment.
 */
export const BEHIND_VISITORS = 5
/** For work that nobody but its own caller waits for: a tenth. */
export const FAR_BEHIND_VISITORS = 10

/** @param niceness as `nice` has it: 0 is usual, 19 the least */
export function giveWay (niceness: number): void {
  try {
    // Of the form PID/task/TID.
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), niceness)
  } catch {
    // Another system, no /proc, or not allowed: all threads are equal, as they were.
  }
}
