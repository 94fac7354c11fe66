/**
 * The servers that there are: those of the settings and those of the console, in one list that is
 * replaced in every thread whenever one is added, changed or removed. A thread that does not take
 * it over in time is told again until it has. Nobody is sent to a server that is new before every
 * thread knows it and a health check has found it up. Main thread.
 */
import { isDeepStrictEqual } from 'node:util'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { AskAnswers, Order } from '@usher/shared/messages.ts'
import { replaceServers } from '@usher/shared/settings/server-list.ts'
import {
  externalServers, limitsOf, type ExternalServer, type HealthCheck, type Slot, type StoredServer
} from '@usher/shared/settings/servers.ts'
import type { LiveSettings, Settings } from '@usher/shared/settings/settings.ts'
import type { Definition } from '@usher/shared/settings/setting-definition.ts'
import { TABLE } from '@usher/shared/settings/setting-table.ts'
import type { Logger } from 'pino'
import type { HealthKeeper } from './health-keeper.ts'
import { arrange, ownAsSaid } from './server-slots.ts'
import type { ServerStates } from './server-states.ts'
import type { LateWorker } from './workers.ts'

export interface ServerKeeperParts {
  readonly settings: Pick<Settings, 'servers'> & {
    readonly live: Pick<LiveSettings, CheckKey | 'capacity' | 'returnGraceMs'>
  }
  readonly table: Pick<UserTable, 'setServerCount' | 'setLimits' | 'isReferred'>
  readonly states: Pick<ServerStates, 'add' | 'remove'>
  readonly health: Pick<HealthKeeper, 'replace'>
  /** Resolves with the threads that have not carried it out in time. */
  readonly tellEach: (order: Order) => Promise<readonly LateWorker[]>
  /** Does it after a while; what it returns calls that off. */
  readonly afterPause: (action: () => void) => () => void
  /** Nobody waits any more for a server that is gone. */
  readonly onChange: () => void
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

type CheckKey =
  'healthPath' | 'healthInterval' | 'healthTimeout' | 'healthRise' | 'healthFall' | 'healthStatus'

export class ServerKeeper {
  readonly #parts: ServerKeeperParts
  #ofSettings: readonly Slot[]
  #stored: readonly StoredServer[] = []
  /** Of the list: raised whenever it is another one. */
  #version = 0
  /** The latest that every thread has taken over. */
  #toldVersion = 0
  /** Servers that some thread may not know yet, by index: the version that each came with. */
  readonly #untold = new Map<number, number>()
  #callOffRetry: (() => void) | undefined
  #isClosed = false

  constructor (parts: ServerKeeperParts) {
    this.#parts = parts
    this.#ofSettings = [...parts.settings.servers]
    this.setLimits()
  }

  /** Those of the console, all of them. @param isStart the monitor has not started yet */
  async setStored (
    stored: readonly StoredServer[], isStart: boolean
  ): Promise<AskAnswers['set-servers']> {
    this.#stored = stored
    const leftOut = this.#replace(isStart)
    const telling = this.#tell()
    // The monitor hears it from the answer, and a server's thread when it has started.
    const late = isStart ? [] : await telling
    return { servers: [...this.#parts.settings.servers], leftOut, late }
  }

  /** Those of the settings, all of them; `live` says how those of the console are checked. */
  async setOfSettings (servers: readonly Slot[]): Promise<void> {
    this.#ofSettings = servers
    this.#replace(false)
    await this.#tell()
  }

  /** Nobody is told again. */
  close (): void {
    this.#isClosed = true
    this.#callOffRetry?.()
  }

  setLimits (): void {
    const { table, settings: { servers, live } } = this.#parts
    table.setLimits(limitsOf(servers), live.returnGraceMs)
  }

  /** Returns the names that are left out. @param isKnown threads need not be told of new ones */
  #replace (isKnown: boolean): readonly string[] {
    const { settings, table, states, onChange, log } = this.#parts
    const before = [...settings.servers]
    const { slots, leftOut } = arrange(before, {
      own: ownAsSaid(before, this.#ofSettings),
      external: [...externalServers(this.#ofSettings), ...this.#stored.map(
        server => this.#inForce(server))]
    }, server => table.isReferred(server))
    for (const server of leftOut) {
      log.warn({ server }, 'a server of the console is not in force: its name is taken by the settings, or there is no room')
    }
    if (isDeepStrictEqual(slots, before)) return leftOut
    this.#version++
    table.setServerCount(slots.length)
    for (const slot of slots) {
      const old = before[slot.index]
      if (isDeepStrictEqual(inAnyPlace(slot), inAnyPlace(old))) continue
      if (slot.kind === 'removed') {
        this.#untold.delete(slot.index)
        states.remove(slot.index)
      } else if (old === undefined || old.kind === 'removed') {
        if (!isKnown) this.#untold.set(slot.index, this.#version)
        states.add(slot.index)
      }
      log.info({ server: slot.name }, `a server was ${changeOf(old, slot)}`)
    }
    replaceServers(settings.servers, slots)
    this.setLimits()
    this.#checkHealth()
    onChange()
    return leftOut
  }

  /** Gives every thread the list as it is now; resolves with the names of those that are late. */
  async #tell (): Promise<readonly string[]> {
    const { settings, tellEach, log } = this.#parts
    const version = this.#version
    if (this.#toldVersion >= version) return []
    const late = await tellEach({ type: 'replace-servers', servers: [...settings.servers] })
    if (late.length === 0) {
      this.#noteTold(version)
    } else if (version > this.#toldVersion) {
      for (const { worker, error } of late) {
        log.error({ worker, err: error }, 'a thread has not taken over the list of servers yet, and is told again')
      }
      this.#tellAgain()
    }
    return late.map(({ worker }) => worker)
  }

  #noteTold (version: number): void {
    this.#toldVersion = Math.max(this.#toldVersion, version)
    for (const [server, since] of this.#untold) {
      if (since <= this.#toldVersion) this.#untold.delete(server)
    }
    this.#checkHealth()
  }

  #tellAgain (): void {
    if (this.#isClosed) return
    this.#callOffRetry ??= this.#parts.afterPause(() => {
      this.#callOffRetry = undefined
      void this.#tell()
    })
  }

  /** Whoever is new follows once every thread knows it. */
  #checkHealth (): void {
    const { health, settings } = this.#parts
    const external = externalServers(settings.servers)
    health.replace(external.filter(({ index }) => !this.#untold.has(index)))
  }

  /** What it leaves open is as where one setting is for all. */
  #inForce ({ name, publicUrl, weight, capacity, check }: StoredServer): ExternalServer {
    const { live } = this.#parts.settings
    return {
      kind: 'external',
      index: -1,
      place: -1,
      name,
      publicUrl,
      weight,
      capacity: capacity ?? (live.capacity.length === 1 ? live.capacity[0] : undefined),
      check: { ...commonCheck(live), ...check },
      source: 'console'
    }
  }
}

/** A server that only gets another neighbour is the same. */
function inAnyPlace (slot: Slot | undefined): Slot | undefined {
  return slot?.kind === 'external' ? { ...slot, place: 0 } : slot
}

function changeOf (old: Slot | undefined, { kind }: Slot): string {
  if (kind === 'removed') return 'removed'
  return old === undefined || old.kind === 'removed' ? 'added' : 'changed'
}

/** Of settings that have one entry for each server the defaults. */
function commonCheck (live: Pick<LiveSettings, CheckKey>): HealthCheck {
  const one = <T>(list: readonly T[], { kind, default: text }: CheckRow<T>): T =>
    list.length === 1 ? list[0]! : (kind.parse(text) as { readonly value: readonly T[] }).value[0]!
  return {
    path: one(live.healthPath, TABLE.HEALTH_PATH),
    intervalMs: one(live.healthInterval, TABLE.HEALTH_INTERVAL),
    timeoutMs: one(live.healthTimeout, TABLE.HEALTH_TIMEOUT),
    rise: one(live.healthRise, TABLE.HEALTH_RISE),
    fall: one(live.healthFall, TABLE.HEALTH_FALL),
    statuses: one(live.healthStatus, TABLE.HEALTH_STATUS)
  }
}

type CheckRow<T> = Definition<readonly T[]>
