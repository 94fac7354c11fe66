/**
 * The load of all nodes over time: each is asked for its sums, step by step, and they are put side
 * by side and added up. Who does not answer in half a second is missing, and said to be. One node's
 * servers are asked of it alone. Runs in the monitor's thread.
 */
import type { FleetEvent, FleetHistory, History } from '@usher/shared/api/history.ts'
import type { NodeCards } from '../../fleet/node-cards.ts'
import { ApiError } from '../errors/api-error.ts'
import { POINTS_MAX } from '../figures/history-recorder.ts'
import { ANSWER_MS, nodesAnswered } from './fleet-users.ts'
import type { NodeAsks } from './node-asks.ts'

export interface FleetHistoriesParts {
  readonly node: string
  readonly asks: NodeAsks
  readonly cards: Pick<NodeCards, 'engineNowMs'>
  /** Of this node. */
  readonly own: (minutes: number, pointsMax?: number) => Promise<History>
  /** How many servers this node has. */
  readonly serverCount: () => number
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
}

type Load = FleetHistory['total']

/** Of all servers of one node. Times are the engine's: clocks of machines differ. */
export interface NodeHistory {
  readonly fromMs: number
  readonly load: Load
  readonly events: ReadonlyArray<Omit<FleetEvent, 'at' | 'node'> & { readonly atMs: number }>
}

export interface HistoryAsk {
  readonly minutes: number
}

export const LOADS_ASK = 'loads'
export const HISTORY_ASK = 'history'
/** One that is asked alone has more time: a day of many servers takes a busy machine some. */
const ALONE_MS = 2000
/** Of each node: the newest. */
export const NODE_EVENTS_MAX = 100
/** In one answer: as texts they have room in a message, however many servers there are. */
const NUMBERS_MAX = 100_000
const SERIES_PER_SERVER = 2
/** Those of servers that were removed come on top. */
const REMOVED_ALLOWANCE = 32

export class FleetHistories {
  readonly #parts: FleetHistoriesParts

  constructor (parts: FleetHistoriesParts) {
    this.#parts = parts
  }

  /**
   * @param node with its servers; if undefined this one, and all of them by their sums. Throws
   * `not_found` and `node_away`.
   */
  async find (node: string | undefined, minutes: number): Promise<History> {
    if (node === this.#parts.node) return await this.#parts.own(minutes)
    if (node !== undefined) return await this.#findAt(node, minutes)
    const [own, { answers, missing }] = await Promise.all([
      this.#parts.own(minutes),
      this.#parts.asks.ask<NodeHistory>(
        LOADS_ASK, { minutes } satisfies HistoryAsk, ANSWER_MS)
    ])
    return { ...own, fleet: this.#merged(own, answers, missing) }
  }

  /** What this node answers to another one: its servers, one by one. */
  async answer ({ minutes }: HistoryAsk): Promise<History> {
    const { own, serverCount } = this.#parts
    const seriesCount = SERIES_PER_SERVER * (serverCount() + REMOVED_ALLOWANCE)
    return await own(minutes, Math.min(POINTS_MAX, Math.floor(NUMBERS_MAX / seriesCount)))
  }

  /** And their sums. */
  async answerLoads ({ minutes }: HistoryAsk): Promise<NodeHistory> {
    return this.#nodeHistory(await this.#parts.own(minutes))
  }

  async #findAt (node: string, minutes: number): Promise<History> {
    const history = await this.#parts.asks.askKnown<History>(
      node, HISTORY_ASK, { minutes } satisfies HistoryAsk, ALONE_MS)
    if (history !== undefined) return history
    throw new ApiError('node_away', `The node ${node} has not answered.`)
  }

  #nodeHistory (history: History): NodeHistory {
    return {
      fromMs: this.#toEngine(Date.parse(history.from)),
      load: sumOf(Object.values(history.servers)),
      events: history.events.slice(-NODE_EVENTS_MAX).map(({ at, type, server }) =>
        ({ atMs: this.#toEngine(Date.parse(at)), type, server }))
    }
  }

  #merged (
    own: History, answers: ReadonlyMap<string, NodeHistory>, missing: readonly string[]
  ): FleetHistory {
    const { node } = this.#parts
    const ownHistory = this.#nodeHistory(own)
    const all = [[node, ownHistory] as const, ...answers]
      .sort(([one], [other]) => one < other ? -1 : 1)
    const stepMs = own.step_seconds * 1000
    const shiftOf = ({ fromMs }: NodeHistory): number =>
      Math.round((fromMs - ownHistory.fromMs) / stepMs)
    // The step that has just begun is not measured everywhere yet; that is no gap.
    const ends = all.filter(([, { load }]) => load.active_users.length > 0)
      .map(([, one]) => shiftOf(one) + one.load.active_users.length)
    const end = ends.length === 0 ? 0 : Math.min(...ends)
    const loads = all.map(([name, one]) => [name, shifted(one.load, shiftOf(one), end)] as const)
    return {
      nodes: nodesAnswered(all.length + missing.length, missing),
      loads: Object.fromEntries(loads),
      total: sumOf(loads.map(([, load]) => load)),
      events: all.flatMap(([name, { events }]) => events.map(event => ({ ...event, node: name })))
        .sort((one, other) => one.atMs - other.atMs)
        .map(({ atMs, type, node, server }) =>
          ({ at: new Date(this.#fromEngine(atMs)).toISOString(), type, node, server }))
    }
  }

  #toEngine (wallMs: number): number {
    return wallMs + this.#aheadMs()
  }

  #fromEngine (engineMs: number): number {
    return engineMs - this.#aheadMs()
  }

  /** How far the engine's clock is ahead of this machine's. */
  #aheadMs (): number {
    return this.#parts.cards.engineNowMs() - this.#parts.wallNow()
  }
}

function sumOf (loads: ReadonlyArray<Load>): Load {
  return {
    active_users: summed(loads.map(({ active_users: active }) => active)),
    reserved: summed(loads.map(({ reserved }) => reserved))
  }
}

/** Of what was measured; null where nothing was. */
function summed (series: ReadonlyArray<ReadonlyArray<number | null>>): Array<number | null> {
  const length = Math.max(0, ...series.map(points => points.length))
  return Array.from({ length }, (_, at) => {
    const known = series.map(points => points[at] ?? null).filter(value => value !== null)
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
  })
}

/** @param shift how many steps later it begins than the whole */
function shifted ({ active_users: active, reserved }: Load, shift: number, end: number): Load {
  const moved = (points: ReadonlyArray<number | null>): Array<number | null> =>
    Array.from({ length: end }, (_, at) => points[at - shift] ?? null)
  return { active_users: moved(active), reserved: moved(reserved) }
}
