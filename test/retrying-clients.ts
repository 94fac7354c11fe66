/**
 * Visitors of a program that is stopped and started again under them, by a browser's means: they
 * come in by the router, read pages and beat, each on connections that are kept. A request that
 * fails is sent once more, when its port answers again; nobody is asked a third time.
 */
import http from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { ask, Visitor, type Answer, type Cluster } from './cluster.ts'

export interface Outcome {
  readonly requests: number
  /** Of first attempts: how many failed, by why. */
  readonly failed: Readonly<Record<string, number>>
  /** Requests whose second attempt failed, too. */
  readonly lost: readonly string[]
}

/** Between two requests of one visitor, and between two looks whether a port answers. */
const THINK_MS = 10
const LOOK_MS = 20
const BEATS_PER_VISIT = 5
/** A request that has no answer by then has failed. */
const PATIENCE_MS = 30_000

export class RetryingClients {
  readonly #over = new AbortController()
  readonly #failed: Record<string, number> = {}
  readonly #lost: string[] = []
  readonly #running: Array<Promise<void>>
  #requests = 0

  constructor (cluster: Cluster, count: number) {
    this.#running = Array.from({ length: count }, () => this.#visit(cluster))
  }

  get requests (): number {
    return this.#requests
  }

  /** Every request that was begun has come to its end when it resolves. */
  async stop (): Promise<Outcome> {
    this.#over.abort()
    await Promise.all(this.#running)
    return { requests: this.#requests, failed: this.#failed, lost: this.#lost }
  }

  async #visit ({ routingPort }: Cluster): Promise<void> {
    const visitor = new Visitor()
    const agent = new http.Agent({ keepAlive: true })
    while (!this.#over.signal.aborted) {
      const redirect = await this.#send(visitor, agent, routingPort, '/', 302)
      if (redirect === undefined) continue
      const port = Number(new URL(redirect.headers.location!).port)
      await this.#send(visitor, agent, port, '/', 200)
      for (let beat = 0; beat < BEATS_PER_VISIT; beat++) {
        await this.#send(visitor, agent, port, '/heartbeat', 204)
      }
    }
    agent.destroy()
  }

  /** Undefined for a request that was lost. */
  async #send (
    visitor: Visitor, agent: http.Agent, port: number, path: string, status: number
  ): Promise<Answer | undefined> {
    this.#requests++
    await setTimeout(THINK_MS)
    try {
      return await attempt(visitor, agent, port, path, status)
    } catch (error) {
      const reason = reasonOf(error)
      this.#failed[reason] = (this.#failed[reason] ?? 0) + 1
    }
    await answers(port)
    try {
      return await attempt(visitor, new http.Agent(), port, path, status)
    } catch (error) {
      this.#lost.push(`${path} of ${port}: ${reasonOf(error)}`)
    }
  }
}

async function attempt (
  visitor: Visitor, agent: http.Agent, port: number, path: string, status: number
): Promise<Answer> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const method = path === '/heartbeat' ? 'POST' : 'GET'
  const answer = await visitor.ask(port, path, { method, agent, signal })
  if (answer.status !== status) throw new Error(`status ${answer.status}`)
  return answer
}

function reasonOf (error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}

/** Resolves when the port gives any answer at all; the test's own time-out is the bound. */
async function answers (port: number): Promise<void> {
  for (;;) {
    try {
      await ask(port, '/', { method: 'OPTIONS', signal: AbortSignal.timeout(PATIENCE_MS) })
      return
    } catch {
      await setTimeout(LOOK_MS)
    }
  }
}
