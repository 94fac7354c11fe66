/**
 * The main thread's whole: makes the user table, starts the workers, then the router; answers for
 * what the monitor asks, reloads and the stop. Owns no socket and no lock of its own.
 */
import { networkInterfaces } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { readCertificate } from '@usher/shared/certificate.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import type { TlsPair } from '@usher/shared/http/tls-context.ts'
import type { ProgramLog } from '@usher/shared/log.ts'
import type { LogLossesMemory } from '@usher/shared/memory/log-losses.ts'
import type { ThreadMeter } from '@usher/shared/memory/meters.ts'
import type { Newcomers } from '@usher/shared/memory/newcomers.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { SettingChanges } from '@usher/shared/settings/setting-changes.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import { canSharePorts } from '@usher/shared/http/listen.ts'
import { announce } from './announcement.ts'
import { CertificateWatch } from './certificate-watch.ts'
import { allocateClusterMemory } from './cluster-memory.ts'
import { clusterServers, type ClusterServers } from './cluster-servers.ts'
import { watchDescriptors } from './descriptor-watch.ts'
import type { FleetNode } from './fleet/fleet-node.ts'
import type { EarlyServer } from './early-server.ts'
import { Expulsion } from './expulsion.ts'
import { CONNECTIONS_SHARE, stopGracefully } from './graceful-stop.ts'
import { answerAsk, askedActions, type AskedActions } from './monitor-asks.ts'
import { watchNewcomers } from './newcomer-warning.ts'
import { PREPARE_TIMEOUT_MS, reloader } from './reload.ts'
import { Restarts } from './restarts.ts'
import { openRouterDoor, type RouterDoor } from './router-door.ts'
import { SiteKeeper } from './site-keeper.ts'
import { hasDatabase, startInOrder } from './start-order.ts'
import { startSweep, type Sweep } from './sweep-schedule.ts'
import { TicketIssuer } from './ticket-issuer.ts'
import { oneAtATime } from '@usher/shared/turns.ts'
import { Workers } from './workers.ts'

export interface CoordinatorParts {
  /** With a number for every port. */
  readonly settings: Settings
  /** Reads the settings again and compares them with these; throws `SettingsInvalid`. */
  readonly readChanges: () => SettingChanges
  readonly programDir: string
  readonly earlyServer: EarlyServer
  readonly isTerminal: boolean
  readonly log: ProgramLog
  /** Of that log; the workers' share it. */
  readonly logLosses: LogLossesMemory
}

const ORDER_TIMEOUT_MS = 5000
/** Shorter than the monitor waits for its answer, so that it hears which thread was too slow. */
const ASKED_ORDER_TIMEOUT_MS = 4000

/** Resolves when visitors are welcome; rejects, with nothing running, when a part cannot start. */
export async function startCoordinator (parts: CoordinatorParts): Promise<Coordinator> {
  const coordinator = new Coordinator(parts)
  await coordinator.start()
  return coordinator
}

export class Coordinator {
  /** Settings and files are read again. Never rejects: it logs. */
  readonly reload: () => Promise<void>
  readonly restarts: Restarts
  readonly #tickets: TicketIssuer
  readonly actions: AskedActions
  readonly #settings: Settings
  readonly #programDir: string
  readonly #log: ProgramLog
  readonly #table: UserTable
  readonly #newcomers: Newcomers
  readonly #meter: ThreadMeter
  readonly #sites: SiteKeeper
  readonly #workers: Workers
  readonly #expulsion: Expulsion
  readonly #servers: ClusterServers
  readonly #certificateWatch: CertificateWatch
  /** Undefined where the program is alone. */
  #fleet: FleetNode | undefined
  /** The certificate of new connections, and of threads that start. */
  #tls: TlsPair | undefined
  #router: RouterDoor | undefined
  #sweep: Sweep | undefined
  #stopWatching: ReadonlyArray<() => void> = []
  #closed: Promise<void> | undefined

  constructor (parts: CoordinatorParts) {
    const { settings, readChanges, programDir, earlyServer, isTerminal, log, logLosses } = parts
    const { memory, meters, table, newcomers, meter, clusterMeter } =
      allocateClusterMemory(settings)
    this.#newcomers = newcomers
    this.#settings = settings
    this.#tls = settings.tls
    this.#programDir = programDir
    this.#log = log
    this.#meter = meter
    this.#table = table
    this.#expulsion = new Expulsion({
      table: this.#table,
      tellServers: order => this.#workers.tellServers(order, ASKED_ORDER_TIMEOUT_MS),
      closeAtRouter: async isMatch => { await this.#router?.closeClients(isMatch) },
      now: monotonicNowMs,
      log
    })
    this.#servers = clusterServers({
      settings,
      table,
      programDir,
      workers: () => this.#workers,
      onNews: () => {
        this.#router?.serverStarted()
        this.#fleet?.serversChanged()
      },
      log
    })
    this.#sites = new SiteKeeper({
      ...settings, tableBytes: memory.buffer.byteLength, programDir, log
    })
    this.#workers = new Workers({
      boot: () => ({
        memory,
        meters,
        logLosses,
        settings: { ...settings, tls: this.#tls },
        denyEntries: this.#expulsion.entries,
        ticketKeys: this.#tickets.published,
        health: this.#servers.health.reports,
        fleet: this.#fleet?.report,
        isTerminal,
        programDir
      }),
      servers: settings.servers,
      programDir,
      table: this.#table,
      states: this.#servers.states,
      meter: clusterMeter,
      sites: this.#sites,
      onServerUp: () => { this.#router?.serverStarted() },
      takeServerThread: () => earlyServer.take(),
      onAsk: ask => answerAsk(this.actions, ask),
      retireTimeoutMs: settings.shutdownTimeoutMs * CONNECTIONS_SHARE,
      log
    })
    this.#tickets = new TicketIssuer({ ...settings, workers: this.#workers, log })
    const inTurn = oneAtATime()
    this.restarts = new Restarts({
      ...settings,
      table: this.#table,
      states: this.#servers.states,
      workers: this.#workers,
      inTurn,
      canSharePorts,
      log
    })
    this.actions = askedActions({
      sites: this.#sites,
      expulsion: this.#expulsion,
      servers: this.#servers,
      restarts: this.restarts,
      tickets: this.#tickets
    })
    this.#certificateWatch = new CertificateWatch({
      publicHosts: settings.publicHosts, wallNow: Date.now, now: monotonicNowMs, log
    })
    this.reload = reloader({
      readChanges,
      live: settings.live,
      sites: this.#sites,
      setLimits: () => { this.#servers.list.setLimits() },
      setServers: servers => this.#servers.list.setOfSettings(servers),
      workers: this.#workers,
      reopenLog: async () => {
        log.reopenFile()
        await this.#workers.tellAll({ type: 'reopen-log' }, ORDER_TIMEOUT_MS)
      },
      switchCertificate: pair => this.#switchCertificate(pair),
      meter: clusterMeter,
      inTurn,
      log
    })
  }

  async start (): Promise<void> {
    try {
      await this.#joinFleet()
      const isKnown = hasDatabase(this.#settings.dbPath)
      if (!isKnown) this.#expulsion.denyNobody()
      await startInOrder({
        servers: this.#settings.servers,
        workers: this.#workers,
        health: this.#servers.health,
        hasDatabase: isKnown,
        openRouter: mayOpen => this.#openRouter(mayOpen),
        onServersUp: () => { this.#log.load() }
      })
      await this.#compressSites()
      await this.#tellReadiness(undefined)
    } catch (error) {
      this.#sites.close()
      this.#servers.close()
      await this.#router?.close()
      await this.#fleet?.close()
      await this.#workers.close(this.#settings.shutdownTimeoutMs)
      throw error
    }
    this.#sweep = startSweep({
      table: this.#table, settings: this.#settings, now: monotonicNowMs, log: this.#log
    })
    this.#stopWatching = [
      watchDescriptors({ log: this.#log }),
      watchNewcomers({ table: this.#table, now: monotonicNowMs, log: this.#log }),
      () => { this.#certificateWatch.close() }
    ]
    if (this.#tls !== undefined) this.#certificateWatch.watch(this.#tls.cert)
    announce(this.#settings, networkInterfaces(), this.#log)
  }

  /** First of all, because an engine that cannot be used is a wrong setting. */
  async #joinFleet (): Promise<void> {
    if (this.#settings.clusterUrl === '') return
    const { FleetNode } = await import('./fleet/fleet-node.ts')
    this.#fleet = new FleetNode({
      settings: this.#settings,
      table: this.#table,
      newcomers: this.#newcomers,
      tellMonitor: order => this.#workers.monitor.ask(order, ORDER_TIMEOUT_MS),
      log: this.#log
    })
    await this.#fleet.start()
  }

  async #openRouter (mayOpen: Promise<void>): Promise<void> {
    this.#router = await openRouterDoor({
      settings: this.#settings,
      programDir: this.#programDir,
      table: this.#table,
      denyList: this.#expulsion.list,
      tickets: this.#tickets,
      fleet: this.#fleet,
      isDrained: server => this.#servers.states.isDrained(server),
      mayOpen,
      meter: this.#meter,
      log: this.#log
    })
  }

  /** The servers began with files that nothing was compressed of. */
  async #compressSites (): Promise<void> {
    const loaded = await this.#sites.complete()
    if (loaded === undefined) return
    await this.#workers.tellServers({ type: 'prepare-reload', loaded }, PREPARE_TIMEOUT_MS)
    this.#sites.keep(loaded)
    await this.#workers.tellServers({ type: 'commit-reload', loaded }, ORDER_TIMEOUT_MS)
  }

  /** The graceful stop: what has begun is answered, users are saved. Safe to call twice. */
  close (): Promise<void> {
    this.#closed ??= stopGracefully({
      settings: this.#settings,
      table: this.#table,
      sites: this.#sites,
      workers: this.#workers,
      leaveFleet: withinMs => this.#fleet?.leave(withinMs),
      closeRouter: () => this.#router?.close(),
      tellReadiness: reason => this.#tellReadiness(reason),
      endWatches: async () => {
        this.#servers.close()
        await this.#fleet?.close()
        for (const stop of this.#stopWatching) stop()
        await this.#sweep?.close()
      },
      log: this.#log
    })
    return this.#closed
  }

  async #switchCertificate (pair: TlsPair): Promise<void> {
    if (isDeepStrictEqual(pair, this.#tls)) return
    this.#tls = pair // From here on threads that start have it.
    this.#router?.setCertificate(pair)
    await this.#workers.tellAll({ type: 'switch-certificate', pair }, ORDER_TIMEOUT_MS)
    const validTo = new Date(readCertificate(pair.cert).validToMs).toISOString()
    this.#log.info({ validTo }, 'the certificate was changed: new connections get it')
    this.#certificateWatch.watch(pair.cert)
  }

  async #tellReadiness (reason: string | undefined): Promise<void> {
    await this.#workers.monitor.ask({ type: 'set-readiness', reason }, ORDER_TIMEOUT_MS)
  }
}
