/**
 * Starts worker threads and keeps them: one that dies is replaced, and what it held in the user
 * table is recovered first. The only file that starts threads. Knows a worker by its entry file and
 * the messages, nothing else. Main thread.
 *
 *     start -> booting -> serving -> dead -> pause -> booting -> ...     close ends it anywhere
 */
import { Worker } from 'node:worker_threads'
import {
  errorOf, LayoutMismatch, OrderTimedOut, reportOf, WorkerEnded, WorkerGone
} from '@usher/shared/errors.ts'
import { LAYOUT_VERSION } from '@usher/shared/memory/layout.ts'
import { MAIN_THREAD_TAG } from '@usher/shared/memory/table-view.ts'
import type {
  Ask, AskAnswer, BootData, News, Order, ToWorker
} from '@usher/shared/messages.ts'
import { PendingAnswers } from '@usher/shared/pending-answers.ts'
import type { Logger } from 'pino'
import { nextRestart } from './restart-pause.ts'

export interface WorkerSpec {
  readonly name: string
  readonly file: URL
  /** Asked at every start: what has changed since the last one goes to the replacement too. */
  readonly boot: () => Omit<BootData, 'name' | 'threadTag' | 'isFirstStart'>
  readonly onUp: () => void
  /** The thread has ended; nothing of it runs any more. */
  readonly onDown: (threadTag: number) => void
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
  /** Resolves when the worker has carried out the order. */
  ask (order: Order, timeoutMs: number): Promise<void>
  /**
   * Asks the worker to finish and waits for its end; terminates it when that takes too long, and at
   * once while it has never served: nothing has begun.
   */
  close (timeoutMs: number): Promise<void>
}

export function superviseWorker (spec: WorkerSpec): SupervisedWorker {
  return new Supervisor(spec)
}

/**
 * A worker that leaks ends alone, long before the machine's memory does. Files and users are not on
 * this heap.
 */
const HEAP_MAX_MB = 512

export interface TaskSpec<News> {
  readonly name: string
  readonly file: URL
  readonly data: unknown
  readonly onNews: (news: News) => void
  /** The thread has ended; when it said all that it had to, nothing of the cause is of interest. */
  readonly onEnd: (cause: Error) => void
}

/** Starts a thread that does one thing and ends; the function that it returns ends it before. */
export function startTask<News> ({ name, file, data, onNews, onEnd }: TaskSpec<News>): () => void {
  const worker = new Worker(file, {
    name, workerData: data, resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MB }
  })
  let cause: Error | undefined
  worker.on('message', onNews)
  worker.on('error', error => { cause = error })
  worker.on('exit', code => { onEnd(cause ?? new WorkerEnded(name, String(code))) })
  return () => { void worker.terminate() }
}

/** Tags are given once in the life of the program: a lock word must never name two threads. */
let nextThreadTag = MAIN_THREAD_TAG + 1

/** One life of the worker. */
interface Thread {
  readonly worker: Worker
  readonly threadTag: number
  readonly startedMs: number
  /** Why it ends, once that is known. */
  cause: Error | undefined
}

class Supervisor implements SupervisedWorker {
  readonly #spec: WorkerSpec
  readonly #orders: PendingAnswers
  #thread: Thread | undefined
  #starts = 0
  #deathsInARow = 0
  /** A worker that dies before that is a failed start, and is not replaced. */
  #hasServed = false
  #isClosing = false
  #pause: NodeJS.Timeout | undefined

  constructor (spec: WorkerSpec) {
    this.#spec = spec
    this.#orders = new PendingAnswers(spec.name)
  }

  get name (): string {
    return this.#spec.name
  }

  get restarts (): number {
    return Math.max(0, this.#starts - 1)
  }

  get hasServed (): boolean {
    return this.#hasServed
  }

  async start (): Promise<void> {
    await this.#spawn()
  }

  async ask (order: Order, timeoutMs: number): Promise<void> {
    const worker = this.#thread?.worker
    if (worker === undefined) throw new WorkerGone(this.name, order.type)
    await this.#orders.send(order.type, timeoutMs, id => {
      worker.postMessage({ type: 'order', id, order } satisfies ToWorker)
    })
  }

  async close (timeoutMs: number): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#pause)
    const worker = this.#thread?.worker
    if (worker === undefined) return
    const ended = new Promise<void>(resolve => { worker.once('exit', () => { resolve() }) })
    if (!this.#hasServed) {
      await worker.terminate()
      return await ended
    }
    const cutOff = (why: { readonly err?: unknown }): void => {
      this.#spec.log.warn({ worker: this.name, ...why }, 'a worker did not stop in time and was terminated')
      void worker.terminate()
    }
    const deadline = setTimeout(cutOff, timeoutMs, {})
    await this.ask({ type: 'close' }, timeoutMs).catch((error: unknown) => {
      const isItsOwn = !(error instanceof WorkerGone) && !(error instanceof OrderTimedOut)
      if (isItsOwn) cutOff({ err: error })
    })
    await ended
    clearTimeout(deadline)
  }

  /** Starts a thread; resolves when it serves, rejects with the cause when it ends before. */
  #spawn (): Promise<void> {
    const { name, file } = this.#spec
    const threadTag = nextThreadTag++
    const isFirstStart = this.#starts++ === 0
    const boot: BootData = { ...this.#spec.boot(), name, threadTag, isFirstStart }
    const worker = new Worker(file, {
      name, workerData: boot, resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MB }
    })
    const thread: Thread = { worker, threadTag, startedMs: performance.now(), cause: undefined }
    this.#thread = thread
    return new Promise((resolve, reject) => {
      worker.on('message', (news: News) => { this.#hear(news, thread, resolve) })
      worker.on('error', error => { thread.cause = error })
      worker.on('exit', code => {
        const cause = thread.cause ?? new WorkerEnded(name, String(code))
        this.#bury(thread, cause)
        reject(cause)
      })
    })
  }

  #hear (news: News, thread: Thread, onReady: () => void): void {
    switch (news.type) {
      case 'ready':
        if (news.layoutVersion !== LAYOUT_VERSION) {
          return fail(thread, new LayoutMismatch(this.name))
        }
        this.#hasServed = true
        this.#spec.onUp()
        return onReady()
      case 'boot-failed':
        return fail(thread, errorOf(news.error))
      case 'done':
        return this.#orders.settle(news.id, undefined)
      case 'failed':
        return this.#orders.fail(news.id, news.error)
      case 'asked':
        void this.#answer(news.id, news.ask, thread)
    }
  }

  /** A worker that has died meanwhile gets no answer, and its replacement did not ask. */
  async #answer (id: number, ask: Ask, { worker }: Thread): Promise<void> {
    const say = (message: ToWorker): void => worker.postMessage(message)
    try {
      say({ type: 'answered', id, answer: await this.#spec.onAsk(ask) })
    } catch (error) {
      say({ type: 'failed', id, error: reportOf(error) })
    }
  }

  #bury (thread: Thread, cause: Error): void {
    this.#thread = undefined
    this.#spec.onDown(thread.threadTag)
    this.#orders.abandon()
    // The program does not start without all of its workers: start() rejects.
    if (!this.#hasServed || this.#isClosing) return
    this.#replace(cause, performance.now() - thread.startedMs)
  }

  #replace (cause: unknown, livedMs: number): void {
    const { log } = this.#spec
    const { deathsInARow, pauseMs } = nextRestart(this.#deathsInARow, livedMs)
    this.#deathsInARow = deathsInARow
    log.error({ worker: this.name, err: cause, pauseMs }, 'a worker died and is replaced')
    this.#pause = setTimeout(() => { this.#respawn() }, pauseMs)
  }

  #respawn (): void {
    try {
      this.#spawn().then(
        () => { this.#spec.log.info({ worker: this.name }, 'a worker is up again') },
        () => {} // Its exit has been logged and another replacement is on its way.
      )
    } catch (error) {
      // The system cannot create a thread at the moment.
      this.#replace(error, 0)
    }
  }
}

function fail (thread: Thread, cause: Error): void {
  thread.cause = cause
  void thread.worker.terminate()
}
