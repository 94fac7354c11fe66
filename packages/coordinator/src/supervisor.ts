/**
 * Starts worker threads and keeps them: one that dies is replaced, and what it held in the user
 * table is recovered first. Starts all threads but one (early-server.ts). Knows a worker by its
 * entry file and the messages, nothing else. Main thread.
 *
 *     start -> booting -> serving -> dead -> pause -> booting -> ...     close ends it anywhere
 *                            |
 *                         replace -> retiring (finishes what has begun) beside its successor
 */
import { Worker } from 'node:worker_threads'
import {
  errorOf, LayoutMismatch, OrderTimedOut, reportOf, WorkerEnded, WorkerGone
} from '@usher/shared/errors.ts'
import { LAYOUT_VERSION } from '@usher/shared/memory/layout.ts'
import { MAIN_THREAD_TAG } from '@usher/shared/memory/table-view.ts'
import type {
  Ask, BootData, News, Order, ToWorker
} from '@usher/shared/messages.ts'
import { PendingAnswers } from '@usher/shared/pending-answers.ts'
import { nextRestart } from './restart-pause.ts'
import type { SupervisedWorker, WorkerSpec } from './supervised-worker.ts'
import { RESOURCE_LIMITS } from './thread-options.ts'

export function superviseWorker (spec: WorkerSpec): SupervisedWorker {
  return new Supervisor(spec)
}

export interface TaskSpec<News> {
  readonly name: string
  readonly file: URL
  readonly data: unknown
  readonly onNews: (news: News) => void
  /** The thread has ended; when it said all that it had to, nothing of the cause is of interest. */
  readonly onEnd: (cause: Error) => void
}

export type TaskRun = Readonly<Record<'end', () => void> & Record<'tell', (data: unknown) => void>>

/** Starts a thread that does one thing and ends, or is ended before. */
export function startTask<News> ({ name, file, data, onNews, onEnd }: TaskSpec<News>): TaskRun {
  const worker = new Worker(file, {
    name, workerData: data, resourceLimits: RESOURCE_LIMITS
  })
  let cause: Error | undefined
  worker.on('message', onNews)
  worker.on('error', error => { cause = error })
  worker.on('exit', code => { onEnd(cause ?? new WorkerEnded(name, String(code))) })
  return { end: () => { void worker.terminate() }, tell: data => worker.postMessage(data) }
}

/** Tags are given once in the life of the program: a lock word must never name two threads. */
let nextThreadTag = MAIN_THREAD_TAG + 1

/** One life of the worker. */
interface Thread {
  readonly worker: Worker
  readonly threadTag: number
  readonly startedMs: number
  readonly orders: PendingAnswers
  readonly ended: Promise<void>
  isServing: boolean
  /** Has been told to close. */
  isRetiring: boolean
  /** Why it ends, once that is known. */
  cause: Error | undefined
}

class Supervisor implements SupervisedWorker {
  readonly #spec: WorkerSpec
  /** Those that have not ended, the latest last: one, or two while it is replaced. */
  #threads: readonly Thread[] = []
  #starts = 0
  #restarts = 0
  #deathsInARow = 0
  /** A worker that dies before that is a failed start, and is not replaced. */
  #hasServed = false
  #isClosing = false
  #pause: NodeJS.Timeout | undefined

  constructor (spec: WorkerSpec) {
    this.#spec = spec
  }

  get name (): string {
    return this.#spec.name
  }

  get restarts (): number {
    return this.#restarts
  }

  get hasServed (): boolean {
    return this.#hasServed
  }

  async start (): Promise<void> {
    await this.#spawn()
  }

  async ask (order: Order, timeoutMs: number): Promise<void> {
    if (this.#threads.length === 0) throw new WorkerGone(this.name, order.type)
    const threads = this.#threads.filter(thread => concerns(order, thread))
    await Promise.all(threads.map(async thread => {
      try {
        await tell(thread, order, timeoutMs)
      } catch (error) {
        // Its successor has carried it out.
        if (!thread.isRetiring || !(error instanceof WorkerGone)) throw error
      }
    }))
  }

  async replace (isSideBySide: boolean, timeoutMs: number): Promise<void> {
    const old = this.#threads.find(({ isServing, isRetiring }) => isServing && !isRetiring)
    if (old === undefined || this.#isClosing) throw new WorkerGone(this.name, 'restart')
    this.#spec.log.info({ worker: this.name }, 'a worker is restarted')
    if (isSideBySide) await this.#spawn()
    await this.#retire(old, timeoutMs)
    if (!isSideBySide && !this.#isClosing) await this.#spawnOrRetry()
  }

  async close (timeoutMs: number): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#pause)
    await Promise.all(this.#threads.map(thread => this.#end(thread, timeoutMs)))
  }

  async #end (thread: Thread, timeoutMs: number): Promise<void> {
    if (!this.#hasServed) {
      await thread.worker.terminate()
      return await thread.ended
    }
    await this.#retire(thread, timeoutMs)
  }

  /** Asks the thread to finish and waits for its end; terminates it when that takes too long. */
  async #retire (thread: Thread, timeoutMs: number): Promise<void> {
    if (!this.#threads.includes(thread)) return // It has died meanwhile.
    thread.isRetiring = true
    const cutOff = (why: { readonly err?: unknown }): void => {
      this.#spec.log.warn({ worker: this.name, ...why }, 'a worker did not stop in time and was terminated')
      void thread.worker.terminate()
    }
    const deadline = setTimeout(cutOff, timeoutMs, {})
    await tell(thread, { type: 'close' }, timeoutMs).catch((error: unknown) => {
      const isItsOwn = !(error instanceof WorkerGone) && !(error instanceof OrderTimedOut)
      if (isItsOwn) cutOff({ err: error })
    })
    await thread.ended
    clearTimeout(deadline)
  }

  /** Starts a thread; resolves when it serves, rejects with the cause when it ends before. */
  #spawn (): Promise<void> {
    const { name, file } = this.#spec
    const threadTag = nextThreadTag++
    const isFirstStart = this.#starts++ === 0
    const boot: BootData = { ...this.#spec.boot(), name, threadTag, isFirstStart }
    const early = this.#spec.takeThread?.()
    early?.boot(boot)
    const worker = early?.worker ??
      new Worker(file, { name, workerData: boot, resourceLimits: RESOURCE_LIMITS })
    const thread: Thread = {
      worker,
      threadTag,
      startedMs: performance.now(),
      orders: new PendingAnswers(name),
      ended: new Promise(resolve => { worker.once('exit', () => { resolve() }) }),
      isServing: false,
      isRetiring: false,
      cause: undefined
    }
    this.#threads = [...this.#threads, thread]
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
        this.#setUp(thread)
        return onReady()
      case 'listening':
        return this.#setUp(thread)
      case 'boot-failed':
        return fail(thread, errorOf(news.error))
      case 'done':
        return thread.orders.settle(news.id, undefined)
      case 'failed':
        return thread.orders.fail(news.id, news.error)
      case 'asked':
        void this.#answer(news.id, news.ask, thread)
    }
  }

  #setUp (thread: Thread): void {
    if (thread.isServing) return
    thread.isServing = true
    this.#spec.onUp()
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
    this.#threads = this.#threads.filter(other => other !== thread)
    const successors = this.#threads.filter(({ isRetiring }) => !isRetiring)
    this.#spec.onDown(thread.threadTag, successors.some(({ isServing }) => isServing))
    thread.orders.abandon()
    // The program does not start without all of its workers: start() rejects.
    if (!this.#hasServed || this.#isClosing || thread.isRetiring || successors.length > 0) return
    this.#replaceDead(cause, performance.now() - thread.startedMs)
  }

  #replaceDead (cause: unknown, livedMs: number): void {
    const { log } = this.#spec
    const { deathsInARow, pauseMs } = nextRestart(this.#deathsInARow, livedMs)
    this.#deathsInARow = deathsInARow
    log.error({ worker: this.name, err: cause, pauseMs }, 'a worker died and is replaced')
    this.#pause = setTimeout(() => { void this.#respawn() }, pauseMs)
  }

  async #respawn (): Promise<void> {
    this.#restarts++
    try {
      await this.#spawnOrRetry()
      this.#spec.log.info({ worker: this.name }, 'a worker is up again')
    } catch {
      // It has been logged, and another replacement is on its way.
    }
  }

  #spawnOrRetry (): Promise<void> {
    try {
      return this.#spawn()
    } catch (error) {
      // The system cannot create a thread at the moment.
      this.#replaceDead(error, 0)
      throw error
    }
  }
}

async function tell (
  { worker, orders }: Thread, order: Order, timeoutMs: number
): Promise<void> {
  await orders.send(order.type, timeoutMs, id => {
    worker.postMessage({ type: 'order', id, order } satisfies ToWorker)
  })
}

function concerns ({ type }: Order, { isServing, isRetiring }: Thread): boolean {
  switch (type) {
    case 'replace-deny-list':
    case 'apply-settings':
    case 'reopen-log':
      return true
    case 'close-clients':
      // One that boots has no connections, and would answer only when it has booted.
      return isServing
    case 'prepare-reload':
    case 'commit-reload':
    case 'abort-reload':
    case 'switch-certificate':
    case 'set-ticket-keys':
    case 'replace-servers':
    case 'set-readiness':
    case 'note-health':
    case 'note-fleet':
    case 'save-users':
    case 'close':
      return !isRetiring
  }
}

function fail (thread: Thread, cause: Error): void {
  thread.cause = cause
  void thread.worker.terminate()
}
