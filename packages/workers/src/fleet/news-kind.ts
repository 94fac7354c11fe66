/** What there is to know of each kind of thing that the nodes of a fleet tell each other. */
import type { Sql } from '../database/statements.ts'
import type { NewsEntry } from './news-entry.ts'

/** Whose news these are, and how its clocks go. */
export interface OwnNode {
  readonly name: string
  /** Of its audit: see Fleet.Origin. */
  readonly origin: string
  /** How far the engine's clock is ahead of the session clock. */
  readonly aheadOfSteadyMs: number
  readonly aheadOfWallMs: number
  readonly sessionIdleTimeoutMs: number
  readonly sessionLifetimeMs: number
}

export interface Told {
  readonly value: object
  /** By the engine's clock; null: for good. */
  readonly untilMs: number | null
}

/** An entry that was heard: its value is not yet looked at. */
export type Heard = Pick<NewsEntry, 'key' | 'at' | 'node'>

export interface NewsKind {
  /** Of each key the newest version is kept, here and in the engine. Else it is told and gone. */
  readonly isKept: boolean
  /** What the others call it; of their name, that name. The same if left out, as for the next. */
  readonly nameOf?: (key: string, node: OwnNode) => string
  /** By which keys changes of what the others call so may wait here. */
  readonly keysOf?: (sql: Sql, name: string, node: OwnNode) => readonly string[]
  /** What is told; undefined where there is no such row. */
  readonly read: (sql: Sql, key: string, node: OwnNode) => Told | undefined
  /** Whether what others know is still good enough. False if left out. */
  readonly isCloseTo?: (told: Told, known: object, node: OwnNode) => boolean
  /** @param value undefined: it is gone, or over */
  readonly hear: (sql: Sql, heard: Heard, value: object | undefined, node: OwnNode) => void
}
