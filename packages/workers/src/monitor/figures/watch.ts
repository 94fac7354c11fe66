/**
 * Everything that the monitor measures: rates, history, event streams, logins; and the content of
 * /stats, /history, /events and /metrics. Owns their timers; runs in the monitor's thread.
 */
import type { History } from '@usher/shared/api/history.ts'
import type { Stats } from '@usher/shared/api/stats.ts'
import { readCertificate, type Certificate } from '@usher/shared/certificate.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { startInterval } from '@usher/shared/interval.ts'
import { MeterReader } from '@usher/shared/memory/meters.ts'
import type { FleetReport, HealthReport } from '@usher/shared/messages.ts'
import { followServers } from '@usher/shared/settings/server-list.ts'
import manifest from '../../../../../package.json' with { type: 'json' }
import type { Denials } from '../../records/denials.ts'
import type { Drains } from '../../records/drains.ts'
import type { HistoryStore } from '../../records/history-store.ts'
import type { NodeCards } from '../../fleet/node-cards.ts'
import type { WorkerContext } from '../../worker-host.ts'
import { ANSWER_MS } from '../fleet/fleet-users.ts'
import { EventHub } from './event-hub.ts'
import { HistoryRecorder } from './history-recorder.ts'
import type { LoginOutcome } from '../operator/logins.ts'
import { factsOf } from './fleet-report.ts'
import { renderMetrics } from './metrics.ts'
import { Rates } from './rates.ts'
import { StateChanges } from './state-changes.ts'
import { buildStats, type StatsParts } from './stats-report.ts'
import { Suspects } from './suspects.ts'
import { userIds } from './user-queries.ts'

export interface WatchedStores {
  readonly denials: Pick<Denials, 'count'>
  readonly drains: Pick<Drains, 'of'>
  readonly history: HistoryStore
}

const DENIED_COUNT_MS = 1000

export class Watch {
  readonly hub: EventHub
  readonly #context: WorkerContext
  readonly #stores: WatchedStores
  readonly #rates: Rates
  readonly #history: HistoryRecorder
  readonly #statsParts: StatsParts
  /** Of external servers, the latest. */
  readonly #health: Map<number, HealthReport>
  readonly #suspects: Suspects
  readonly #cards: NodeCards | undefined
  #fleet: FleetReport | undefined
  readonly #logins: Record<LoginOutcome, number> = { ok: 0, failed: 0, throttled: 0 }
  #certificate: Certificate | undefined
  #deniedCount = 0
  #stopCounting: (() => void) | undefined
  #stopSuspecting: (() => void) | undefined

  /** @param cards of a fleet's nodes; undefined where the program is alone */
  constructor (context: WorkerContext, stores: WatchedStores, cards?: NodeCards) {
    const { boot, table } = context
    const { settings, isFirstStart } = boot
    if (settings.tls !== undefined) this.setCertificate(settings.tls.cert)
    const meters = new MeterReader(boot.meters, monotonicNowMs)
    this.#context = context
    this.#health = new Map(boot.health.map(report => [report.server, report]))
    this.#fleet = boot.fleet
    this.#suspects = new Suspects({ table, settings })
    this.#stores = stores
    this.#rates = new Rates(meters)
    const changes = new StateChanges(() => table.activeUsersPerServer())
    this.#history = new HistoryRecorder({
      store: stores.history,
      table,
      meters,
      servers: settings.servers,
      isFirstStart,
      wallNow: Date.now,
      onServerEvent: (event, atMs) => { changes.note(event, atMs) }
    })
    followServers(settings.servers, () => {
      for (const { kind, index } of settings.servers) {
        if (kind !== 'removed') continue
        changes.forget(index)
        this.#health.delete(index)
      }
    })
    this.#statsParts = {
      table,
      rates: this.#rates,
      servers: settings.servers,
      policy: settings.policy,
      usersMax: settings.maxUsers,
      startedMs: Math.round(Date.now() - process.uptime() * 1000),
      lastChange: server => changes.last(server),
      drain: server => stores.drains.of(server),
      health: server => this.#health.get(server),
      isSuspect: server => this.#suspects.has(server),
      deniedUsers: () => this.#deniedCount,
      certificate: () => this.#certificate,
      nodeName: settings.nodeName,
      fleet: () => this.#fleet,
      otherNodes: () => ({ nodes: cards?.look() ?? [], isHeard: cards?.isHeard ?? false }),
      version: manifest.version,
      wallNow: Date.now
    }
    this.#cards = cards
    this.hub = new EventHub({ makeSnapshot: () => buildStats(this.#statsParts) })
  }

  start (): void {
    // Without the others: a node that nobody looks at reads no cards.
    const ownParts = { ...this.#statsParts, fleet: () => undefined }
    this.#cards?.showFacts(() => factsOf(buildStats(ownParts), manifest.version))
    this.#rates.start()
    this.#history.start()
    this.#stopCounting = startInterval(DENIED_COUNT_MS, () => { void this.#countDenied() })
    const { heartbeatIntervalMs } = this.#context.boot.settings
    this.#stopSuspecting = startInterval(heartbeatIntervalMs, () => { void this.#suspects.look() })
  }

  close (): void {
    this.#stopCounting?.()
    this.#stopSuspecting?.()
    this.hub.close()
    this.#history.close()
    this.#rates.close()
  }

  /** The one that new connections get from now on. */
  setCertificate (cert: string): void {
    this.#certificate = readCertificate(cert)
  }

  noteHealth (reports: readonly HealthReport[]): void {
    for (const report of reports) this.#health.set(report.server, report)
  }

  noteFleet (report: FleetReport): void {
    this.#fleet = report
  }

  countLogin (outcome: LoginOutcome): void {
    this.#logins[outcome]++
  }

  /** @param idsPerServer 0 for none */
  async stats (idsPerServer: number): Promise<Stats> {
    await Promise.all([this.#countDenied(), this.#cards?.others(ANSWER_MS)])
    return buildStats(this.#statsParts, await userIds(this.#context.table, idsPerServer))
  }

  /** @param pointsMax in each series; POINTS_MAX if left out */
  history (minutes: number, pointsMax?: number): Promise<History> {
    return this.#history.answer(minutes, pointsMax)
  }

  metrics (): string {
    return renderMetrics({
      ...this.#statsParts,
      table: this.#context.table,
      rates: this.#rates,
      logins: this.#logins,
      streamCount: () => this.hub.size,
      version: manifest.version,
      process
    })
  }

  /**
   * While the database cannot be read the previous number is kept, so that /stats still answers.
   */
  async #countDenied (): Promise<void> {
    this.#deniedCount = await this.#stores.denials.count().catch(() => this.#deniedCount)
  }
}
