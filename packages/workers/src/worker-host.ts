/**
 * A worker's side of its talk with the coordinator: boots what the thread is for, says `ready`,
 * carries out orders one by one and answers each; asks what only the coordinator can do. Keeps the
 * thread's deny list, keys of tickets, live settings and log file, which wait for no turn. The only
 * file that touches parentPort.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { DenyList, type DenyEntry } from '@usher/shared/deny-list.ts'
import { reportOf } from '@usher/shared/errors.ts'
import { openLog, type ProgramLog } from '@usher/shared/log.ts'
import { LAYOUT_VERSION } from '@usher/shared/memory/layout.ts'
import { ThreadMeter } from '@usher/shared/memory/meters.ts'
import { WORKER_PATIENCE } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import type {
  Ask, AskAnswers, BootData, News, Order, ToWorker
} from '@usher/shared/messages.ts'
import { newcomerSettings } from '@usher/shared/newcomer-settings.ts'
import { PendingAnswers } from '@usher/shared/pending-answers.ts'
import { applyToThread, type ChangedValues } from '@usher/shared/settings/setting-changes.ts'
import { sampleThread } from '@usher/shared/thread-sampler.ts'
import { TicketRedeemer } from '@usher/shared/tickets/redeem.ts'
import { replaceServers } from '@usher/shared/settings/server-list.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'
import { watchHeap } from './heap-watch.ts'

/** What every worker gets to work with. */
export interface WorkerContext {
  readonly boot: BootData
  readonly table: UserTable
  readonly denyList: DenyList
  /**
   * Resolves when `denyList` is in force; a worker that refuses clients by it opens no port before.
   */
  readonly denyListKnown: Promise<void>
  /** Verifies tickets by the keys in force, and has them used once in all threads. */
  readonly tickets: TicketRedeemer
  /** For the worker's door. */
  readonly meter: ThreadMeter
  readonly log: Logger
  /**
   * Asks the coordinator, also while the worker boots. Resolves when it is done in all threads;
   * rejects with the coordinator's error, or when ASK_TIMEOUT_MS or the given time are over.
   */
  ask<A extends Ask> (ask: A, timeoutMs?: number): Promise<AskAnswers[A['type']]>
}

/** What a worker makes of it. */
export interface WorkerPart {
  readonly port: number
  connectionCount (): number
  /** Orders of this worker's own; the host itself sees to the deny list and the closing. */
  carryOut (order: Order): Promise<void> | void
  close (): Promise<void>
}

const ASK_TIMEOUT_MS = 5000

/** Orders that wait for clients. */
const ENDING: ReadonlySet<Order['type']> = new Set<Order['type']>(['close-clients', 'close'])

/** Runs a worker thread; never rejects: a failed boot is news, and the thread ends. */
export async function runWorker (
  start: (context: WorkerContext) => Promise<WorkerPart>
): Promise<void> {
  const port = parentPort!
  const say = (news: News): void => port.postMessage(news)
  const asked = new PendingAnswers('the coordinator')
  const deny = holdDenyList()
  const ask = (async (ask: Ask, timeoutMs = ASK_TIMEOUT_MS): Promise<unknown> => {
    // Whoever denies refuses first.
    if ('entries' in ask && ask.entries !== undefined) deny.replace(ask.entries)
    return await asked.send(ask.type, timeoutMs, id => { say({ type: 'asked', id, ask }) })
  }) as WorkerContext['ask']
  const tickets = new TicketRedeemer({
    useOnce: async (ticketId, issuedMs) =>
      (await ask({ type: 'use-ticket', ticketId, issuedMs })).isFirstUse
  })
  // Orders wait for the end of the boot; the boot may wait for answers.
  const early: OrderMessage[] = []
  let take = (message: OrderMessage): void => { early.push(message) }
  let apply = (_changes: ChangedValues<'every-thread'>): void => {}
  let reopenLog = (): void => {}
  let putServers = (_servers: readonly Slot[]): void => {}
  const takeOrder = (message: OrderMessage): void => {
    const { id, order } = message
    if (order.type === 'replace-deny-list') {
      void answer(id, () => { deny.replace(order.entries) }, say)
    } else if (order.type === 'apply-settings') {
      void answer(id, () => { apply(order.changes) }, say)
    } else if (order.type === 'set-ticket-keys') {
      void answer(id, () => { tickets.setKeys(order.keys) }, say)
    } else if (order.type === 'reopen-log') {
      void answer(id, () => { reopenLog() }, say)
    } else {
      // In force at once; then whatever the worker has to do with it.
      if (order.type === 'replace-servers') putServers(order.servers)
      take(message)
    }
  }
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'order': return takeOrder(message)
      case 'answered': return asked.settle(message.id, message.answer)
      case 'failed': return asked.fail(message.id, message.error)
    }
  })
  const end = (): void => {
    asked.abandon()
    port.close()
  }
  try {
    const boot = workerData as BootData
    if (boot.denyEntries !== undefined) deny.replace(boot.denyEntries)
    if (boot.ticketKeys.length > 0) tickets.setKeys(boot.ticketKeys)
    const context = makeContext(boot, deny, tickets, ask)
    reopenLog = () => { context.log.reopenFile() }
    putServers = servers => { replaceServers(boot.settings.servers, servers) }
    apply = changes => { applyToThread(boot.settings.live, changes, context.log) }
    const part = await start(context)
    watchHeap()
    sampleThread(context.meter, () => part.connectionCount())
    const answerOrder = orderAnswerer(part, say, end)
    say({ type: 'ready', port: part.port, layoutVersion: LAYOUT_VERSION })
    take = answerOrder
    for (const message of early.splice(0)) answerOrder(message)
  } catch (error) {
    say({ type: 'boot-failed', error: reportOf(error) })
    end()
  }
}

type OrderMessage = Extract<ToWorker, { readonly type: 'order' }>

interface HeldDenyList {
  readonly list: DenyList
  /** Resolves at the first `replace`. */
  readonly known: Promise<void>
  replace (entries: readonly DenyEntry[]): void
}

function holdDenyList (): HeldDenyList {
  const list = new DenyList(monotonicNowMs)
  let setKnown = (): void => {}
  const known = new Promise<void>(resolve => { setKnown = resolve })
  return {
    list,
    known,
    replace (entries) {
      list.replace(entries)
      setKnown()
    }
  }
}

function makeContext (
  boot: BootData, deny: HeldDenyList, tickets: TicketRedeemer, ask: WorkerContext['ask']
): WorkerContext & { readonly log: ProgramLog } {
  const { settings, name, isTerminal } = boot
  const meter = new ThreadMeter(boot.meters, boot.server)
  return {
    boot,
    denyList: deny.list,
    denyListKnown: deny.known,
    tickets,
    meter,
    table: new UserTable(boot.memory, {
      threadTag: boot.threadTag,
      patience: WORKER_PATIENCE,
      now: monotonicNowMs,
      onLockWaited: ms => { meter.lockWaited(ms) },
      // The monitor's are reported by programs, which answer for them.
      ...(boot.server >= 0 && { newcomers: newcomerSettings(settings, boot.server) })
    }),
    log: openLog({
      thread: name,
      level: settings.live.logLevel,
      file: settings.logFile,
      isTerminal,
      losses: boot.logLosses
    }),
    ask
  }
}

/** Carries out orders in the order in which they come. @param end lets the thread end */
function orderAnswerer (
  part: WorkerPart, say: (news: News) => void, end: () => void
): (message: OrderMessage) => void {
  let earlier = Promise.resolve()
  const carryOut = async ({ id, order }: OrderMessage): Promise<void> => {
    const isClose = order.type === 'close'
    const isDone = await answer(id, () => isClose ? part.close() : part.carryOut(order), say)
    if (isClose && isDone) end() // Nothing is left to keep the thread alive.
  }
  return message => {
    earlier = earlier.then(() => {
      const answered = carryOut(message)
      // A client that reads slowly must not delay the orders after the end of its connection; and
      // whoever is denied while a server closes goes at once.
      return ENDING.has(message.order.type) ? undefined : answered
    })
  }
}

/** Tells the coordinator how the work of an order ended; returns whether it was done. */
async function answer (
  id: number, work: () => Promise<void> | void, say: (news: News) => void
): Promise<boolean> {
  try {
    await work()
  } catch (error) {
    say({ type: 'failed', id, error: reportOf(error) })
    return false
  }
  say({ type: 'done', id })
  return true
}
