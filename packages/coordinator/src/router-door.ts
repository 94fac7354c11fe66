/**
 * The router on its port: the handler with the queue of waiting visitors and the places held for
 * them, and how all of it comes to its end. Main thread.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { POLICIES } from '@usher/shared/balancing/policies.ts'
import { hashChooser } from '@usher/shared/balancing/rendezvous.ts'
import { weighed } from '@usher/shared/balancing/weights.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import type { ClientMatch } from '@usher/shared/client.ts'
import type { DenyList } from '@usher/shared/deny-list.ts'
import type { TlsPair } from '@usher/shared/http/tls-context.ts'
import type { HttpMeter } from '@usher/shared/http/checked-server.ts'
import { htmlReply, NO_STORE } from '@usher/shared/http/vocabulary/replies.ts'
import type { Handler } from '@usher/shared/http/vocabulary/values.ts'
import { openDoor, type DoorOptions } from '@usher/shared/http/serve.ts'
import type { ServerState } from '@usher/shared/memory/layout.ts'
import type { ThreadMeter } from '@usher/shared/memory/meters.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { LOOPBACK } from '@usher/shared/networks.ts'
import { followServers } from '@usher/shared/settings/server-list.ts'
import { presentServers } from '@usher/shared/settings/servers.ts'
import type { Settings } from '@usher/shared/settings/settings.ts'
import { ForeignOriginWarning, ForeignWarning } from '@usher/shared/foreign-warning.ts'
import { SCRIPT_PATH } from '@usher/shared/page-script.ts'
import { QuotaWarning } from '@usher/shared/quota-warning.ts'
import { sampleThread } from '@usher/shared/thread-sampler.ts'
import { UnknownHostWarning } from '@usher/shared/unknown-host-warning.ts'
import type { Logger } from 'pino'
import type { FleetNode } from './fleet/fleet-node.ts'
import { DeadlineQueue } from './deadline-queue.ts'
import { DECISION_ALLOW, decisionHandler } from './decisions.ts'
import { HeldPlaces } from './held-places.ts'
import { localPlacer, type PlacingParts, type Waiting } from './placing.ts'
import {
  isRedirect, ROUTER_ALLOW, routerHandler, type RouterParts
} from './router.ts'
import { isForServer, serverBeats } from './server-beats.ts'
import { serverScript } from './server-script.ts'
import { StartWaits } from './start-waits.ts'
import type { TicketIssuer } from './ticket-issuer.ts'
import { upstreamsOf } from './upstreams.ts'

export interface RouterDoorParts {
  readonly settings: Settings
  readonly programDir: string
  readonly table: UserTable
  readonly denyList: DenyList
  readonly tickets: TicketIssuer
  /** Undefined where the program is alone. */
  readonly fleet: Pick<FleetNode, 'placer'> | undefined
  /** Whether a server that starts will drain then. */
  readonly isDrained: (server: number) => boolean
  /** The port opens when it resolves, and not at all when it rejects. */
  readonly mayOpen: Promise<void>
  readonly meter: ThreadMeter
  readonly log: Logger
}

export interface RouterDoor {
  /** Of HTTPS, see CheckedServer. */
  setCertificate (pair: TlsPair): void
  /** One more server serves: those who wait for it go there. */
  serverStarted (): void
  /**
   * Those who wait are answered at once, by what holds for them now, and their connections are
   * closed; resolves when they are.
   */
  closeClients (isMatch: ClientMatch): Promise<void>
  /**
   * Stops to accept, answers the waiting visitors at once, and resolves when all are gone. Called
   * before the servers close: whoever comes late is still sent to one that was up by then.
   */
  close (): Promise<void>
}

interface Wait {
  readonly visitor: Waiting
  readonly end: () => void
}

const BODY_BYTES_MAX = 1024

export async function openRouterDoor (parts: RouterDoorParts): Promise<RouterDoor> {
  const { settings, programDir, table, denyList, tickets, meter, log } = parts
  const reservations = new HeldPlaces(table, monotonicNowMs, settings)
  const waits = new DeadlineQueue<Wait>(monotonicNowMs, ({ end }) => { end() })
  /** Of each server, when the router began to close. */
  let lastStates: readonly ServerState[] | undefined

  const delayMs = (): number =>
    lastStates === undefined ? settings.live.delayBetweenRoutingMs : 0

  const { fault, ...pages } = readPages(programDir)
  const startWaits = new StartWaits(
    server => table.serverState(server) === 'starting' && !parts.isDrained(server),
    settings.servers)
  /** The servers of a program that stops end before its router: their users come back to them. */
  const isAvailable = (server: number): boolean =>
    startWaits.isStarting(server) || (lastStates?.[server] ?? table.serverState(server)) === 'up'
  const quotaWarning = new QuotaWarning(log, monotonicNowMs)
  const foreignWarning = new ForeignWarning(log, monotonicNowMs)
  const originWarning = new ForeignOriginWarning(log, monotonicNowMs)
  const unknownHosts = new UnknownHostWarning(log, settings.publicHosts,
    `redirects lead to ${settings.ip} instead`)
  const choosers = chooserFor(parts, isAvailable)
  const placing: PlacingParts & Omit<RouterParts, 'placer'> = {
    settings,
    servers: settings.servers,
    table,
    denyList,
    tickets,
    reservations,
    choose: request => choosers.choose(request),
    chooseByHash: client => choosers.chooseByHash(client),
    isAvailable,
    isStarting: server => startWaits.isStarting(server),
    waitForStart: (visitor, server, end) => { startWaits.add({ visitor, server, end }) },
    delayMs,
    // A visitor's wait is an entry of the queue, not a timer of its own.
    wait: (visitor, end) => { waits.add({ visitor, end }, monotonicNowMs() + delayMs()) },
    onAddressFull: address => { quotaWarning.note(address) },
    onForeign: request => { foreignWarning.note(request) },
    onUnknownHost: host => { unknownHosts.note(host) },
    reasonNotHealthy: () => {
      if (lastStates !== undefined) return 'stopping'
      return startWaits.isStarting() ? 'starting' : undefined
    },
    pages,
    log
  }
  const routing = { ...placing, placer: parts.fleet?.placer(placing) ?? localPlacer(placing) }
  const route = routerHandler(routing)
  const answerBeat = serverBeats({
    ...routing,
    settings,
    table,
    onForeign: request => { originWarning.note(request) },
    tickets,
    onBeat: server => { meter.beatAnsweredFor(server) },
    random: Math.random,
    now: monotonicNowMs
  })
  const sendScript = serverScript({
    settings,
    // Loaded then: no start waits for it.
    readScript: () => process.getBuiltinModule('node:fs/promises')
      .readFile(join(programDir, 'server-usher.js'), 'utf8')
  })
  const handler: Handler = request => {
    if (request.path === SCRIPT_PATH) return sendScript(request)
    return isForServer(request) ? answerBeat(request) : route(request)
  }
  await parts.mayOpen
  const common = {
    ...settings,
    bodyBytesMax: BODY_BYTES_MAX,
    meter: redirectMeter(meter),
    log,
    renderFault: (code: string) =>
      htmlReply(500, fault.toString().replace('__CODE__', code), NO_STORE)
  }
  const door = await openDoor({
    ...common, port: settings.routingPort, handler, allow: ROUTER_ALLOW
  })
  const { decisionPort } = settings
  let upstreams: readonly string[] = []
  followServers(settings.servers, () => { upstreams = upstreamsOf(settings) })
  const decisionDoor = decisionPort === undefined
    ? undefined
    : await openDoor({
      ...common,
      ...decisionDoorSettings(settings),
      port: decisionPort,
      handler: decisionHandler({
        ...routing, settings, table, tickets, upstreams: () => upstreams
      }),
      allow: DECISION_ALLOW
    })
  const sampling = sampleThread(meter,
    () => door.connectionCount() + (decisionDoor?.connectionCount() ?? 0))
  return {
    setCertificate: door.setCertificate,
    serverStarted () { startWaits.serverStarted() },
    async closeClients (isMatch) {
      // Marks the replies as last before they are made.
      const closed = Promise.all([door.closeClients(isMatch), decisionDoor?.closeClients(isMatch)])
      const isTheirs = ({ visitor: { client, address } }: Wait): boolean => isMatch(client, address)
      waits.flushWhere(isTheirs)
      startWaits.endWhere(isTheirs)
      await closed
    },
    async close () {
      lastStates = settings.servers.map(({ index }) => table.serverState(index))
      // Stop to accept before the waiting visitors are let go.
      const closed = Promise.all([door.close(), decisionDoor?.close()])
      waits.flush()
      startWaits.close()
      tickets.close()
      await closed
      waits.close()
      reservations.close()
      sampling.close()
    }
  }
}

/** How servers are chosen among those that there are now. */
function chooserFor (
  { settings, table }: RouterDoorParts, isAvailable: (server: number) => boolean
): Pick<RouterParts, 'choose' | 'chooseByHash'> {
  const weightPercent = (server: number): number => table.weightPercent(server)
  const make = (): Pick<RouterParts, 'choose' | 'chooseByHash'> => {
    const servers = weighed(presentServers(settings.servers), table)
    return {
      choose: POLICIES[settings.policy].make(servers, isAvailable, weightPercent),
      chooseByHash: hashChooser(servers, isAvailable, weightPercent)
    }
  }
  const choosers = { ...make() }
  followServers(settings.servers, () => { Object.assign(choosers, make()) })
  return choosers
}

/** Plain HTTP, for proxies: one on this machine need not be named in TRUST_PROXY. */
function decisionDoorSettings ({ decisionHost, trustProxy }: Settings): Pick<DoorOptions,
  'host' | 'trustProxy' | 'proxyProtocol' | 'tls'> {
  return {
    host: decisionHost,
    trustProxy: [...trustProxy, ...LOOPBACK],
    proxyProtocol: 'off',
    tls: undefined
  }
}

/** Times redirects only: who is refused does not wait, and would make the waits look short. */
function redirectMeter (meter: ThreadMeter): HttpMeter {
  return {
    answered (status, durationMs) {
      meter.answered(status, isRedirect(status) ? durationMs : undefined)
    },
    proxyHeaderRefused () { meter.proxyHeaderRefused() }
  }
}

function readPages (
  programDir: string
): Record<'denied' | 'full' | 'network' | 'unavailable' | 'fault', Buffer> {
  const read = (page: string): Buffer => readFileSync(join(programDir, 'html/pages', page))
  return {
    denied: read('denied.html'),
    full: read('full.html'),
    network: read('network.html'),
    unavailable: read('unavailable.html'),
    fault: read('fault.html')
  }
}
