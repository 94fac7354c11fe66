/**
 * Requests as a sensible client makes them: once, and after a failure once more, through the retry
 * gate. Counts them, and those that failed twice.
 */
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { RetryGate } from './retry-gate.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Asking {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** Far beyond what a living program takes on a busy machine. */
const ANSWER_MS_MAX = 60_000
/** So long a client does what `Retry-After` says before it gives up. */
const RETRY_AFTER_MS_MAX = 30_000
/** Of an answer, in a sentence. */
const SAID_MAX = 200

export class Web {
  /** Attempts, first and second ones. */
  requests = 0
  /** One sentence for each request that failed twice. */
  readonly failures: string[] = []
  readonly #retryGate: RetryGate
  readonly #note: (what: string) => void
  readonly #agent = new Agent({ keepAlive: true })

  /** @param note told of every failure */
  constructor (retryGate: RetryGate, note: (what: string) => void) {
    this.#retryGate = retryGate
    this.#note = note
  }

  /** One attempt; rejects when the connection came to nothing. */
  ask (
    port: number, path: string, { method = 'GET', headers = {}, body }: Asking = {}
  ): Promise<Answer> {
    this.requests++
    return new Promise((resolve, reject) => {
      const asked = request({
        host: '127.0.0.1', port, path, method, headers, agent: this.#agent, timeout: ANSWER_MS_MAX
      })
      asked.on('timeout', () => { asked.destroy(new Error('no answer in time')) })
      asked.on('error', reject)
      asked.on('response', response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('error', reject)
        response.on('data', (chunk: string) => { text += chunk })
        response.on('end', () => {
          resolve({ status: response.statusCode!, headers: response.headers, body: text })
        })
      })
      asked.end(body)
    })
  }

  /**
   * The first answer, or the second; undefined, and counted, when there was none.
   * @param isEnough whether the second is one; below 500 if left out, as the first has to be
   */
  async twice (
    what: string, first: () => Promise<Answer>, second: () => Promise<Answer>,
    isEnough = isServed
  ): Promise<Answer | undefined> {
    const answer = await first().catch((error: Error) => error)
    if (!(answer instanceof Error) && isServed(answer)) return answer
    const again = await this.#retryGate.retry(() => second().catch((error: Error) => error))
    if (!(again instanceof Error) && isEnough(again)) return again
    const failure = `${what}: ${outcomeOf(answer)}, then ${outcomeOf(again)}`
    this.failures.push(failure)
    this.#note(`FAILED: ${failure}`)
    return undefined
  }

  /** While nobody dies. */
  async betweenFaults<T> (act: () => Promise<T>): Promise<T> {
    return await this.#retryGate.retry(act)
  }

  /** An attempt that waits as long as `Retry-After` says, and asks again. */
  async patiently (attempt: () => Promise<Answer>): Promise<Answer> {
    let leftMs = RETRY_AFTER_MS_MAX
    for (;;) {
      const answer = await attempt()
      const waitMs = Number(answer.headers['retry-after']) * 1000
      if (answer.status !== 503 || !(waitMs > 0) || waitMs > leftMs) return answer
      leftMs -= waitMs
      await setTimeout(waitMs)
    }
  }

  close (): void {
    this.#agent.destroy()
  }
}

function isServed ({ status }: Answer): boolean {
  return status < 500
}

function outcomeOf (outcome: Answer | Error): string {
  return outcome instanceof Error ? outcome.message : `${outcome.status} ${outcome.body.slice(0, SAID_MAX)}`
}
