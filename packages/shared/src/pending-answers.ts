/**
 * The requests from this thread to another one that are not answered yet: each ends with its
 * answer, at its deadline or when the other thread ends, whichever comes first. Knows no thread;
 * used by the coordinator for its orders and by a worker for what it asks of the coordinator.
 */
import { errorOf, OrderTimedOut, WorkerGone, type ErrorReport } from './errors.ts'
import { limitPeer } from './peer-limit.ts'

interface Question {
  readonly type: string
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  readonly endLimit: () => void
}

export class PendingAnswers {
  readonly #asked: string
  readonly #pending = new Map<number, Question>()
  #nextId = 1

  /** @param asked the name of the other thread, for errors */
  constructor (asked: string) {
    this.#asked = asked
  }

  /** Posts the question; resolves with its answer, rejects with why there is none. */
  send (type: string, timeoutMs: number, post: (id: number) => void): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const endLimit = limitPeer(timeoutMs, () => {
        this.#pending.delete(id)
        reject(new OrderTimedOut(this.#asked, type))
      })
      this.#pending.set(id, { type, resolve, reject, endLimit })
      post(id)
    })
  }

  settle (id: number, answer: unknown): void {
    this.#take(id)?.resolve(answer)
  }

  fail (id: number, error: ErrorReport): void {
    this.#take(id)?.reject(errorOf(error))
  }

  /** The other thread has ended: no answer will come. */
  abandon (): void {
    for (const { type, reject, endLimit } of this.#pending.values()) {
      endLimit()
      reject(new WorkerGone(this.#asked, type))
    }
    this.#pending.clear()
  }

  /** Undefined for one that was answered after its deadline. */
  #take (id: number): Question | undefined {
    const question = this.#pending.get(id)
    this.#pending.delete(id)
    question?.endLimit()
    return question
  }
}
