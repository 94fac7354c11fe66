/**
 * What this node and the engine tell each other besides places: its servers, its users, and what
 * happens at its servers by other nodes' routers. Knows no state and no timer. Main thread.
 */
import { randomUUID } from 'node:crypto'
import type { Client } from '@usher/shared/client.ts'
import { FleetClock } from '@usher/shared/fleet/fleet-clock.ts'
import type { News } from '@usher/shared/fleet/packed-texts.ts'
import type { NodeRun, UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import type { FleetPlaces } from './fleet-places.ts'
import type { FleetServers } from './fleet-servers.ts'

export interface FleetReportsParts {
  readonly library: UsherLibrary
  readonly node: string
  readonly places: FleetPlaces
  readonly servers: FleetServers
  readonly hasArrived: (index: number, client: Client) => boolean
  /** Times in it are this node's. */
  readonly onNews: (news: readonly News[]) => void
  /** Another process is the node of this name; once until it is not any more. */
  readonly onNameTaken: () => void
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/**
 * again: the engine has forgotten this node, which has to say all; refused: it took nothing for
 * now; warm and up: it has counted the report, and places nobody yet, or does.
 */
export type Reported = 'again' | 'refused' | 'warm' | 'up'

export class FleetReports {
  readonly #parts: FleetReportsParts
  readonly #node: NodeRun
  /** Of this connection's engine; undefined until it has said its time. */
  #clock: FleetClock | undefined
  #seq = 0
  #fed = 0
  #isNameTaken = false

  constructor (parts: FleetReportsParts) {
    this.#parts = parts
    this.#node = { name: parts.node, run: randomUUID() }
  }

  /** A new connection, perhaps to another engine: nothing is known of it. */
  forgetEngine (): void {
    this.#clock = undefined
  }

  /** Joins where need be and reports. Rejects when the engine is away. */
  async report (): Promise<Reported> {
    const { library, servers, places, hasArrived, onNews } = this.#parts
    const clock = this.#clock ?? await this.#meet()
    const refusal = await this.#tellServers()
    if (refusal !== undefined) return refusal
    // First who has come, then the counts.
    const { arrived, released, told, settle } = places.news(hasArrived, {
      fleetIndex: index => servers.fleetIndex(index),
      indexOf: name => servers.indexOf(name),
      engineMs: ownMs => clock.engineMs(ownMs)
    })
    const answer = await this.call(sentMs => library.report(sentMs, this.#node, {
      seq: ++this.#seq, fed: this.#fed, arrived, released, told, active: servers.activeUsers()
    }))
    if (answer.status === 'unknown') return this.#joinAgain()
    if (answer.status !== 'ok') return 'refused'
    settle()
    this.#fed = answer.fed
    onNews(answer.news.map(news => byOwnClock(news, clock)))
    if (answer.view !== servers.view) await this.look()
    return answer.isWarm ? 'warm' : 'up'
  }

  /** A call by the engine's time, which its answer tells. */
  async call<T extends { readonly nowMs: number }> (
    call: (sentMs: number) => Promise<T>
  ): Promise<T> {
    const clock = this.#clock!
    const sentMs = this.#parts.now()
    const answer = await call(clock.engineNowMs())
    clock.note(sentMs, this.#parts.now(), answer.nowMs)
    return answer
  }

  /** Which servers there are now. */
  async look (): Promise<void> {
    const { library, servers, places } = this.#parts
    servers.see(await library.view())
    places.tellMovesAgain(name => servers.indexOf(name))
  }

  /** Its servers go at once. */
  async leave (): Promise<void> {
    if (this.#clock === undefined) return
    await this.call(sentMs => this.#parts.library.leave(sentMs, this.#node))
  }

  /** What it has forgotten is told again. */
  async #meet (): Promise<FleetClock> {
    const { library, servers, places, now } = this.#parts
    const clock = new FleetClock(now)
    const sentMs = now()
    const view = await library.view()
    clock.note(sentMs, now(), view.nowMs)
    servers.see(view)
    places.tellAgain()
    places.tellMovesAgain()
    this.#clock = clock
    return clock
  }

  /** What the engine does not know of the servers yet; undefined when it knows all. */
  async #tellServers (): Promise<Reported | undefined> {
    const { library, servers } = this.#parts
    const changes = servers.changes()
    if (changes.kind === 'none') return undefined
    if (changes.kind === 'shares') {
      const { status } = await this.call(
        sentMs => library.drain(sentMs, this.#node, changes.shares))
      if (status === 'unknown') return this.#joinAgain()
      if (status !== 'ok') return 'refused'
      changes.settle()
      return undefined
    }
    const joined = await this.call(sentMs => library.join(sentMs, this.#node, changes.servers))
    if (joined.status === 'taken' && !this.#isNameTaken) this.#parts.onNameTaken()
    this.#isNameTaken = joined.status === 'taken'
    if (joined.status !== 'ok') return 'refused'
    const isNew = changes.settle(joined.number, joined.indexes)
    if (isNew) this.#fed = joined.fed
    await this.look()
    return undefined
  }

  #joinAgain (): 'again' {
    this.#parts.servers.forgetJoin()
    this.#parts.places.tellAgain()
    this.#parts.places.tellMovesAgain()
    return 'again'
  }
}

function byOwnClock (news: News, clock: FleetClock): News {
  return news.kind === 'released' ? news : { ...news, chosenMs: clock.ownMs(news.chosenMs) }
}
