/** Visitors for a benchmark, without browsers: they come, beat once and go. */
import { Agent, request, type IncomingMessage } from 'node:http'
import type { Program } from '../kit/program.ts'

const CONNECTIONS = 32
/** So many come, and so many go, each second that `comeAndGo` lasts. */
const TURNOVER_PER_SECOND = 200
const TURN_MS = 100

/** Visitors who only beat: each is a request to a server with an id of its own. */
export class Crowd {
  readonly #urls: readonly string[]
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  readonly #ids: string[] = []

  constructor ({ serverUrls }: Program) {
    this.#urls = serverUrls
  }

  async bringIn (count: number): Promise<void> {
    let left = count
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
      while (left-- > 0) await this.#beat(crypto.randomUUID())
    }))
  }

  /** As many come as go. */
  async comeAndGo (ms: number): Promise<void> {
    const endMs = performance.now() + ms
    while (performance.now() < endMs) {
      const turnEndMs = performance.now() + TURN_MS
      const perTurn = TURNOVER_PER_SECOND * TURN_MS / 1000
      await this.bringIn(perTurn)
      await Promise.all(this.#ids.splice(0, perTurn).map(id => this.#goodbye(id)))
      const restMs = turnEndMs - performance.now()
      if (restMs > 0) await new Promise(resolve => setTimeout(resolve, restMs))
    }
  }

  close (): void {
    this.#agent.destroy()
  }

  async #beat (id: string): Promise<void> {
    const url = this.#urls[this.#ids.push(id) % this.#urls.length]!
    await this.#post(`${url}/heartbeat?client_id=${id}`)
  }

  /** It is not known where each one is, so all servers are told. */
  async #goodbye (id: string): Promise<void> {
    await Promise.all(this.#urls.map(url => this.#post(`${url}/leave?client_id=${id}`)))
  }

  async #post (url: string): Promise<void> {
    const asked = request(url, { method: 'POST', agent: this.#agent })
    asked.end()
    await exchange(asked)
  }
}

/** Resolves when the answer is here to its end. */
export function exchange (asked: ReturnType<typeof request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.on('error', reject)
    asked.on('response', response => {
      response.on('error', reject)
      response.on('end', () => { resolve(response) })
      response.resume()
    })
  })
}
