/** A worker as the main thread sees it: what it is started from, and what can be asked of it. */
import type { Ask, AskAnswer, BootData, Order, ThreadData } from '@usher/shared/messages.ts'
import type { Logger } from 'pino'
import type { TakeThread } from './early-server.ts'

export interface WorkerSpec {
  readonly name: string
  readonly file: URL
  /** A thread that has been started for such a worker already. */
  readonly takeThread?: TakeThread
  /** Asked at every start: what has changed since the last one goes to the replacement too. */
  readonly boot: () => Omit<BootData, 'name' | 'threadTag' | 'isFirstStart'> & ThreadData
  readonly onUp: () => void
  /**
   * The thread has ended; nothing of it runs any more.
   * @param isReplaced another thread of this worker serves already
   */
  readonly onDown: (threadTag: number, isReplaced: boolean) => void
  /** What the worker asks for; it hears the answer, or the error. */
  readonly onAsk: (ask: Ask) => Promise<AskAnswer>
  readonly log: Logger
}

export interface SupervisedWorker {
  readonly name: string
  readonly restarts: number
  /** False until it serves for the first time. */
  readonly hasServed: boolean
  /** Resolves when the worker serves; rejects with its own error when the first start fails. */
  start (): Promise<void>
  /** Resolves when the worker has carried out the order, in each of its threads. */
  ask (order: Order, timeoutMs: number): Promise<void>
  /**
   * Puts a new thread in the place of the one that serves. Resolves when the new one serves and the
   * old one has ended, which may take so long; rejects with WorkerGone when none serves, and with
   * its cause when the new one cannot start.
   * @param isSideBySide the old one serves until the new one does: their port can be shared
   */
  replace (isSideBySide: boolean, timeoutMs: number): Promise<void>
  /**
   * Asks the worker to finish and waits for its end; terminates it when that takes too long, and at
   * once while it has never served: nothing has begun.
   */
  close (timeoutMs: number): Promise<void>
}
