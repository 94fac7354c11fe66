/**
 * The functions of usher_v1.lua as typed calls; what they do is said there. Brings the library to
 * an engine that has none, or an older revision. Owns no connection.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAnswer, type CallEngine, type EngineArgument, type EngineReply } from './engine.ts'
import {
  packArrivals, packPlaces, packTold, packVisitors, unpackIndexes, unpackNews,
  type Arrival, type FleetIndex, type FleetVisitor, type News, type PlaceOfClient, type ToldPlace
} from './packed-texts.ts'

/** A process of a node: another one of the same name is another run. */
export interface NodeRun {
  readonly name: string
  /** Not empty. */
  readonly run: string
}

export interface JoiningServer {
  /** Of the node's own, without the node's. */
  readonly name: string
  readonly url: string
  /** Undefined: as many as come. */
  readonly capacity: number | undefined
  /** Twice as much is to have twice the users; 0: takes no visitors. A whole number. */
  readonly share: number
}

export interface Report {
  /** Higher with each report of a run. */
  readonly seq: number
  /** Parcels of news that have come, as the last answer had it. */
  readonly fed: number
  readonly arrived: readonly Arrival[]
  readonly released: readonly PlaceOfClient[]
  readonly told: readonly ToldPlace[]
  readonly active: ReadonlyArray<readonly [index: FleetIndex, users: number]>
}

interface Said {
  /** The engine's time, in milliseconds. */
  readonly nowMs: number
}
type Refused<Status extends string> = Said & { readonly status: Status }
/** late: more than 500 ms old by the engine's time: nothing was done. */
type Late = Refused<'late'>
/** unknown: the node has to join again. */
type Unknown = Refused<'unknown'>

export type JoinAnswer = Late |
  Said & { readonly status: 'taken', readonly untilMs: number } |
  Said & {
    readonly status: 'ok'
    /** Of the node, for `place`. */
    readonly number: number
    readonly fed: number
    /** Of its servers, in the order of the call. */
    readonly indexes: readonly FleetIndex[]
  }

export type PlaceAnswer = Late | Refused<'warm'> |
  Said & {
    readonly status: 'ok'
    /** For each visitor: a server's, NO_INDEX (none takes visitors) or ALL_FULL. */
    readonly indexes: readonly FleetIndex[]
  }

export type ReportAnswer = Late | Unknown | Refused<'old'> |
  Said & {
    readonly status: 'ok'
    readonly view: number
    /** Nobody is placed yet. */
    readonly isWarm: boolean
    readonly fed: number
    readonly news: readonly News[]
  }

export interface ViewAnswer extends Said {
  readonly view: number
  readonly isWarm: boolean
  readonly nodes: ReadonlyArray<{ readonly name: string, readonly untilMs: number }>
  readonly servers: readonly ViewedServer[]
}

export interface ViewedServer {
  readonly index: FleetIndex
  readonly node: string
  readonly name: string
  readonly url: string
  readonly active: number
  readonly held: number
  readonly capacity: number | undefined
  readonly share: number
}

/** In place of an index: all servers that take visitors are full. */
export const ALL_FULL = 65535
/** Beside the built file and beside this one alike. */
const LIBRARY = join(import.meta.dirname, 'usher_v1.lua')
const REVISION = /^local REVISION = (\d+)$/m

/** All keys of a fleet begin with it, and are in one slot of a cluster. */
export function keyPrefix (fleet: string): string {
  return `usher:{${fleet}}`
}

/** Before a connection is used: `prepare` of openEngine. */
export async function bringLibrary (call: CallEngine): Promise<void> {
  const text = readFileSync(LIBRARY, 'utf8')
  const revision = await revisionAt(call)
  if (revision >= Number(REVISION.exec(text)![1])) return
  await call('FUNCTION', 'LOAD', 'REPLACE', text)
}

export class UsherLibrary {
  readonly #call: CallEngine
  readonly #prefix: string

  constructor (call: CallEngine, fleet: string) {
    this.#call = call
    this.#prefix = keyPrefix(fleet)
  }

  async join (
    sentMs: number, { name, run }: NodeRun, servers: readonly JoiningServer[]
  ): Promise<JoinAnswer> {
    const [status, nowMs, ...rest] = await this.#ask('join', sentMs, name, run, ...servers.flatMap(
      ({ name, url, capacity, share }) => [name, url, capacity ?? 0, share]))
    if (status === 'taken') return { status, nowMs, untilMs: rest[0] as number }
    if (status === 'late') return { status, nowMs }
    const [number, fed, ...indexes] = rest as number[]
    return { status: okOf(status), nowMs, number: number!, fed: fed!, indexes }
  }

  async leave (
    sentMs: number, { name, run }: NodeRun
  ): Promise<Late | Unknown | Refused<'ok'>> {
    const [status, nowMs] = await this.#ask('leave', sentMs, name, run)
    return { status: status === 'late' || status === 'unknown' ? status : okOf(status), nowMs }
  }

  async drain (
    sentMs: number, { name, run }: NodeRun,
    shares: ReadonlyArray<readonly [index: FleetIndex, share: number]>
  ): Promise<Late | Unknown | Refused<'ok'>> {
    const [status, nowMs] = await this.#ask('drain', sentMs, name, run, ...shares.flat())
    return { status: status === 'late' || status === 'unknown' ? status : okOf(status), nowMs }
  }

  /** @param number the node's, from `join` */
  async place (
    sentMs: number, number: number, holdMs: number, visitors: readonly FleetVisitor[]
  ): Promise<PlaceAnswer> {
    const [status, nowMs, answers] =
      await this.#ask('place', sentMs, number, Math.ceil(holdMs), packVisitors(visitors))
    if (status === 'late' || status === 'warm') return { status, nowMs }
    return { status: okOf(status), nowMs, indexes: unpackIndexes(answers as Buffer) }
  }

  async report (sentMs: number, { name, run }: NodeRun, report: Report): Promise<ReportAnswer> {
    const { seq, fed, arrived, released, told, active } = report
    const [status, nowMs, view, isWarm, nextFed, news] = await this.#ask(
      'report', sentMs, name, run, seq, fed,
      packArrivals(arrived), packPlaces(released), packTold(told), ...active.flat())
    if (status === 'late' || status === 'unknown' || status === 'old') return { status, nowMs }
    return {
      status: okOf(status),
      nowMs,
      view: view as number,
      isWarm: isWarm === 1,
      fed: nextFed as number,
      news: unpackNews(news as Buffer)
    }
  }

  async view (): Promise<ViewAnswer> {
    const [, nowMs, view, isWarm, leases, servers] = await this.#ask('view')
    const names = leases as readonly Buffer[]
    return {
      nowMs,
      view: view as number,
      isWarm: isWarm === 1,
      nodes: Array.from({ length: names.length / 2 }, (_, at) => (
        { name: String(names[2 * at]), untilMs: Number(names[2 * at + 1]) }
      )),
      servers: (servers as ReadonlyArray<readonly EngineReply[]>).map(serverOf)
    }
  }

  /** The status in lower case, the engine's time, and the rest. */
  async #ask (
    name: string, ...args: readonly EngineArgument[]
  ): Promise<readonly [status: string, nowMs: number, ...rest: readonly EngineReply[]]> {
    const words = [`usher_v1_${name}`, 1, this.#prefix, ...args]
    const [status, nowMs, ...rest] = await this.#fcall(words) as readonly EngineReply[]
    return [String(status).toLowerCase(), nowMs as number, ...rest]
  }

  /** An engine that has lost its functions under a connection gets them again. */
  async #fcall (words: readonly EngineArgument[]): Promise<EngineReply> {
    try {
      return await this.#call('FCALL', ...words)
    } catch (error) {
      if (!isMissing(error)) throw error
      await bringLibrary(this.#call)
      return await this.#call('FCALL', ...words)
    }
  }
}

/** 0 where there is no library. */
async function revisionAt (call: CallEngine): Promise<number> {
  try {
    return await call('FCALL', 'usher_v1_revision', 0) as number
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}

function isMissing (error: unknown): boolean {
  return isAnswer(error) && /function not found/i.test(error.message)
}

function okOf (status: string): 'ok' {
  if (status !== 'ok') throw new RangeError(`usher_v1 answered ${status}`)
  return status
}

function serverOf (fields: readonly EngineReply[]): ViewedServer {
  const [index, node, name, url, active, held, capacity, share] = fields
  return {
    index: index as number,
    node: String(node),
    name: String(name),
    url: String(url),
    active: active as number,
    held: held as number,
    capacity: capacity as number || undefined,
    share: share as number
  }
}
