/**
 * Visitors without browsers, at a constant rate: they come by the router, beat, and leave or fall
 * silent; and now and then a crowd comes at once. Every wait and every number is bounded.
 */
import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http'
import { exchange } from '../bench/crowd.ts'
import type { Program } from '../kit/program.ts'

/** As the program under this load is told, too. */
export const BEAT_MS = 500
const TURN_MS = 100
const ARRIVALS_PER_SECOND = 20
const CROWD_EVERY_MS = 10_000
const CROWD_COUNT = 60
const STAY_MS = [1000, 8000] as const
/** Those who fall silent are removed by the sweep. */
const SILENT_SHARE = 0.3
/** A connection for this request alone. */
const NEW_CONNECTION_SHARE = 0.2
const CONNECTIONS_MAX = 48
/** When the machine is too slow for the rate, it is less. */
const UNANSWERED_MAX = 300

interface Visitor {
  readonly url: string
  readonly cookie: string
  readonly leavesMs: number
  readonly isSilent: boolean
  beatsMs: number
  /** What they have asked may be refused by now. */
  isThrownOut: boolean
}

export class Visitors {
  readonly #program: Program
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX })
  readonly #present = new Set<Visitor>()
  readonly #underway = new Set<Promise<void>>()
  readonly #failures = new Map<string, number>()
  #requestCount = 0

  constructor (program: Program) {
    this.#program = program
  }

  get requestCount (): number {
    return this.#requestCount
  }

  /** What was not answered as it should be, and how often. */
  get failures (): ReadonlyMap<string, number> {
    return this.#failures
  }

  async comeAndGo (endMs: number): Promise<void> {
    let crowdMs = performance.now()
    for (let turn = 0; performance.now() < endMs; turn++) {
      const startMs = performance.now()
      const isCrowd = startMs >= crowdMs
      if (isCrowd) crowdMs = startMs + CROWD_EVERY_MS
      const count = isCrowd ? CROWD_COUNT : ARRIVALS_PER_SECOND * TURN_MS / 1000
      this.#start(count, () => this.#arrive())
      for (const visitor of this.#present) this.#goOn(visitor, startMs)
      await new Promise(resolve => setTimeout(resolve, TURN_MS - (performance.now() - startMs)))
    }
    await Promise.all(this.#underway)
  }

  /** Returns a user who is here and forgets it: the caller is about to disconnect it. */
  takeOne (): string | undefined {
    const [visitor] = this.#present
    if (visitor === undefined) return undefined
    this.#present.delete(visitor)
    visitor.isThrownOut = true
    return visitor.cookie.replace('client_id=', '')
  }

  /** Users who are still here fall silent, and no connection is left. */
  rest (): void {
    this.#present.clear()
    this.#agent.destroy()
  }

  #goOn (visitor: Visitor, nowMs: number): void {
    if (nowMs >= visitor.leavesMs) {
      this.#present.delete(visitor)
      if (!visitor.isSilent) this.#start(1, () => this.#leave(visitor))
    } else if (nowMs >= visitor.beatsMs) {
      visitor.beatsMs = nowMs + BEAT_MS
      this.#start(1, () => this.#beat(visitor))
    }
  }

  #start (count: number, work: () => Promise<void>): void {
    for (let at = 0; at < count && this.#underway.size < UNANSWERED_MAX; at++) {
      const done = work()
        .catch((error: Error) => { this.#fail(error.message) })
        .finally(() => { this.#underway.delete(done) })
      this.#underway.add(done)
    }
  }

  async #arrive (): Promise<void> {
    const redirect = await this.#ask(`${this.#program.routerUrl}/`)
    this.#expect(redirect, 302, 'the router')
    const [cookie] = redirect.headers['set-cookie']?.[0]?.split(';') ?? []
    const { location } = redirect.headers
    if (cookie === undefined || location === undefined) return
    this.#expect(await this.#ask(location, { headers: { cookie } }), 200, 'a page')
    const nowMs = performance.now()
    const [least, most] = STAY_MS
    this.#present.add({
      url: location.replace(/\/$/, ''),
      cookie,
      beatsMs: nowMs,
      leavesMs: nowMs + least + Math.random() * (most - least),
      isSilent: Math.random() < SILENT_SHARE,
      isThrownOut: false
    })
  }

  async #beat (visitor: Visitor): Promise<void> {
    const { url, cookie } = visitor
    const beat = (method: string): Promise<IncomingMessage> =>
      this.#ask(`${url}/heartbeat`, { method, headers: { cookie } })
    // As the page script does it.
    let answer = await beat('GET')
    if (answer.statusCode === 404) answer = await beat('POST')
    this.#expect(answer, visitor.isThrownOut && answer.statusCode === 403 ? 403 : 204, 'a beat')
  }

  async #leave ({ url, cookie }: Visitor): Promise<void> {
    const answer = await this.#ask(`${url}/leave`, { method: 'POST', headers: { cookie } })
    this.#expect(answer, 200, 'a leave')
  }

  async #ask (url: string, options: RequestOptions = {}): Promise<IncomingMessage> {
    this.#requestCount++
    const agent = Math.random() < NEW_CONNECTION_SHARE ? false : this.#agent
    const asked = request(url, { ...options, agent }).end()
    return await exchange(asked).catch(async (error: NodeJS.ErrnoException) => {
      // Visitors share connections here, and that of a visitor who is disconnected is closed.
      if (!asked.reusedSocket || error.code !== 'ECONNRESET') throw error
      return await exchange(request(url, { ...options, agent: false }).end())
    })
  }

  #expect ({ statusCode }: IncomingMessage, status: number, what: string): void {
    if (statusCode !== status) this.#fail(`${what} was answered ${statusCode}, not ${status}`)
  }

  #fail (what: string): void {
    this.#failures.set(what, (this.#failures.get(what) ?? 0) + 1)
  }
}
