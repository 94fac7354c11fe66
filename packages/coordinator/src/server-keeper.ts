/**
 * The servers that there are: those of the settings and those of the console, in one list that is
 * replaced in every thread whenever one is added, changed or removed. Nobody is sent to one that is
 * new before every thread knows it and a health check has found it up. Main thread.
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
import { oneAtATime } from './turns.ts'

export interface ServerKeeperParts {
  readonly settings: Pick<Settings, 'servers'> & {
    readonly live: Pick<LiveSettings, CheckKey | 'capacity' | 'returnGraceMs'>
  }
  readonly table: Pick<UserTable, 'setServerCount' | 'setLimits' | 'isReferred'>
  readonly states: Pick<ServerStates, 'add' | 'remove'>
  readonly health: Pick<HealthKeeper, 'replace'>
  /** Resolves when every thread has carried it out. */
  readonly tellAll: (order: Order) => Promise<void>
  /** Nobody waits any more for a server that is gone. */
  readonly onChange: () => void
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

type CheckKey =
  'healthPath' | 'healthInterval' | 'healthTimeout' | 'healthRise' | 'healthFall' | 'healthStatus'

export class ServerKeeper {
  readonly #parts: ServerKeeperParts
  readonly #inTurn = oneAtATime()
  #ofSettings: readonly Slot[]
  #stored: readonly StoredServer[] = []

  constructor (parts: ServerKeeperParts) {
    this.#parts = parts
    this.#ofSettings = [...parts.settings.servers]
    this.setLimits()
  }

  /** Those of the console, all of them. @param isStart the monitor has not started yet */
  setStored (
    stored: readonly StoredServer[], isStart: boolean
  ): Promise<AskAnswers['set-servers']> {
    return this.#inTurn(async () => {
      this.#stored = stored
      const { leftOut, told } = this.#replace()
      // The monitor hears it from the answer, and a server's thread when it has started.
      if (isStart) told.catch(error => { this.#logUntold(error) })
      else await told
      this.#checkHealth()
      return { servers: [...this.#parts.settings.servers], leftOut }
    })
  }

  /** Those of the settings, all of them; `live` says how those of the console are checked. */
  setOfSettings (servers: readonly Slot[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#ofSettings = servers
      await this.#replace().told
      this.#checkHealth()
    })
  }

  setLimits (): void {
    const { table, settings: { servers, live } } = this.#parts
    table.setLimits(limitsOf(servers), live.returnGraceMs)
  }

  #replace (): { readonly leftOut: readonly string[], readonly told: Promise<void> } {
    const { settings, table, states, health, tellAll, onChange, log } = this.#parts
    const before = [...settings.servers]
    const { slots, leftOut } = arrange(before, {
      own: ownAsSaid(before, this.#ofSettings),
      external: [...externalServers(this.#ofSettings), ...this.#stored.map(
        server => this.#inForce(server))]
    }, server => table.isReferred(server))
    for (const server of leftOut) {
      log.warn({ server }, 'a server of the console is not in force: its name is taken by the settings, or there is no room')
    }
    if (isDeepStrictEqual(slots, before)) return { leftOut, told: Promise.resolve() }
    table.setServerCount(slots.length)
    for (const slot of slots) {
      const old = before[slot.index]
      if (isDeepStrictEqual(slot, old)) continue
      if (slot.kind === 'removed') states.remove(slot.index)
      else if (old === undefined || old.kind === 'removed') states.add(slot.index)
      log.info({ server: slot.name }, `a server was ${changeOf(old, slot)}`)
    }
    replaceServers(settings.servers, slots)
    this.setLimits()
    // Those that are new follow once every thread knows them.
    health.replace(externalServers(slots).filter(({ index }) => before[index]?.kind === 'external'))
    onChange()
    return { leftOut, told: tellAll({ type: 'replace-servers', servers: slots }) }
  }

  #checkHealth (): void {
    const { health, settings } = this.#parts
    health.replace(externalServers(settings.servers))
  }

  #logUntold (error: unknown): void {
    this.#parts.log.error({ err: error }, 'not every thread has heard of the changed servers')
  }

  /** What it leaves open is as where one setting is for all. */
  #inForce ({ name, publicUrl, weight, capacity, check }: StoredServer): ExternalServer {
    const { live } = this.#parts.settings
    return {
      kind: 'external',
      index: -1,
      name,
      publicUrl,
      weight,
      capacity: capacity ?? (live.capacity.length === 1 ? live.capacity[0] : undefined),
      check: { ...commonCheck(live), ...check },
      source: 'console'
    }
  }
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
