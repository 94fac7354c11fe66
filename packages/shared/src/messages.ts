/**
 * Everything that threads say to each other. Orders go from the coordinator to a worker and are
 * imperative; news come back and are in the past tense. Every order carries an id and is answered
 * by `done` or `failed` with that id. Small facts that change often go through the user table.
 */
import type { ErrorReport } from './errors.ts'
import type { DenyEntry } from './deny-list.ts'
import type { TableMemory } from './memory/table-view.ts'
import type { Settings } from './settings.ts'

export type Order =
  /** The whole list, replacing the one before. */
  | { readonly type: 'replace-deny-list', readonly entries: readonly DenyEntry[] }
  /** A reload in two steps: all servers read their files, then all switch, or none does. */
  | { readonly type: 'prepare-reload' }
  | { readonly type: 'commit-reload' }
  | { readonly type: 'abort-reload' }
  /** What /readyz says: the reason for a 503, or undefined for ready. Monitor only. */
  | { readonly type: 'set-readiness', readonly reason: string | undefined }
  /** Writes the users of the table to the database. Monitor only. */
  | { readonly type: 'save-users' }
  /** Answers what has begun, releases everything; the thread ends by itself. */
  | { readonly type: 'close' }

/** An order on its way, under the id that its answer carries. */
export interface OrderMessage {
  readonly id: number
  readonly order: Order
}

export type News =
  /** The worker serves on this port. */
  | { readonly type: 'ready', readonly port: number, readonly layoutVersion: number }
  /** It cannot start; the thread ends after this. */
  | { readonly type: 'boot-failed', readonly error: ErrorReport }
  | { readonly type: 'done', readonly id: number }
  | { readonly type: 'failed', readonly id: number, readonly error: ErrorReport }

/** What a worker starts with, as its `workerData`. */
export interface BootData {
  /** For log lines: `server 8000`, `monitor`. */
  readonly name: string
  readonly threadTag: number
  readonly memory: TableMemory
  readonly settings: Settings
  readonly denyEntries: readonly DenyEntry[]
  /** Whether the console is a terminal, so that its log is made for people. */
  readonly isTerminal: boolean
  readonly programDir: string
  /** Index of the server in `settings.ports`; -1 for the monitor. */
  readonly server: number
  /** A replacement finds the users in the table; only the first monitor brings back saved ones. */
  readonly isFirstStart: boolean
}
