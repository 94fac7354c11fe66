/**
 * One place where the lines of the log go: a file or the console, by its descriptor. Lines are
 * written whole or lost, at once; nothing is kept for later. Says when it begins to lose lines and
 * when that is over, once for all threads.
 */
import { writeSync } from 'node:fs'
import type { LogLosses } from './memory/log-losses.ts'

export interface LogOutletParts {
  readonly fd: number
  readonly losses: LogLosses
  /** The first line was lost, because of this. */
  readonly onLoss: (error: Error) => void
  /** A line was written again, after so many were lost. */
  readonly onOver: (lostLines: number) => void
}

/** As pino takes it. A stream's buffer would grow for as long as a disk is full. */
export class LogOutlet {
  readonly #parts: LogOutletParts

  constructor (parts: LogOutletParts) {
    this.#parts = parts
  }

  write (line: string): void {
    const { losses, onLoss, onOver } = this.#parts
    try {
      this.#writeWhole(line)
    } catch (error) {
      if (losses.lose()) onLoss(error as Error)
      return
    }
    const lostLines = losses.written()
    if (lostLines > 0) onOver(lostLines)
  }

  /** A full disk takes a part of a line: what comes next begins a line of its own. */
  #writeWhole (line: string): void {
    const { fd, losses } = this.#parts
    const isTorn = losses.isTorn
    let rest = Buffer.from(isTorn ? `\n${line}` : line)
    while (rest.length > 0) {
      const bytes = writeSync(fd, rest)
      rest = rest.subarray(bytes)
      if (rest.length > 0) losses.isTorn = true
    }
    if (losses.isTorn) losses.isTorn = false
  }
}
