/**
 * This node's part in the fleet: asks the engine for places, reports its own users every quarter of
 * a second, and hears what happens at its servers by other nodes' routers. While the engine is away
 * its visitors are placed here, which is told when it is back. Knows no table and no request. Main
 * thread.
 */
import type { Client } from '@usher/shared/client.ts'
import { openEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import type { EngineAddress } from '@usher/shared/fleet/engine-url.ts'
import type { News } from '@usher/shared/fleet/packed-texts.ts'
import { bringLibrary, UsherLibrary } from '@usher/shared/fleet/usher-library.ts'
import type { FleetState } from '@usher/shared/messages.ts'
import { startInterval, type StartInterval } from '@usher/shared/interval.ts'
import { limitPeer } from '@usher/shared/peer-limit.ts'
import type { Logger } from 'pino'
import { EnginePlacing, type FleetPlace, type Whereabouts } from './engine-placing.ts'
import { FleetPlaces } from './fleet-places.ts'
import { FleetReports, type Reported } from './fleet-reports.ts'
import { FleetServers, type FleetServer, type NodeServer } from './fleet-servers.ts'

export interface FleetLinkParts {
  readonly address: EngineAddress
  /** CLUSTER_NAME */
  readonly fleet: string
  /** NODE_NAME */
  readonly node: string
  /** Those of this node, as they are now. */
  readonly servers: () => readonly NodeServer[]
  /** How long a place is held from the choice on: the routing delay and RESERVATION_TTL. */
  readonly holdMs: () => number
  /** Whether the client is active at this server of the node. */
  readonly hasArrived: (index: number, client: Client) => boolean
  /** Another node's router holds a place here: to be reserved. */
  readonly onHeld: (index: number, client: Client, holdMs: number) => void
  /** It is held no more. */
  readonly onReleased: (index: number, client: Client) => void
  /** One who was active here has come to another node's server, unless it is back by now. */
  readonly onElsewhere: (client: Client, isBack: () => boolean) => void
  readonly onState: (state: FleetState, reason: string | undefined) => void
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  readonly interval?: StartInterval
  /**
   * The longest that visitors wait for the engine, unless no server of this node takes any; 100 if
   * left out.
   */
  readonly patienceMs?: number
}

/** A dead node is known by 2 s without a report. */
const REPORT_MS = 250
const PATIENCE_MS = 100
/** Where none of this node's servers takes visitors: by then the call has failed. */
const HELPLESS_PATIENCE_MS = 1000
const NAME_TAKEN = 'another process is the node of this name: NODE_NAME has to differ on each ' +
  'machine. After a crash it is free in two seconds'
const AWAY = 'the fleet\'s engine is away: visitors are placed on this node\'s own servers'

export class FleetLink {
  readonly #parts: FleetLinkParts
  readonly #places: FleetPlaces
  readonly #servers: FleetServers
  readonly #placing: EnginePlacing
  readonly #library: UsherLibrary
  readonly #reports: FleetReports
  #engine: Engine | undefined
  #state: FleetState = 'away'
  /** Undefined while nothing is reported. */
  #reporting: Promise<void> | undefined
  #isAskedAgain = false
  #isClosed = false
  #endInterval = (): void => {}
  #endJoining = (): void => {}

  constructor (parts: FleetLinkParts) {
    this.#parts = parts
    this.#places = new FleetPlaces(parts.now)
    this.#servers = new FleetServers(parts.node, parts.servers)
    this.#library = new UsherLibrary((...words) => this.#engine!.call(...words), parts.fleet)
    this.#reports = new FleetReports({
      ...parts,
      library: this.#library,
      places: this.#places,
      servers: this.#servers,
      onNews: news => { this.#takeNews(news) },
      onNameTaken: () => { parts.log.warn({ node: parts.node }, NAME_TAKEN) }
    })
    this.#placing = new EnginePlacing({
      ...parts,
      library: this.#library,
      places: this.#places,
      servers: this.#servers,
      reports: this.#reports,
      patienceMs: () => this.#patienceMs(),
      onWarm: () => { this.#enter('warm') },
      onSlow: () => { this.#runOutOfPatience() }
    })
  }

  get state (): FleetState {
    return this.#state
  }

  /** By NODE/NAME, as last heard. */
  get servers (): ReadonlyMap<string, FleetServer> {
    return this.#servers.byName
  }

  /**
   * Resolves when the engine has been reached, or cannot be for now. Rejects when it is not to be
   * used: EngineRefused; `close` is still to be called.
   */
  start (): Promise<void> {
    const { address, node, log, interval = startInterval } = this.#parts
    return new Promise((resolve, reject) => {
      this.#engine = openEngine({
        address,
        name: `usher-${node}`,
        prepare: bringLibrary,
        onReady: () => {
          this.#reports.forgetEngine()
          void this.#report().then(resolve)
        },
        onLost: reason => {
          if (this.#state === 'away') log.warn({ reason }, AWAY)
          this.#goAway(reason)
          resolve()
        },
        onRefused: error => {
          log.error({ err: error }, AWAY)
          this.#goAway(error.message)
          reject(error)
        }
      })
      this.#endInterval = interval(REPORT_MS, () => {
        if (this.#engine?.isReady !== true) this.#places.findArrived(this.#parts.hasArrived)
        void this.#report()
      })
    })
  }

  /** Leaves the fleet: its servers go at once, and whoever waits is placed here. */
  async close (): Promise<void> {
    this.#isClosed = true
    this.#endInterval()
    this.#endJoining()
    this.#state = 'away'
    this.#placing.letGo()
    await this.#reporting
    if (this.#engine?.isReady === true) await this.#reports.leave().catch(() => {})
    await this.#engine?.close()
  }

  /** Never rejects. Takes a call to the engine, or 'local' after 100 ms. */
  async place (client: Client, whereabouts: Whereabouts): Promise<FleetPlace> {
    if (this.#state !== 'up' && this.#state !== 'joining') return { kind: 'local' }
    return await this.#placing.place(client, whereabouts)
  }

  /** The place that was chosen is not used after all. */
  release (client: Client): void {
    this.#placing.release(client)
  }

  /**
   * Chosen on this node, by its own loads: the engine hears of it with the next report.
   * @param hint NODE/NAME where the visitor says to be
   */
  placedHere (client: Client, index: number, hint: string | undefined): void {
    this.#placing.placedHere(client, index, hint)
  }

  /**
   * Added or removed, other places or weights, or one takes visitors no more, or again. Resolves
   * when the engine knows that and how many users each has, or is away. Never rejects.
   */
  serversChanged (): Promise<void> {
    return this.#report()
  }

  /** One at a time: whoever asks meanwhile gets another one behind it. */
  #report (): Promise<void> {
    this.#isAskedAgain = true
    this.#reporting ??= this.#reportWhileAsked().finally(() => { this.#reporting = undefined })
    return this.#reporting
  }

  async #reportWhileAsked (): Promise<void> {
    try {
      while (this.#isAskedAgain && !this.#isClosed && this.#engine?.isReady === true) {
        this.#isAskedAgain = false
        this.#takeReported(await this.#reports.report())
      }
    } catch (error) {
      this.#goAway((error as Error).message)
    }
  }

  #takeReported (reported: Reported): void {
    if (reported === 'again') this.#isAskedAgain = true
    if (reported === 'warm') this.#enter('warm')
    if (reported !== 'up') return
    const mustTell = this.#places.hasUntold(name => this.#servers.indexOf(name))
    if (this.#state === 'up' || !mustTell) return this.#enter('up')
    this.#enter('joining')
    this.#isAskedAgain = true
  }

  /** All is noted before any is carried out: of one visitor it may be an old move and a choice. */
  #takeNews (all: readonly News[]): void {
    const { hasArrived, now } = this.#parts
    const ofHere = all.flatMap(news => {
      const own = this.#servers.ownIndexOf(news.index)
      return own === undefined ? [] : [{ news, own }]
    })
    for (const { news, own } of ofHere) {
      const { client, kind } = news
      if (kind === 'held') {
        const { chosenMs, holdMs } = news
        const from = this.#servers.at(news.from)?.name
        this.#places.expect({ client, ownIndex: own, from, chosenMs, untilMs: now() + holdMs })
      }
      // Who has come to its place meanwhile is found, however late it is heard that it is free.
      if (kind === 'released' && !hasArrived(own, client)) this.#places.forget(client)
    }
    for (const { news, own } of ofHere) this.#carryOut(news, own)
  }

  #carryOut (news: News, own: number): void {
    const { onHeld, onReleased, onElsewhere } = this.#parts
    const { client, kind } = news
    if (kind === 'held') onHeld(own, client, news.holdMs)
    else if (kind === 'released') onReleased(own, client)
    else {
      const isBack = (): boolean => this.#places.isChosenSince(client, news.chosenMs)
      if (!isBack()) onElsewhere(client, isBack)
    }
  }

  #goAway (reason: string): void {
    this.#enter('away', reason)
    this.#places.tellAgain()
  }

  #enter (state: FleetState, reason?: string): void {
    if (state === this.#state || this.#isClosed) return
    const before = this.#state
    this.#state = state
    this.#endJoining()
    if (state === 'up') this.#placing.open()
    else if (state !== 'joining') this.#placing.letGo()
    else {
      this.#placing.hold()
      this.#endJoining = limitPeer(this.#patienceMs(), () => { this.#runOutOfPatience() })
    }
    const { log, onState } = this.#parts
    if (state === 'away') log.warn({ reason }, AWAY)
    if (state === 'up' && before !== 'joining') log.info('the fleet\'s engine places visitors')
    onState(state, reason)
  }

  #patienceMs (): number {
    const { patienceMs = PATIENCE_MS } = this.#parts
    return this.#servers.isOpen ? patienceMs : Math.max(patienceMs, HELPLESS_PATIENCE_MS)
  }

  #runOutOfPatience (): void {
    this.#goAway(`no answer within ${this.#patienceMs()} ms`)
  }
}
