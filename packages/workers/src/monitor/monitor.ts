/**
 * The monitor as a whole, over its open stores: logins, actions, figures, pages, and the port on
 * which they are asked for. Runs in the monitor's thread.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Users } from '@usher/shared/api/users.ts'
import { parseAddress, UNKNOWN_ADDRESS } from '@usher/shared/client.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { messageSourceReader } from '@usher/shared/http/vocabulary/forwarded.ts'
import { socketPeerReader } from '@usher/shared/http/proxy-protocol/named-peers.ts'
import { canSharePorts, hostsToTry, listenOn } from '@usher/shared/http/listen.ts'
import type { FleetReport, HealthReport } from '@usher/shared/messages.ts'
import type { TlsPair } from '@usher/shared/http/tls-context.ts'
import manifest from '../../../../package.json' with { type: 'json' }
import { CredentialsPool } from '../credentials/pool.ts'
import type { WorkerContext } from '../worker-host.ts'
import { stopYielding } from '../yielding.ts'
import { NodeActions } from './operator/node-actions.ts'
import { Actions } from './operator/operator-actions.ts'
import { buildApp } from './app.ts'
import { ensureFirstAdmin } from '../accounts/first-admin.ts'
import { FleetConsole, type FleetReach } from './fleet-console.ts'
import type { NodeSearch } from './fleet/fleet-users.ts'
import { LoginThrottle } from './access/login-throttle.ts'
import { TokenThrottle } from './access/token-throttle.ts'
import { Logins } from './operator/logins.ts'
import { DrainOrders } from './operator/drain-orders.ts'
import { searchedServer } from './operator/named-server.ts'
import { Reports } from './operator/user-reports.ts'
import { ServerActions } from './operator/server-actions.ts'
import { TokenActions } from './operator/token-actions.ts'
import { VerificationLines } from './operator/verification-lines.ts'
import { loadPages } from './routes/pages.ts'
import { countReached, countSharing, findUsers } from './figures/user-queries.ts'
import type { Stores } from './stores.ts'
import { Watch } from './figures/watch.ts'
import type { ProbeRoutesParts } from './routes/probe-routes.ts'

export interface Monitor {
  /** The port that is bound. */
  readonly port: number
  connectionCount (): number
  /** Of HTTPS, see CheckedServer. */
  setCertificate (pair: TlsPair): void
  /** What checks of external servers have found since. */
  noteHealth (reports: readonly HealthReport[]): void
  /** How the fleet is seen from here now. */
  noteFleet (report: FleetReport): void
  /** Ends event streams, answers what has begun, stops the threads of the pool. */
  close (): Promise<void>
}

const STDERR = 2
const NO_CHRT = 'passwords are verified with the least priority only, as `chrt` (util-linux) did ' +
  'not work: pages may be later while many log in'

export async function openMonitor (
  context: WorkerContext, stores: Stores, fleet: FleetReach | undefined, probes: ProbeRoutesParts
): Promise<Monitor> {
  const { boot, table, meter, denyList, ask, log } = context
  const { settings, programDir } = boot
  const { accounts, permissions, sessions, tokens, permit, denials, drains, audit } = stores
  const credentials = new CredentialsPool(join(programDir, 'credentials.js'), {
    log,
    onKeepsSlices () {
      if (stopYielding()) log.info(NO_CHRT)
    }
  })
  const lines = new VerificationLines()
  for (const { who: username, address } of await audit.latestLogins()) {
    lines.remember({ username, address: parseAddress(address) ?? UNKNOWN_ADDRESS })
  }
  const watch = new Watch(context, stores, fleet?.cards)
  const { servers } = settings
  const drainOrders = new DrainOrders({ table, servers, drains, ask })
  const ownUsers = ({ server, q: prefix, ...rest }: NodeSearch): Promise<Users> => {
    const index = server === undefined ? undefined : searchedServer(servers, server)
    return findUsers(table, { ...rest, prefix, server: index }, servers, Date.now())
  }
  const fleetConsole = fleet === undefined
    ? undefined
    : new FleetConsole({
      ...fleet,
      table,
      servers,
      drains,
      drainOrders,
      ownUsers,
      ownHistory: (minutes, pointsMax) => watch.history(minutes, pointsMax),
      ask,
      inTurn: stores.inTurn,
      log
    })
  const [pages] = await Promise.all([
    loadPages(programDir),
    ensureFirstAdmin({
      accounts,
      permissions,
      adminPassword: settings.adminPassword,
      hashPassword: password => credentials.hash(password),
      print: text => { writeSync(STDERR, text) },
      log,
      now: stores.steadyNow
    })
  ])
  const { checked, fastify } = await buildApp({
    version: manifest.version,
    log,
    server: { ...settings, meter, log },
    checks: {
      readSource: messageSourceReader(
        socketPeerReader(settings), settings.trustProxy, settings.tls !== undefined),
      publicHosts: settings.publicHosts,
      sessions,
      tokens,
      tokenThrottle: new TokenThrottle(monotonicNowMs),
      permissions,
      metricsToken: settings.metricsToken,
      denyList,
      pages
    },
    permit,
    routes: {
      pages,
      sessions,
      permit,
      tokens,
      tokenActions: new TokenActions({ tokens, permissions, permit, audit }),
      permissions,
      denyList,
      denials,
      audit,
      ...probes,
      servers: settings.servers,
      wallNow: Date.now,
      logins: new Logins({
        accounts,
        sessions,
        credentials,
        audit,
        throttle: new LoginThrottle(monotonicNowMs),
        passwordThrottle: new LoginThrottle(monotonicNowMs),
        lines,
        count: outcome => { watch.countLogin(outcome) },
        now: stores.steadyNow
      }),
      actions: new Actions({
        table,
        servers: settings.servers,
        trustedProxies: settings.trustProxy,
        denials,
        drainOrders,
        fleet: fleetConsole?.actions,
        audit,
        permit,
        ask,
        inTurn: stores.inTurn,
        canSharePorts
      }),
      nodeActions: new NodeActions({ fleet: fleetConsole?.actions, audit, permit }),
      serverActions: new ServerActions({
        store: stores.servers, servers: settings.servers, table, drains, audit, permit, ask
      }),
      reports: new Reports({ table, servers: settings.servers, denyList, permit, log }),
      node: fleet?.node,
      users: (node, search) =>
        fleetConsole === undefined ? ownUsers(search) : fleetConsole.users.find(node, search),
      sharing: async addresses => await fleetConsole?.sharing(addresses) ??
        { users: await countSharing(table, addresses) },
      reach: async target => await fleetConsole?.reach(target) ??
        { users: await countReached(table, target) },
      stats: idsPerServer => watch.stats(idsPerServer),
      history: (node, minutes) => fleetConsole === undefined
        ? watch.history(minutes)
        : fleetConsole.histories.find(node, minutes),
      metrics: () => watch.metrics(),
      hub: watch.hub
    }
  })
  const port = await listenOn(
    checked.server, settings.monitoringPort, hostsToTry(settings.monitoringHost))
  watch.start()
  fleetConsole?.start()
  return {
    port,
    connectionCount: () => checked.connectionCount(),
    setCertificate (pair) {
      checked.setCertificate(pair)
      watch.setCertificate(pair.cert)
    },
    noteHealth (reports) { watch.noteHealth(reports) },
    noteFleet (report) { watch.noteFleet(report) },
    async close () {
      watch.close()
      await checked.close()
      await Promise.all([fastify.close(), credentials.close()])
    }
  }
}
