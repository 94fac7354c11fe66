/**
 * The thread of the first server, which starts with the program, before the settings are read: Node
 * takes as long for a thread as the main thread for its own start. What it is to do follows. Main
 * thread.
 */
import { Worker } from 'node:worker_threads'
import type { BootData, EarlyOrder, ThreadData } from '@usher/shared/messages.ts'
import { hasNodeOptions } from '@usher/shared/unused-signals.ts'
import { RESOURCE_LIMITS, SERVER_BUNDLE, THREAD_FILE } from './thread-options.ts'

export interface EarlyThread {
  readonly worker: Worker
  boot (data: BootData): void
}

/** The thread, for the first who asks; undefined when there is none (any more). */
export type TakeThread = () => EarlyThread | undefined

export interface EarlyServer {
  /** The thread opens its port as soon as it runs; it serves when it has its boot data. */
  listen (host: string, port: number): void
  take: TakeThread
  /** Nobody will ask for it: there is no such server. */
  close (): void
}

const NONE: EarlyServer = { listen () {}, take: () => undefined, close () {} }

export function startEarlyServer (programDir: string): EarlyServer {
  // What a debugger or a test preloads into each thread looks for its boot data.
  if (hasNodeOptions()) return NONE
  const data: ThreadData = { bundle: SERVER_BUNDLE, isEarly: true }
  const worker = new Worker(`${programDir}/${THREAD_FILE}`, {
    workerData: data, resourceLimits: RESOURCE_LIMITS
  })
  const give = (order: EarlyOrder): void => { worker.postMessage(order) }
  let thread: EarlyThread | undefined = {
    worker,
    boot: boot => { give({ type: 'boot', boot }) }
  }
  // The program may end without it: a setting is wrong, or it shows its help only.
  worker.unref()
  // Who starts another one in its place meets the same error.
  const forget = (): void => { thread = undefined }
  worker.on('error', forget)
  return {
    listen (host, port) { give({ type: 'listen', host, port }) },
    take () {
      const taken = thread
      thread = undefined
      if (taken === undefined) return undefined
      worker.off('error', forget)
      worker.ref()
      return taken
    },
    close () {
      thread = undefined
      void worker.terminate()
    }
  }
}
