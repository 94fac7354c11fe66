/**
 * A worker's side of its talk with the coordinator: boots what the thread is for, says `ready`,
 * carries out orders one by one and answers each. The only file that touches parentPort.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { DenyList } from '@usher/shared/deny-list.ts'
import { reportOf } from '@usher/shared/errors.ts'
import { openLog } from '@usher/shared/log.ts'
import { LAYOUT_VERSION } from '@usher/shared/memory/layout.ts'
import { WORKER_PATIENCE } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import type { BootData, News, Order, OrderMessage } from '@usher/shared/messages.ts'
import type { Logger } from 'pino'

/** What every worker gets to work with. */
export interface WorkerContext {
  readonly boot: BootData
  readonly table: UserTable
  readonly denyList: DenyList
  readonly log: Logger
}

/** What a worker makes of it. */
export interface WorkerPart {
  readonly port: number
  /** Orders of this worker's own; the host itself sees to the deny list and the closing. */
  carryOut (order: Order): Promise<void> | void
  close (): Promise<void>
}

/** Runs a worker thread; never rejects: a failed boot is news, and the thread ends. */
export async function runWorker (
  start: (context: WorkerContext) => Promise<WorkerPart>
): Promise<void> {
  const port = parentPort!
  const say = (news: News): void => port.postMessage(news)
  try {
    const context = makeContext(workerData as BootData)
    const part = await start(context)
    let earlier = Promise.resolve()
    port.on('message', ({ id, order }: OrderMessage) => {
      earlier = earlier.then(async () => {
        try {
          await carryOut(order, part, context)
          say({ type: 'done', id })
          if (order.type === 'close') port.close() // Nothing is left to keep the thread alive.
        } catch (error) {
          say({ type: 'failed', id, error: reportOf(error) })
        }
      })
    })
    say({ type: 'ready', port: part.port, layoutVersion: LAYOUT_VERSION })
  } catch (error) {
    say({ type: 'boot-failed', error: reportOf(error) })
    port.close()
  }
}

function makeContext (boot: BootData): WorkerContext {
  const { settings, name, isTerminal } = boot
  const denyList = new DenyList(Date.now)
  denyList.replace(boot.denyEntries)
  return {
    boot,
    denyList,
    table: new UserTable(boot.memory, {
      threadTag: boot.threadTag, patience: WORKER_PATIENCE, now: monotonicNowMs
    }),
    log: openLog({
      thread: name, level: settings.logLevel, file: settings.logFile, isTerminal
    })
  }
}

async function carryOut (order: Order, part: WorkerPart, context: WorkerContext): Promise<void> {
  if (order.type === 'replace-deny-list') return context.denyList.replace(order.entries)
  if (order.type === 'close') return await part.close()
  await part.carryOut(order)
}
