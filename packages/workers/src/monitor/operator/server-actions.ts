/**
 * Adding, changing and removing external servers while Usher runs: an administrator's, checked as
 * the settings are, stored first, then applied by the coordinator in every thread, then recorded in
 * the audit. One at a time. Those that the settings name are changed there. Runs in the monitor's
 * thread.
 */
import type { NewServer, ServerChange, ServerEntry } from '@usher/shared/api/server-entries.ts'
import { formatAddress } from '@usher/shared/client.ts'
import { OrderTimedOut } from '@usher/shared/errors.ts'
import { SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { quote } from '@usher/shared/quote.ts'
import { baseUrl, type Kind } from '@usher/shared/settings/kinds.ts'
import { serverName, statusRange, urlPath } from '@usher/shared/settings/server-kinds.ts'
import {
  namesOf, ownServers, presentServers, type ExternalServer, type HealthCheck, type Server,
  type Slot, type StoredServer
} from '@usher/shared/settings/servers.ts'
import type { CurrentSession } from '../../accounts/session-store.ts'
import type { Sql } from '../../database/statements.ts'
import type { AuditLog } from '../../records/audit-log.ts'
import type { Drains } from '../../records/drains.ts'
import type { ServerStore } from '../../records/server-store.ts'
import type { WorkerContext } from '../../worker-host.ts'
import type { Permit } from '../access/permit.ts'
import { ApiError } from '../errors/api-error.ts'
import type { Origin } from './logins.ts'
import { serverNamed } from './named-server.ts'

export interface ServerActionsParts {
  readonly store: Pick<ServerStore, 'list' | 'add' | 'change' | 'remove'>
  /** As they are now. */
  readonly servers: readonly Slot[]
  readonly table: Pick<UserTable, 'serverState' | 'isReferred'>
  readonly drains: Pick<Drains, 'forget'>
  readonly audit: Pick<AuditLog, 'add'>
  readonly permit: Pick<Permit, 'check'>
  readonly ask: WorkerContext['ask']
}

/** Longer than the coordinator waits for all threads, so that it hears which was too slow. */
const ASK_TIMEOUT_MS = 12_000
/** What the log calls the main thread. */
const COORDINATOR = 'coordinator'
const MS_PER_SECOND = 1000

export class ServerActions {
  readonly #parts: ServerActionsParts
  #earlier: Promise<unknown> = Promise.resolve()

  constructor (parts: ServerActionsParts) {
    this.#parts = parts
  }

  /** Those in force, then those that are stored and are not. */
  async list (): Promise<readonly ServerEntry[]> {
    const present = presentServers(this.#parts.servers)
    const stored = await this.#parts.store.list()
    const given = new Map(stored.map(server => [server.name, server]))
    const waiting = stored.filter(({ name }) => {
      const server = present.find(one => one.name === name)
      return server?.kind !== 'external' || server.source !== 'console'
    })
    return [
      ...present.map(server => entryOf(server, given)),
      ...waiting.map(server => storedEntry(server, false))
    ]
  }

  /**
   * Throws `bad_request` for a wrong value, `not_acceptable_here` for a taken name.
   * @returns the names of threads that do not know of it yet, as the next two
   */
  add (by: CurrentSession, server: NewServer, origin: Origin): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      checkValue('name', server.name, serverName())
      checkTerms(server)
      const { store } = this.#parts
      await store.add(server, (sql, stored) => {
        this.#check(sql, by)
        this.#checkName(server.name, stored)
        this.#checkRoom(server.name)
      })
      const late = await this.#apply()
      const { name, ...detail } = server
      await this.#record(by, 'server-added', name, detail, origin)
      return late
    })
  }

  /** What is left out stays. Throws as `add`, and `not_found`. */
  change (
    by: CurrentSession, name: string, change: ServerChange, origin: Origin
  ): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      checkTerms(change)
      const { store } = this.#parts
      const isStored = await store.change(name, change, (sql, stored) => {
        this.#check(sql, by)
        this.#checkStored(name, stored, 'change')
      })
      if (!isStored) throw this.#unknown(name)
      const late = await this.#apply()
      await this.#record(by, 'server-changed', name, change, origin)
      return late
    })
  }

  /** Of the last available one by force only. Throws as `change`. */
  remove (
    by: CurrentSession, name: string, isForced: boolean, origin: Origin
  ): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const { store, drains } = this.#parts
      const isStored = await store.remove(name, (sql, stored) => {
        this.#check(sql, by)
        this.#checkStored(name, stored, 'remove')
        if (!isForced) this.#checkOthers(name)
      }, () => { drains.forget(name) })
      if (!isStored) throw this.#unknown(name)
      const late = await this.#apply()
      await this.#record(by, 'server-removed', name, undefined, origin)
      return late
    })
  }

  async #apply (): Promise<readonly string[]> {
    const { store, ask } = this.#parts
    const stored = await store.list()
    try {
      return (await ask({ type: 'set-servers', stored, isStart: false }, ASK_TIMEOUT_MS)).late
    } catch (error) {
      // It carries this out when it comes to it, or finds it stored when it starts.
      if (error instanceof OrderTimedOut) return [COORDINATOR]
      throw error
    }
  }

  #check (sql: Sql, by: CurrentSession): void {
    this.#parts.permit.check(sql, by, 'servers')
  }

  #checkName (name: string, stored: ReadonlyArray<{ readonly name: string }>): void {
    const { servers } = this.#parts
    if (stored.some(one => one.name === name)) {
      throw new ApiError('not_acceptable_here', `There is a server ${name} already.`)
    }
    const holder = presentServers(servers).find(one => one.name === name) ??
      ownServers(servers).find(({ port }) => String(port) === name)
    if (holder === undefined) return
    throw new ApiError('not_acceptable_here', holder.name === name
      ? `There is a server ${name} already; names in use are ${namesOf(servers)}.`
      : `${name} is the port of the server ${holder.name}, and so no other's name.`)
  }

  /** An index is free again when nobody counts there any more. */
  #checkRoom (name: string): void {
    const { servers, table } = this.#parts
    const held = servers.filter(slot => slot.kind !== 'removed' || table.isReferred(slot.index))
    if (held.length < SERVERS_MAX || held.some(slot => slot.name === name)) return
    const gone = held.length - presentServers(servers).length
    throw new ApiError('not_acceptable_here',
      `There are ${SERVERS_MAX} servers, as many as there may be` +
      `${gone === 0 ? '' : `, ${gone} of them removed, whose users have not all gone yet`}: remove one first.`)
  }

  #checkStored (
    name: string, stored: ReadonlyArray<{ readonly name: string }>, what: string
  ): void {
    const { servers } = this.#parts
    const server = presentServers(servers).find(one => one.name === name)
    if (server?.kind === 'own') {
      throw new ApiError('not_acceptable_here', `${name} is an own server: ${what} it in the settings ` +
        '(PORTS, SERVER_NAMES, WEIGHTS, CAPACITY).')
    }
    if (server?.source === 'settings') {
      throw new ApiError('not_acceptable_here', `${name} is named by EXTERNAL_SERVERS: ${what} it in ` +
        'the settings, and reload them.')
    }
    if (!stored.some(one => one.name === name)) throw this.#unknown(name)
  }

  #checkOthers (name: string): void {
    const { servers, table } = this.#parts
    const isUp = (server: Server): boolean => table.serverState(server.index) === 'up'
    const present = presentServers(servers)
    const isMissed = present.some(server => server.name === name && isUp(server))
    if (!isMissed || present.some(server => server.name !== name && isUp(server))) return
    throw new ApiError('not_acceptable_here',
      `${name} is the last available server. Send "force": true to remove it anyway.`)
  }

  #unknown (name: string): ApiError {
    try {
      serverNamed(this.#parts.servers, name)
    } catch (error) {
      return error as ApiError
    }
    return new ApiError('not_found', `The console names no server ${name}.`)
  }

  async #record (
    { username }: CurrentSession, action: string, target: string, detail: object | undefined,
    { address }: Origin
  ): Promise<void> {
    await this.#parts.audit.add({
      who: username,
      action,
      target,
      ...(detail !== undefined && { detail: { ...detail } }),
      address: formatAddress(address)
    })
  }

  #inTurn<T> (work: () => Promise<T>): Promise<T> {
    const turn = this.#earlier.then(work)
    this.#earlier = turn.catch(() => {})
    return turn
  }
}

/** As the settings are checked. Throws `bad_request`, which says what is allowed. */
function checkTerms ({ url, health = {} }: ServerChange): void {
  if (url !== undefined) checkValue('url', url, baseUrl())
  const { path, status } = health
  if (typeof path === 'string') checkValue('health.path', path, urlPath())
  if (typeof status === 'string') checkValue('health.status', status, statusRange())
}

function checkValue (field: string, text: string, kind: Kind<unknown>): void {
  if (kind.parse(text).refusal === undefined) return
  throw new ApiError('bad_request', `${field} is ${quote(text)}; allowed: ${kind.allowed}.`)
}

function entryOf (server: Server, stored: ReadonlyMap<string, StoredServer>): ServerEntry {
  if (server.kind === 'external') {
    const given = server.source === 'console' ? stored.get(server.name) : undefined
    return given === undefined ? settingsEntry(server) : storedEntry(given, true)
  }
  const { name, kind, publicUrl, weight, capacity } = server
  return {
    name,
    kind,
    source: 'settings',
    url: publicUrl ?? null,
    weight: weight ?? null,
    capacity: capacity ?? null,
    health: null,
    in_force: true
  }
}

function settingsEntry ({ source, ...server }: ExternalServer): ServerEntry {
  return { ...storedEntry(server, true), source }
}

function storedEntry (
  { name, publicUrl: url, weight, capacity, check }: StoredServer, isInForce: boolean
): ServerEntry {
  return {
    name,
    kind: 'external',
    source: 'console',
    url,
    weight: weight ?? null,
    capacity: capacity ?? null,
    health: healthEntry(check),
    in_force: isInForce
  }
}

function healthEntry (
  { path, intervalMs, timeoutMs, rise, fall, statuses }: Partial<HealthCheck>
): NonNullable<ServerEntry['health']> {
  return {
    path: path ?? null,
    interval: inSeconds(intervalMs),
    timeout: inSeconds(timeoutMs),
    rise: rise ?? null,
    fall: fall ?? null,
    status: statuses === undefined ? null : statusRange().format(statuses)
  }
}

function inSeconds (ms: number | undefined): number | null {
  return ms === undefined ? null : ms / MS_PER_SECOND
}
