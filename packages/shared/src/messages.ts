/**
 * All messages between threads. Orders go from the coordinator to a worker and are imperative; news
 * come back and are in the past tense. Every order carries an id and is answered by `done` or
 * `failed` with that id. What the monitor asks of the coordinator is answered in the same way.
 * Small facts that change often go through the user table.
 */
import type { Client } from './client.ts'
import type { ErrorReport } from './errors.ts'
import type { DenyEntry } from './deny-list.ts'
import type { OpenedPort } from './http/opened-port.ts'
import type { TlsPair } from './http/tls-context.ts'
import type { LogLossesMemory } from './memory/log-losses.ts'
import type { MeterMemory } from './memory/meters.ts'
import type { MemoryRoom, Place, SiteMemory } from './memory/site-memory.ts'
import type { TableMemory } from './memory/table-view.ts'
import type { ExternalServer, Slot, StoredServer } from './settings/servers.ts'
import type { ChangedValues } from './settings/setting-changes.ts'
import type { WorkerSettings } from './settings/settings.ts'
import type { SiteRules } from './site-rules.ts'
import type { TicketKey, TicketKeys } from './tickets/ticket.ts'

export type Order =
  /** The whole list, replacing the one before; carried out at once. Servers only. */
  | { readonly type: 'replace-deny-list', readonly entries: readonly DenyEntry[] }
  /** Ends the open connections of these; done when they are closed. Servers only. */
  | { readonly type: 'close-clients', readonly expelled: ExpelledClients }
  /** A reload in two steps: all servers open their new files, then all switch, or none does. */
  | { readonly type: 'prepare-reload', readonly loaded: LoadedSites }
  /** A server that has started since opens them now. */
  | { readonly type: 'commit-reload', readonly loaded: LoadedSites }
  | { readonly type: 'abort-reload' }
  /** What a reload has changed; carried out at once. */
  | { readonly type: 'apply-settings', readonly changes: ChangedValues<'every-thread'> }
  /**
   * All servers by index, in place of the list before; carried out at once. Nobody is sent to one
   * that is new before every thread knows it.
   */
  | { readonly type: 'replace-servers', readonly servers: readonly Slot[] }
  /** New connections get this certificate, which has been checked. */
  | { readonly type: 'switch-certificate', readonly pair: TlsPair }
  /** By these it verifies tickets from now on. Servers only. */
  | { readonly type: 'set-ticket-keys', readonly keys: readonly TicketKey[] }
  /** The log file was moved: the thread goes on in a new one; carried out at once. */
  | { readonly type: 'reopen-log' }
  /** What /readyz says: the reason for a 503, or undefined for ready. Monitor only. */
  | { readonly type: 'set-readiness', readonly reason: string | undefined }
  /** What checks of external servers have found since. Monitor only. */
  | { readonly type: 'note-health', readonly reports: readonly HealthReport[] }
  /** How the fleet is seen from here now. Monitor only. */
  | { readonly type: 'note-fleet', readonly report: FleetReport }
  /** Writes the users of the table to the database, which may be locked so long. Monitor only. */
  | { readonly type: 'save-users', readonly withinMs: number }
  /** Answers what has begun, releases everything; the thread ends by itself. */
  | { readonly type: 'close' }

/** Which clients to expel: one client, and all whom these entries deny. */
export interface ExpelledClients {
  readonly client: Client | undefined
  readonly entries: readonly DenyEntry[]
}

/** What workers ask of the coordinator: servers for files and tickets, the monitor for the rest. */
export type Ask =
  /** Answered when they are loaded. */
  | { readonly type: 'get-sites' }
  /**
   * From now on all threads refuse these clients and no others. Then those of them who are in the
   * user table are removed, and their connections are closed.
   */
  | { readonly type: 'set-deny-list', readonly entries: readonly DenyEntry[] }
  /**
   * The same when entries are given; and this client, denied by them or not, is removed and its
   * connections are closed.
   */
  | {
    readonly type: 'disconnect'
    readonly client: Client
    readonly entries: readonly DenyEntry[] | undefined
  }
  /** The server, by its index, takes no new visitors; or, if undefined, takes them again. */
  | { readonly type: 'set-drain', readonly server: number, readonly drain: Drain | undefined }
  /**
   * The servers that the console names, all of them; those of the settings stay as they are.
   * Answered when every thread knows them, or some are late; at the monitor's start, when the main
   * thread does.
   */
  | {
    readonly type: 'set-servers'
    readonly stored: readonly StoredServer[]
    readonly isStart: boolean
  }
  /** A new thread takes the place of the server's. */
  | { readonly type: 'restart-server', readonly server: number }
  /** From now on these sign tickets, and verify them. */
  | { readonly type: 'set-ticket-keys', readonly keys: TicketKeys }
  /** A server's: somebody shows a ticket there that is good, if nobody has shown it before. */
  | { readonly type: 'use-ticket', readonly ticketId: string, readonly issuedMs: number }

/** The answers, sent when the request has been carried out in all threads. */
export interface AskAnswers {
  'get-sites': LoadedSites
  'set-deny-list': { readonly removedUsers: number }
  disconnect: { readonly wasHere: boolean, readonly removedUsers: number }
  'set-drain': object
  'set-servers': {
    readonly servers: readonly Slot[]
    /** Stored, but not in force: the settings name one so, too, or there is no index for it. */
    readonly leftOut: readonly string[]
    /** The names of threads that do not know them yet; they are told again until they do. */
    readonly late: readonly string[]
  }
  'restart-server': object
  'set-ticket-keys': object
  'use-ticket': { readonly isFirstUse: boolean }
}

/** Of one server. */
export interface Drain {
  /** Monotonic; from then on its users are sent away, too. Never if undefined. */
  readonly movesFromMs: number | undefined
  /** Nobody is sent there, whatever its health checks find. External servers only. */
  readonly isMaintenance?: boolean
}

export type AskAnswer = AskAnswers[Ask['type']]

/**
 * What the coordinator sends to a worker; the id is that of the order, or of the worker's own
 * request.
 */
export type ToWorker =
  | { readonly type: 'order', readonly id: number, readonly order: Order }
  | { readonly type: 'answered', readonly id: number, readonly answer: AskAnswer }
  | { readonly type: 'failed', readonly id: number, readonly error: ErrorReport }

export type News =
  /** Its port is open; it will serve soon. */
  | { readonly type: 'listening' }
  /** The worker serves on this port. */
  | { readonly type: 'ready', readonly port: number, readonly layoutVersion: number }
  /** It cannot start; the thread ends after this. */
  | { readonly type: 'boot-failed', readonly error: ErrorReport }
  | { readonly type: 'done', readonly id: number }
  | { readonly type: 'failed', readonly id: number, readonly error: ErrorReport }
  | { readonly type: 'asked', readonly id: number, readonly ask: Ask }

/** The `workerData` of each thread, with those of its kind: BootData, LoadTask, CheckTask. */
export interface ThreadData {
  /** The file of the program's folder that it runs. */
  readonly bundle: string
  /** Of a server that was started before its boot data were known: they follow (EarlyOrder). */
  readonly isEarly?: boolean
}

/** What comes to such a thread first of all; `boot` is the last of them. */
export type EarlyOrder =
  /** The thread opens its port, before anything else is loaded. */
  | { readonly type: 'listen', readonly host: string, readonly port: number }
  | { readonly type: 'boot', readonly boot: BootData }

/** What a worker starts with. */
export interface BootData {
  /** For log lines: `server 8000`, `monitor`. */
  readonly name: string
  readonly threadTag: number
  readonly memory: TableMemory
  readonly meters: MeterMemory
  readonly logLosses: LogLossesMemory
  readonly settings: WorkerSettings
  /** Undefined while the monitor has not brought it yet: it follows, as an order. */
  readonly denyEntries: readonly DenyEntry[] | undefined
  /** For tickets; empty while the monitor has not brought them yet. */
  readonly ticketKeys: readonly TicketKey[]
  /** The latest of each external server. */
  readonly health: readonly HealthReport[]
  /** Undefined where the program is alone. */
  readonly fleet: FleetReport | undefined
  /** Whether the console is a terminal, so that its log is made for people. */
  readonly isTerminal: boolean
  readonly programDir: string
  /** Index of the server in `settings.servers`; -1 for the monitor. */
  readonly server: number
  /** A replacement finds the users in the table; only the first monitor brings back saved ones. */
  readonly isFirstStart: boolean
  /** A server's port that is open already. Made by the thread itself (thread-entry.ts). */
  openedPort?: OpenedPort
}

/** How a node sees its fleet. */
export interface FleetReport {
  readonly state: FleetState
  /** Why it is not up; undefined when it is, or where there is nothing to say. */
  readonly reason: string | undefined
  /** In this state; since 1970. */
  readonly sinceMs: number
  /** Of all nodes, those of this one included. */
  readonly serverCount: number
}

/**
 * away: the engine does not answer, and visitors are placed here. joining: it does, and is told
 * who was placed meanwhile. warm: it has not been told by all nodes yet. up: it places everybody.
 */
export type FleetState = 'away' | 'joining' | 'warm' | 'up'

/** The files of all servers, as the loader has made them. */
export interface LoadedSites {
  readonly memory: SiteMemory
  /** One for each folder, however many servers serve it. */
  readonly sites: readonly SiteEntry[]
  /** False for the first load of small sites: nothing was compressed, so that they open at once. */
  readonly isComplete: boolean
}

export interface SiteEntry {
  /** The folder, as the settings name it. */
  readonly dir: string
  /** Where in the memory the list of its files is. */
  readonly index: Place
  readonly rules: SiteRules
  /** Of all files, uncompressed. */
  readonly bytes: number
  /** How many entries were left out, dotfiles aside; and the first of them, with the reasons. */
  readonly skippedCount: number
  readonly skipped: readonly string[]
}

/** What the loader's thread starts with: it does this and ends. */
export interface LoadTask {
  readonly type: 'load'
  readonly dirs: readonly string[]
  /** What is larger stays on disk. */
  readonly memoryFileMaxBytes: number
  readonly room: MemoryRoom
  readonly serverCount: number
  /** Servers wait for it to open: what takes long may be left for another load. */
  readonly isFirst: boolean
}

/** Only the folders' rules are read and checked. */
export interface CheckTask {
  readonly type: 'check'
  readonly dirs: readonly string[]
  readonly memoryFileMaxBytes: number
}

/**
 * What the thread that checks external servers starts with, as its `workerData`, and is sent when
 * they are others: all of them.
 */
export interface HealthTask {
  /** Higher each time. */
  readonly version: number
  readonly servers: readonly CheckedServer[]
}

export interface CheckedServer extends Pick<ExternalServer, 'index' | 'publicUrl' | 'check'> {
  /** As the thread before it has found; undefined when nobody has looked. */
  readonly isUp: boolean | undefined
}

/** Several servers at once; of each what the latest check says. */
export interface HealthNews {
  readonly type: 'checked'
  /** Of the list of servers that these are by index of. */
  readonly version: number
  readonly reports: readonly HealthReport[]
}

export interface HealthReport {
  readonly server: number
  /** By as many checks as it takes. */
  readonly isUp: boolean
  /** What the latest one found: `status 200`, `connection refused`. */
  readonly found: string
  /** What the latest bad one found; undefined while it is up. */
  readonly reason: string | undefined
  /** Since the thread that checks began. */
  readonly goodCount: number
  readonly badCount: number
  readonly tookMs: number
  /** Since 1970. */
  readonly atMs: number
}

export type LoadNews =
  /** So many bytes are to be read and compressed. */
  | { readonly type: 'found', readonly bytes: number }
  | { readonly type: 'loaded', readonly loaded: LoadedSites }
  | { readonly type: 'checked' }
  | { readonly type: 'load-failed', readonly error: ErrorReport }
