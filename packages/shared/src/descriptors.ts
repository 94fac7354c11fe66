/**
 * The spare file descriptors: the last of the process, which no connection may keep, so that files
 * and pipes can still be opened. With none left, each thread's libuv closes new connections by
 * giving up one descriptor that it keeps for that; when other code takes that one in the same
 * moment, the thread loops over a connection that it can neither accept nor close. Any thread.
 */
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { devNull } from 'node:os'

/**
 * For the sockets that every thread accepts only to close them, for the threads that verify
 * passwords, and for files.
 */
export const SPARE_DESCRIPTORS = 32

/** Where the system says it, see proc(5). Node has raised the soft limit to the hard one. */
const LIMITS_FILE = '/proc/self/limits'

let limit: number | undefined

/** Infinity where the system does not say. */
export function readLimit (file = LIMITS_FILE): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync(file, 'latin1')) ?? []
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}

/** The kernel gives the lowest number that is free, so all below this one are taken. */
export function isSpare (
  descriptor: number, descriptorLimit = limit ??= readLimit()
): boolean {
  return descriptor >= descriptorLimit - SPARE_DESCRIPTORS
}

/** Throws what the system says, EMFILE or ENFILE, when there is none. Takes some 10 us. */
export function lowestFreeDescriptor (): number {
  const descriptor = openSync(devNull, 'r')
  closeSync(descriptor)
  return descriptor
}

/** -1 for a socket without one: closed already, or on a system without descriptors. */
export function descriptorOf (socket: Socket): number {
  // Not public beyond that server.listen() takes what has a `_handle`; without it no limit holds.
  const { _handle: handle } = socket as { _handle?: { fd?: number } | null }
  return handle?.fd ?? -1
}
