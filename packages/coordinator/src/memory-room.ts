/**
 * How much memory is left for sites, so that one that does not fit is refused in words and not by
 * the kernel's end of the process. Asks the system, decides by arithmetic. Main thread.
 */
import { totalmem } from 'node:os'
import type { MemoryRoom } from '@usher/shared/memory/site-memory.ts'

export interface MemoryNeeds {
  readonly serverCount: number
  /** Of the user table. */
  readonly tableBytes: number
  /** Of sites that are in memory already. */
  readonly heldBytes: number
}

export interface SystemMemory {
  /** Of the machine, or of the container where that is less. */
  readonly limitBytes: number
  /** What the process takes of it now. */
  readonly usedBytes: number
}

const MIB = 2 ** 20

/**
 * What Usher takes without sites: main thread, monitor with a hundred logins' worth of hashing, and
 * the loader while it compresses; and each server. Measured under load, see docs/operating.md.
 */
const OWN_BYTES = 160 * MIB
const SERVER_BYTES = 16 * MIB
/** The figures above are careful, and a small container has always been enough for small sites. */
const SMALL_SITES_BYTES = 16 * MIB

export function memoryRoom (
  { serverCount, tableBytes, heldBytes }: MemoryNeeds, system = systemMemory()
): MemoryRoom {
  const { limitBytes, usedBytes } = system
  const ownBytes = OWN_BYTES + serverCount * SERVER_BYTES + tableBytes
  // It may have grown beyond that, by its connections for example.
  const otherBytes = Math.max(ownBytes, usedBytes - heldBytes)
  const leftBytes = Math.max(SMALL_SITES_BYTES, limitBytes - otherBytes - heldBytes)
  return { limitBytes, leftBytes }
}

/** Without a limit some versions of Node say 0, others more than there is. */
function systemMemory (): SystemMemory {
  const constrained = process.constrainedMemory()
  const limitBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  return { limitBytes, usedBytes: process.memoryUsage.rss() }
}
