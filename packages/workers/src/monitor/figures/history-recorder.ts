/**
 * The load of the last day and what happened to the servers: takes a sample every 5 seconds and
 * keeps watch in between, and answers GET /history from what is stored. Runs in the monitor's
 * thread and does not keep it alive.
 */
import type { History } from '@usher/shared/api/history.ts'
import { startInterval as startSystemInterval, type StartInterval } from '@usher/shared/interval.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import {
  ownServers, presentServers, serverKnownAs, type Slot
} from '@usher/shared/settings/servers.ts'
import type { HistoryStore, Loads } from '../../records/history-store.ts'
import { PastServers } from './past-servers.ts'
import { ServerWatch, type ServerEvent, type WatchedMeters } from './server-watch.ts'
import { inYieldingSlices } from '../../yielding.ts'

export interface HistoryParts {
  readonly store: Pick<HistoryStore, 'addSample' | 'samples' | 'addEvent' | 'events' | 'trim'>
  readonly table: Pick<UserTable, 'usersPerServer' | 'activeUsersPerServer' | 'serverState'>
  readonly meters: WatchedMeters
  readonly servers: readonly Slot[]
  /** False for a monitor that replaces another one: the program goes on. */
  readonly isFirstStart: boolean
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  /** Told of what happened to a server, when it is seen. */
  readonly onServerEvent?: (event: ServerEvent, atMs: number) => void
  readonly startInterval?: StartInterval
}

export const SAMPLE_MS = 5000
export const POINTS_MAX = 720
const KEPT_MS = 24 * 3600 * 1000
const TRIM_MS = 600_000
/** A server that dies and is replaced is down for at least this long. */
const WATCH_MS = 250
const MINUTE_MS = 60_000

export class HistoryRecorder {
  readonly #parts: HistoryParts
  readonly #startInterval: StartInterval
  readonly #watch: ServerWatch
  #sampledStep: number
  #trimmedMs = -Infinity
  #lookedMs = -Infinity
  #stop: (() => void) | undefined

  constructor (parts: HistoryParts) {
    this.#parts = parts
    this.#startInterval = parts.startInterval ?? startSystemInterval
    this.#watch = new ServerWatch(parts.table, parts.meters, parts.servers)
    this.#sampledStep = stepOf(parts.wallNow())
  }

  start (): void {
    if (this.#stop !== undefined) return
    const { store, isFirstStart, wallNow } = this.#parts
    if (isFirstStart) store.addEvent(wallNow(), 'start', null)
    this.#stop = this.#startInterval(WATCH_MS, () => { this.#look() })
  }

  close (): void {
    this.#stop?.()
  }

  /** Rejects with DatabaseBusy and DatabaseFailed. */
  async answer (minutes: number, pointsMax = POINTS_MAX): Promise<History> {
    const { store, servers, wallNow } = this.#parts
    const steps = Math.ceil(minutes * MINUTE_MS / SAMPLE_MS / pointsMax)
    const stepMs = steps * SAMPLE_MS
    // Steps lie alike at every call, so that points do not change as time goes on.
    const lastStep = Math.floor(wallNow() / stepMs)
    const count = Math.ceil(minutes * MINUTE_MS / stepMs)
    const fromMs = (lastStep - count + 1) * stepMs
    const { past, sampledCount } = await this.#past(fromMs, stepMs, count)
    // The step that has just begun may have no sample yet; that is no gap.
    const end = Math.max(sampledCount, count - 1)
    const present = new Map(presentServers(servers).map(({ name, index }) => [name, index]))
    const removed = past.removed.map((name, at) => [name, servers.length + at] as const)
    return {
      from: new Date(fromMs).toISOString(),
      step_seconds: stepMs / 1000,
      servers: Object.fromEntries([...present, ...removed].map(([name, index]) => {
        const { active, reserved } = past.of(name)
        return [name, {
          index,
          removed: !present.has(name),
          active_users: active.slice(0, end),
          reserved: reserved.slice(0, end)
        }]
      })),
      events: [...store.events(fromMs)].map(({ atMs, type, server }) => ({
        at: new Date(atMs).toISOString(),
        type,
        server: server === null ? null : serverKnownAs(servers, server)?.name ?? server
      }))
    }
  }

  async #past (
    fromMs: number, stepMs: number, count: number
  ): Promise<{ past: PastServers, sampledCount: number }> {
    const { store, servers } = this.#parts
    const ports = ownServers(servers).map(({ port, name }) => [String(port), name] as const)
    const names = presentServers(servers).map(({ name }) => name)
    const past = new PastServers(names, new Map(ports), count)
    let sampledCount = 0
    const samples = store.samples(fromMs)
    await inYieldingSlices(() => {
      const { value: sample, done: isDone } = samples.next()
      if (isDone === true) return true
      const at = Math.floor((sample.atMs - fromMs) / stepMs)
      // The wall's clock may have been set back since a sample was taken.
      if (at >= count) return true
      sampledCount = at + 1
      past.note(at, sample.loads)
      return false
    })
    return { past, sampledCount }
  }

  #look (): void {
    const { store, wallNow, onServerEvent } = this.#parts
    const nowMs = wallNow()
    for (const event of this.#watch.look()) {
      store.addEvent(nowMs, event.type, event.server?.name ?? null)
      onServerEvent?.(event, nowMs)
    }
    this.#sampleOnce(nowMs)
    // When the clock was set back, samples lie in the future; they would be shown once that time
    // comes.
    const isSetBack = nowMs < this.#lookedMs - SAMPLE_MS
    this.#lookedMs = nowMs
    if (!isSetBack && nowMs - this.#trimmedMs < TRIM_MS) return
    this.#trimmedMs = nowMs
    store.trim(nowMs - KEPT_MS, nowMs + SAMPLE_MS)
  }

  /** One sample in every 5 seconds by the wall's clock: none twice and none left out. */
  #sampleOnce (nowMs: number): void {
    const step = stepOf(nowMs)
    if (step === this.#sampledStep) return
    this.#sampledStep = step
    const { store, table, servers } = this.#parts
    const { active, reserved } = table.usersPerServer()
    const loads = presentServers(servers).map(({ index, name }): [string, Loads[string]] => {
      const state = table.serverState(index)
      const isUp = state === 'up' || state === 'draining'
      return [name, isUp ? [active[index]!, reserved[index]!] : null]
    })
    store.addSample(nowMs, Object.fromEntries(loads))
  }
}

function stepOf (wallMs: number): number {
  return Math.floor(wallMs / SAMPLE_MS)
}
