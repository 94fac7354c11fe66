/**
 * Visitors of a fleet, who come by any router, go where they are sent, stay and beat, come again by
 * another router, or leave. Each has one cookie jar, as where all nodes are under one host name. It
 * is known of each where it was let in last, and every answer that should not have been is a
 * sentence. Knows nothing of programs and engines.
 */
import http from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { Random } from '../kit/random.ts'

/** A node as its visitors know it. */
export interface CrowdNode {
  readonly host: string
  readonly routingPort: number
  /** Raised when its program has ended: what breaks off then is no failure. */
  readonly life: number
  /** Its router is among those that visitors come to; false before it is told to end. */
  readonly takesVisitors: boolean
  /** It has ended without a word: for some time others go on to send visitors to it. */
  readonly wasKilled: boolean
}

export interface CrowdOptions {
  readonly nodes: readonly CrowdNode[]
  readonly size: number
  /** Of each server; undefined: as many as come. */
  readonly capacity?: number
  readonly random: Random
  /** Between two things that a visitor does: half of it to one and a half. */
  readonly pauseMs: number
}

/** When a visitor asked a router, and which life each node had then. */
interface Way {
  readonly startMs: number
  readonly lives: ReadonlyMap<CrowdNode, number>
}

interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
}

/** Where a visitor was let in, and in which life of the node. */
interface Stay {
  readonly origin: string
  readonly node: CrowdNode
  readonly life: number
}

const ANSWER_MS_MAX = 60_000
/** A full server sends a visitor to its router, which sends it on. */
const HOPS_MAX = 20
/** Whoever gets no answer takes a moment: a killed node is sent visitors for two seconds. */
const AGAIN_MS = 500
/** A node that stops serves for so long those whom others have sent there. */
const WAY_MS_MAX = 1000
const LOOK_MS = 5
const BEAT_SHARE = 0.5
const RETURN_SHARE = 0.25
const OTHER_STATUSES = 12

export class Crowd {
  readonly #options: CrowdOptions
  readonly #visitors: readonly CrowdVisitor[]
  readonly #failures: string[] = []
  readonly #counts = { entered: 0, full: 0, moved: 0, lost: 0 }
  #isPaused = false
  #isOver = false
  #busy = 0
  #living: Promise<unknown> = Promise.resolve()

  constructor (options: CrowdOptions) {
    this.#options = options
    this.#visitors = Array.from({ length: options.size }, () => new CrowdVisitor())
  }

  /** Sentences. */
  get failures (): readonly string[] {
    return this.#failures
  }

  /** entered: by a router to a page; full: nothing was free; lost: with their node. */
  get counts (): Readonly<Record<'entered' | 'full' | 'moved' | 'lost', number>> {
    return this.#counts
  }

  start (): void {
    this.#living = Promise.all(this.#visitors.map(visitor => this.#live(visitor)))
  }

  /** From when it resolves, nobody comes or leaves; they go on to beat. */
  async pause (): Promise<void> {
    this.#isPaused = true
    while (this.#busy > 0) await setTimeout(LOOK_MS)
  }

  resume (): void {
    this.#isPaused = false
  }

  /** Resolves when the last request has been answered. */
  async end (): Promise<void> {
    this.#isOver = true
    await this.#living
  }

  /** How many are at each server, by its origin. */
  users (): ReadonlyMap<string, number> {
    const users = new Map<string, number>()
    for (const visitor of this.#visitors) {
      const origin = this.#stayOf(visitor)?.origin
      if (origin !== undefined) users.set(origin, (users.get(origin) ?? 0) + 1)
    }
    return users
  }

  async #live (visitor: CrowdVisitor): Promise<void> {
    const { random, pauseMs } = this.#options
    while (!this.#isOver) {
      await setTimeout(pauseMs * (0.5 + random.share()))
      if (this.#isOver) return
      const stay = this.#stayOf(visitor)
      const mustBeat = stay !== undefined && (this.#isPaused || random.chance(BEAT_SHARE))
      if (mustBeat) await this.#beat(visitor, stay)
      else if (!this.#isPaused) await this.#whileBusy(() => this.#move(visitor, stay))
    }
  }

  async #whileBusy (work: () => Promise<void>): Promise<void> {
    this.#busy++
    await work()
    this.#busy--
  }

  /** Undefined where its node has ended since. */
  #stayOf (visitor: CrowdVisitor): Stay | undefined {
    const { stay } = visitor
    if (stay === undefined || stay.life === stay.node.life) return stay
    this.#lose(visitor)
    return undefined
  }

  /** It comes back by a router. */
  #lose (visitor: CrowdVisitor): void {
    this.#counts.lost++
    visitor.stay = undefined
  }

  async #move (visitor: CrowdVisitor, stay: Stay | undefined): Promise<void> {
    if (stay === undefined || this.#options.random.chance(RETURN_SHARE)) return this.#enter(visitor)
    visitor.stay = undefined
    const reply = await this.#ask(visitor, new URL('/leave', stay.origin), stay.node)
    if (reply !== undefined && reply.status !== 200) this.#fail(`a leave at ${stay.origin}`, reply)
  }

  async #enter (visitor: CrowdVisitor): Promise<void> {
    let url: URL | undefined
    let way = this.#beginWay()
    const trail: string[] = []
    for (let hop = 0; hop < HOPS_MAX; hop++) {
      url ??= this.#router()
      if (url === undefined) return
      trail.push(url.host)
      const node = this.#nodeOf(url)
      const { life } = node
      if (Number(url.port) === node.routingPort) way = this.#beginWay()
      const reply = await this.#ask(visitor, url, node, { way })
      const { origin } = url
      if (reply === undefined) {
        // It may have been let in there, and is not looked for where it was.
        visitor.stay = undefined
        url = undefined
        await setTimeout(AGAIN_MS)
      } else if (reply.status === 302) url = new URL(reply.headers.location!, url)
      else if (reply.status === 200 && Number(url.port) !== node.routingPort) {
        if (visitor.stay !== undefined && visitor.stay.origin !== origin) this.#counts.moved++
        this.#counts.entered++
        visitor.stay = { origin, node, life }
        return
      } else if (isFull(reply) && this.#options.capacity !== undefined) {
        this.#counts.full++
        visitor.stay = undefined
        return
      } else {
        return this.#fail(`${url.host}${url.pathname}`, reply)
      }
    }
    this.#failures.push(`a visitor was sent from one to the next and came nowhere: ${trail.join(' ')}`)
  }

  async #beat (visitor: CrowdVisitor, stay: Stay): Promise<void> {
    const reply = await this.#ask(visitor, new URL('/heartbeat', stay.origin), stay.node)
    if (visitor.stay !== stay) return
    if (reply === undefined) return this.#lose(visitor)
    const { capacity } = this.#options
    const users = Number(reply.headers['x-active-users'])
    if (reply.status !== 204) {
      visitor.stay = undefined
      return this.#fail(`a beat at ${stay.origin}`, reply)
    }
    if (capacity !== undefined && users > capacity) {
      this.#failures.push(`${stay.origin} has ${users} users, and admits ${capacity}`)
    }
  }

  #router (): URL | undefined {
    const open = this.#options.nodes.filter(({ takesVisitors }) => takesVisitors)
    if (open.length === 0) return undefined
    const { host, routingPort } = this.#options.random.pick(open)
    return new URL(`http://${host}:${routingPort}/`)
  }

  #nodeOf ({ hostname }: URL): CrowdNode {
    return this.#options.nodes.find(({ host }) => host === hostname)!
  }

  #beginWay (): Way {
    const { nodes } = this.#options
    return { startMs: performance.now(), lives: new Map(nodes.map(node => [node, node.life])) }
  }

  /**
   * Undefined where the node has ended meanwhile.
   * @param options.way of a page; left out for what a page sends, which knows how to send it again
   */
  async #ask (
    visitor: CrowdVisitor, url: URL, node: CrowdNode, { way }: { readonly way?: Way } = {}
  ): Promise<Reply | undefined> {
    const { life } = node
    try {
      return await visitor.ask(url, way === undefined ? 'POST' : 'GET')
    } catch (error) {
      // On a busy machine it may arrive when the node has served those on their way long enough.
      const isLate = way !== undefined && performance.now() - way.startMs > WAY_MS_MAX
      const isEnding = !node.takesVisitors || node.life !== way?.lives.get(node)
      const isExpected = node.life !== life || node.wasKilled ||
        (isEnding && (way === undefined || isLate))
      if (!isExpected) this.#failures.push(`${url.host}${url.pathname}: ${(error as Error).message}`)
      return undefined
    }
  }

  #fail (what: string, { status, headers }: Reply): void {
    const reason = headers['x-usher-reason'] ?? 'no reason'
    if (this.#failures.length < OTHER_STATUSES) {
      this.#failures.push(`${what}: ${status} (${String(reason)})`)
    }
  }
}

class CrowdVisitor {
  readonly #cookies = new Map<string, string>()
  stay: Stay | undefined

  /** On a connection of its own. */
  ask (url: URL, method: string): Promise<Reply> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return new Promise((resolve, reject) => {
      const request = http.request(url, {
        method, agent: false, timeout: ANSWER_MS_MAX, headers: cookie === '' ? {} : { cookie }
      })
      request.on('timeout', () => { request.destroy(new Error('no answer in time')) })
      request.on('error', reject)
      request.on('response', response => {
        response.on('error', reject)
        response.resume()
        response.on('end', () => {
          const { statusCode, headers } = response
          for (const text of headers['set-cookie'] ?? []) this.#keep(text)
          resolve({ status: statusCode!, headers })
        })
      })
      request.end()
    })
  }

  #keep (text: string): void {
    const [name = '', value = ''] = text.split(';')[0]!.split('=')
    this.#cookies.set(name, value)
  }
}

/** Said in words, by the router or a server, and nothing else that is 503. */
function isFull ({ status, headers }: Reply): boolean {
  return status === 503 && headers['x-usher-reason'] === 'full'
}
