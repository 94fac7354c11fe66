/**
 * Fault injection in the program's main thread: knows every worker that the program starts, kills
 * them as the tool orders, and reads the user table. The program does not notice.
 */
import { syncBuiltinESMExports } from 'node:module'
import threads, { BroadcastChannel, type Worker, type WorkerOptions } from 'node:worker_threads'
import type { BootData, News } from '@usher/shared/messages.ts'
import { CHANNEL, type ChaosNews, type ChaosOrder, type ThreadWord } from './orders.ts'
import { MONITOR, type Fault } from './schedule.ts'
import { TableLook } from './table-look.ts'

interface Thread {
  readonly worker: Worker
  readonly threadTag: number
}

/** So that memory runs out in moments. Neither files nor users are on this heap. */
const HEAP_MAX_MB = 48
const MONITOR_HEAP_MAX_MB = 160

export function injectFaults (): void {
  const living = new Map<number, Thread>()
  const channel = new BroadcastChannel(CHANNEL)
  let look: TableLook | undefined

  class WatchedWorker extends threads.Worker {
    constructor (file: string | URL, options: WorkerOptions = {}) {
      const boot = options.workerData as Partial<BootData>
      const maxOldGenerationSizeMb = boot.server === MONITOR ? MONITOR_HEAP_MAX_MB : HEAP_MAX_MB
      super(file, { ...options, resourceLimits: { maxOldGenerationSizeMb } })
      // The loader of the sites has no table that could be hurt.
      if (boot.threadTag !== undefined) note(this, boot as BootData)
    }
  }
  threads.Worker = WatchedWorker
  syncBuiltinESMExports()

  channel.onmessage = message => {
    const word = (message as { readonly data: ThreadWord }).data
    if (word.type !== 'stands-still') return
    for (const { worker, threadTag } of living.values()) {
      if (threadTag === word.threadTag) void worker.terminate()
    }
  }
  channel.unref()
  process.on('message', (order: ChaosOrder) => { void carryOut(order) })
  process.on('disconnect', () => { process.exit(1) }) // The tool has ended, so the program ends too.
  process.channel!.unref()

  /** Before the program's own listeners: what it does about a death comes after this. */
  function note (worker: Worker, { server, memory, threadTag }: BootData): void {
    look ??= new TableLook(memory)
    living.set(server, { worker, threadTag })
    worker.on('message', (news: News) => {
      if (news.type === 'ready') say({ type: 'thread-serves', victim: server })
    })
    worker.on('exit', () => {
      living.delete(server)
      say({ type: 'thread-ended', victim: server })
    })
  }

  async function carryOut (order: ChaosOrder): Promise<void> {
    if (order.type === 'inject') return inject(order.fault)
    const tags = [...living.values()].map(({ threadTag }) => threadTag)
    const found = order.type === 'look-at-locks' ? look!.locks(tags) : await look!.whole(tags)
    say({ type: 'looked', id: order.id, found })
  }

  function inject ({ victim, how, atWrite }: Fault): void {
    const thread = living.get(victim)
    if (thread === undefined) return
    const { worker, threadTag } = thread
    // The monitor is ended at a turn of its own: see MONITOR_HOW_INSIDE.
    const isAtAnyInstant = how === 'terminate' && atWrite === undefined && victim !== MONITOR
    if (isAtAnyInstant) void worker.terminate()
    else channel.postMessage({ type: 'die', threadTag, how, atWrite } satisfies ThreadWord)
  }
}

function say (news: ChaosNews): void {
  // The tool may have ended.
  process.send?.(news, undefined, undefined, () => {})
}
