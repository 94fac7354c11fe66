/**
 * The orders that one worker has not answered yet: each ends with its answer, at its deadline or
 * with the worker, whichever comes first. Knows no thread; main thread.
 */
import { errorOf, OrderTimedOut, WorkerGone } from '@usher/shared/errors.ts'
import type { News, Order, OrderMessage } from '@usher/shared/messages.ts'

export type Answer = Extract<News, { readonly type: 'done' | 'failed' }>

interface PendingOrder {
  readonly type: Order['type']
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export class PendingOrders {
  readonly #workerName: string
  readonly #pending = new Map<number, PendingOrder>()
  #nextId = 1

  constructor (workerName: string) {
    this.#workerName = workerName
  }

  /** Posts the order; resolves when it was carried out, rejects with why it was not. */
  send (order: Order, timeoutMs: number, post: (message: OrderMessage) => void): Promise<void> {
    const id = this.#nextId++
    const { type } = order
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(new OrderTimedOut(this.#workerName, type))
      }, timeoutMs)
      this.#pending.set(id, { type, resolve, reject, timer })
      post({ id, order })
    })
  }

  settle (answer: Answer): void {
    const order = this.#pending.get(answer.id)
    if (order === undefined) return // Answered after its deadline.
    this.#pending.delete(answer.id)
    clearTimeout(order.timer)
    if (answer.type === 'done') order.resolve()
    else order.reject(errorOf(answer.error))
  }

  /** The worker has ended: nobody is left to answer. */
  abandon (): void {
    for (const { type, reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(new WorkerGone(this.#workerName, type))
    }
    this.#pending.clear()
  }
}
