/**
 * One place where the lines of the log go: a file or the console, by its descriptor. Lines are
 * written whole or lost, in a moment; nothing is kept for later. Says when it begins to lose lines
 * and when that is over, once for all threads.
 */
import { closeSync, writeSync } from 'node:fs'
import { pauseThread, type LogLosses } from './memory/log-losses.ts'

export interface LogOutletParts {
  readonly fd: number
  readonly losses: LogLosses
  /** The first line was lost, because of this. */
  readonly onLoss: (error: Error) => void
  /** A line was written again, after so many were lost. */
  readonly onOver: (lostLines: number) => void
  /** BUSY_MS_MAX if left out. */
  readonly busyMsMax?: number
}

/**
 * How long the thread waits for a pipe that is full: its reader is a moment behind when many lines
 * come at once. A reader that takes nothing costs this wait once; from then on lines are lost
 * without a wait.
 */
const BUSY_MS_MAX = 20
const BUSY_PAUSE_MS = 1

/** As pino takes it. A stream's buffer would grow for as long as a disk is full. */
export class LogOutlet {
  readonly #parts: LogOutletParts
  #fd: number

  constructor (parts: LogOutletParts) {
    this.#parts = parts
    this.#fd = parts.fd
  }

  get fd (): number {
    return this.#fd
  }

  /** The next line goes there; the descriptor of before is closed. */
  switchTo (fd: number): void {
    const before = this.#fd
    this.#fd = fd
    closeSync(before)
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
    const { losses } = this.#parts
    let rest = Buffer.from(losses.isTorn ? `\n${line}` : line)
    while (rest.length > 0) {
      rest = rest.subarray(this.#writeSome(rest))
      if (rest.length > 0) losses.isTorn = true
    }
    if (losses.isTorn) losses.isTorn = false
  }

  #writeSome (bytes: Buffer): number {
    const { losses, busyMsMax = BUSY_MS_MAX } = this.#parts
    for (let waitedMs = 0; ; waitedMs += BUSY_PAUSE_MS) {
      try {
        return writeSync(this.#fd, bytes)
      } catch (error) {
        const isBusy = (error as NodeJS.ErrnoException).code === 'EAGAIN'
        if (!isBusy || losses.isLosing || waitedMs >= busyMsMax) throw error
        pauseThread(BUSY_PAUSE_MS)
      }
    }
  }
}
