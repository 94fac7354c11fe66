/**
 * What has happened to the servers since the last look, told from the list of them, their states in
 * the user table and the meters' counts: a server may die and be back between two looks. Owns no
 * timer.
 */
import type { ServerState } from '@usher/shared/memory/layout.ts'
import type { MeterReader } from '@usher/shared/memory/meters.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'

export type ServerEventType =
  'add' | 'remove' | 'up' | 'down' | 'drain' | 'ready' | 'restart' | 'reload'

export interface ServerEvent {
  readonly type: ServerEventType
  /** Undefined for what concerns them all. */
  readonly server: Pick<Slot, 'index' | 'name'> | undefined
}

export type WatchedMeters = Pick<MeterReader, 'restarts' | 'upSinceS' | 'reloads'>

interface Seen {
  readonly name: string
  readonly state: ServerState
  readonly restarts: number
  readonly upSinceS: number
}

/** An index without a server. */
const NOBODY: Seen = { name: '', state: 'down', restarts: 0, upSinceS: 0 }

export class ServerWatch {
  readonly #table: Pick<UserTable, 'serverState'>
  readonly #meters: WatchedMeters
  readonly #servers: readonly Slot[]
  /** By index. */
  #seen: readonly Seen[]
  #reloads: number

  constructor (
    table: Pick<UserTable, 'serverState'>, meters: WatchedMeters,
    servers: readonly Slot[]
  ) {
    this.#table = table
    this.#meters = meters
    this.#servers = servers
    this.#seen = this.#see()
    this.#reloads = meters.reloads()
  }

  look (): readonly ServerEvent[] {
    const before = this.#seen
    this.#seen = this.#see()
    const events = this.#seen.flatMap((now, index): ServerEvent[] => {
      const old = before[index] ?? NOBODY
      if (old.name === now.name) {
        return changes(old, now).map(type => ({ type, server: { index, name: now.name } }))
      }
      return [
        ...(isThere(old) ? [{ type: 'remove', server: { index, name: old.name } } as const] : []),
        ...(isThere(now) ? [{ type: 'add', server: { index, name: now.name } } as const] : [])
      ]
    })
    const reloads = this.#meters.reloads()
    const isReloaded = reloads !== this.#reloads
    this.#reloads = reloads
    return isReloaded ? [...events, { type: 'reload', server: undefined }] : events
  }

  #see (): readonly Seen[] {
    return this.#servers.map(({ kind, index, name }) => ({
      name: kind === 'removed' ? NOBODY.name : name,
      state: this.#table.serverState(index),
      // An external server has no thread.
      restarts: kind === 'own' ? this.#meters.restarts(index) : 0,
      upSinceS: kind === 'own' ? this.#meters.upSinceS(index) : 0
    }))
  }
}

function isThere ({ name }: Seen): boolean {
  return name !== NOBODY.name
}

/** The first start of a server is the program's start, and no event of its own. */
function changes (before: Seen, now: Seen): readonly ServerEventType[] {
  if (!isThere(now)) return []
  if (before.state === now.state && now.state === 'maintenance') return []
  if (now.state === 'maintenance') return before.state === 'starting' ? [] : ['drain']
  if (before.state === 'maintenance' && now.state === 'draining') return []
  if (before.state === 'maintenance') return [now.state === 'up' ? 'ready' : 'down']
  if (isRunning(before)) {
    // Only who is restarted on purpose starts again before it has died.
    if (now.state === 'starting') return ['restart']
    if (!isRunning(now)) return ['down']
    if (now.restarts !== before.restarts) return ['down', 'up']
    if (now.upSinceS !== before.upSinceS) return ['restart']
    if (before.state === now.state) return []
    return [now.state === 'draining' ? 'drain' : 'ready']
  }
  return isRunning(now) && before.state !== 'starting' ? ['up'] : []
}

function isRunning ({ state }: Seen): boolean {
  return state === 'up' || state === 'draining'
}
