/**
 * What has happened to the servers since the last look, told from their states in the user table
 * and from the meters' counts: a server may die and be back between two looks. Owns no timer.
 */
import type { ServerState } from '@usher/shared/memory/layout.ts'
import type { MeterReader } from '@usher/shared/memory/meters.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'

export type ServerEventType = 'up' | 'down' | 'drain' | 'ready' | 'reload'

export interface ServerEvent {
  readonly type: ServerEventType
  /** Null for what concerns them all. */
  readonly port: number | null
}

interface Seen {
  readonly state: ServerState
  readonly restarts: number
}

export class ServerWatch {
  readonly #table: Pick<UserTable, 'serverState'>
  readonly #meters: Pick<MeterReader, 'restarts' | 'reloads'>
  readonly #ports: readonly number[]
  #seen: readonly Seen[]
  #reloads: number

  constructor (
    table: Pick<UserTable, 'serverState'>, meters: Pick<MeterReader, 'restarts' | 'reloads'>,
    ports: readonly number[]
  ) {
    this.#table = table
    this.#meters = meters
    this.#ports = ports
    this.#seen = this.#see()
    this.#reloads = meters.reloads()
  }

  look (): readonly ServerEvent[] {
    const before = this.#seen
    this.#seen = this.#see()
    const events = this.#seen.flatMap((now, server) =>
      changes(before[server]!, now).map(type => ({ type, port: this.#ports[server]! })))
    const reloads = this.#meters.reloads()
    const isReloaded = reloads !== this.#reloads
    this.#reloads = reloads
    return isReloaded ? [...events, { type: 'reload', port: null }] : events
  }

  #see (): readonly Seen[] {
    return this.#ports.map((_, server) => ({
      state: this.#table.serverState(server), restarts: this.#meters.restarts(server)
    }))
  }
}

/** The first start of a server is the program's start, and no event of its own. */
function changes (before: Seen, now: Seen): readonly ServerEventType[] {
  if (isRunning(before)) {
    if (!isRunning(now)) return ['down']
    if (now.restarts !== before.restarts) return ['down', 'up']
    if (before.state === now.state) return []
    return [now.state === 'draining' ? 'drain' : 'ready']
  }
  return isRunning(now) && before.state !== 'starting' ? ['up'] : []
}

function isRunning ({ state }: Seen): boolean {
  return state === 'up' || state === 'draining'
}
