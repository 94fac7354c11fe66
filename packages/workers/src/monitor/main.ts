/** The monitor's thread: the database, users across a restart, and the port of the console. */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { DatabaseBusy, DatabaseFailed } from '@usher/shared/errors.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { replaceServers } from '@usher/shared/settings/server-list.ts'
import { ownServers, presentServers } from '@usher/shared/settings/servers.ts'
import { sharedTicketKeys } from '@usher/shared/tickets/shared-keys.ts'
import type { BootData } from '@usher/shared/messages.ts'
import type { Logger } from 'pino'
import { openDatabase } from '../database/open.ts'
import type { UsherDatabase } from '../database/usher-database.ts'
import { BEHIND_VISITORS, giveWay } from '../thread-priority.ts'
import { runWorker, type WorkerContext } from '../worker-host.ts'
import { startYielding } from '../yielding.ts'
import { joinFleet } from './fleet-membership.ts'
import { areAllFull } from './figures/balance.ts'
import { restoreUsers, unconfirmed, usersToSave } from '../records/saved-users.ts'
import { TicketKeyring } from '../records/ticket-keyring.ts'
import { ServerStore } from '../records/server-store.ts'
import { openStores } from './stores.ts'

const SERVERS_START_MS_MAX = 2000
const SERVERS_LOOK_MS = 10

void runWorker(async context => {
  const { boot, table, ask, log } = context
  const { settings } = boot
  const database = openDatabase(settings.dbPath, join(boot.programDir, 'db'), log)
  await bringBackServers(database, context)
  await bringBackUsers(database, table, boot, log)
  const stores = await openStores(database, {
    ...settings, log, wallNow: Date.now, now: monotonicNowMs
  })
  const setDrains = async (): Promise<void> => {
    await Promise.all(settings.servers.map(({ index: server }) =>
      ask({ type: 'set-drain', server, drain: stores.drains.order(server) })))
  }
  const setDenyList = async (): Promise<void> => {
    await ask({ type: 'set-deny-list', entries: await stores.denials.entries() })
  }
  const membership = await joinFleet({
    settings,
    database,
    stores,
    setDenyList,
    async setDrains () {
      await stores.drains.load()
      await setDrains()
    },
    log
  })
  await stores.inTurn(async () => {
    // Before the deny list, without which no server opens its port.
    await setDrains()
    // No server opens its port before it: who was denied before the restart is denied after it.
    await setDenyList()
  })

  giveWay(BEHIND_VISITORS) // From here on no visitor waits for this thread.
  startYielding()
  let notReady: string | undefined = boot.isFirstStart ? 'starting' : undefined
  // Fastify and its kind take half a second to load: visitors, who wait for the servers, go first.
  await serversUp(table, ownServers(settings.servers).length)
  const keyring = new TicketKeyring({
    database,
    sharedKeys: settings.clusterUrl === '' ? undefined : nowMs => sharedTicketKeys(settings, nowMs),
    now: stores.steadyNow,
    tell: keys => ask({ type: 'set-ticket-keys', keys }),
    log
  })
  void keyring.start()
  const { openMonitor } = await import('./monitor.ts')
  const monitor = await openMonitor(context, stores, membership.fleet, {
    reasonNotHealthy: () => notReady,
    reasonNotReady: () => notReady ?? unavailability()
  })

  function unavailability (): string | undefined {
    const { servers } = settings
    if (presentServers(servers).length === 0) return 'there are no servers'
    const isAvailable = (server: number): boolean => table.serverState(server) === 'up'
    if (!servers.some(({ index }) => isAvailable(index))) return 'no server is available'
    const isFull = (server: number): boolean => table.isServerFull(server)
    return areAllFull({ servers, isAvailable, isFull }) ? 'all servers are full' : undefined
  }

  return {
    port: monitor.port,
    connectionCount: () => monitor.connectionCount(),
    async carryOut (order) {
      if (order.type === 'set-readiness') {
        notReady = order.reason
        // Only once all have started: a start that fails must not lose them. A full disk keeps
        // them, which is no reason not to start: the next stop replaces them.
        if (notReady !== undefined) return
        await database.write(sql => {
          sql.forgetUsers()
          sql.setRunning(true)
        }).catch(ignoreOutage)
      }
      // One that is new may have drained under its name before.
      if (order.type === 'replace-servers') await setDrains()
      if (order.type === 'note-health') monitor.noteHealth(order.reports)
      if (order.type === 'note-fleet') monitor.noteFleet(order.report)
      if (order.type === 'switch-certificate') monitor.setCertificate(order.pair)
      if (order.type === 'save-users') {
        database.limitWaits(order.withinMs)
        await database.write(sql => {
          sql.saveUsers(usersToSave(table, settings.servers, Date.now()))
          sql.setRunning(false)
        })
      }
    },
    async close () {
      keyring.close()
      await monitor.close()
      await membership.close()
      await stores.close()
    }
  }
})

/** Of the database, which has logged it. */
function ignoreOutage (error: unknown): void {
  if (!(error instanceof DatabaseFailed || error instanceof DatabaseBusy)) throw error
}

/** Waits, for so long at most, until every own server has started once. */
async function serversUp (table: UserTable, serverCount: number): Promise<void> {
  const deadlineMs = monotonicNowMs() + SERVERS_START_MS_MAX
  const servers = Array.from({ length: serverCount }, (_, server) => server)
  while (servers.some(server => table.serverState(server) === 'starting')) {
    if (monotonicNowMs() > deadlineMs) return
    await setTimeout(SERVERS_LOOK_MS)
  }
}

/** Before the users, who are at servers of the console, too. */
async function bringBackServers (
  database: UsherDatabase, { boot: { settings, isFirstStart }, ask }: WorkerContext
): Promise<void> {
  const stored = await new ServerStore(database).list()
  // What a monitor before this one has stored last may not have been told.
  if (isFirstStart && stored.length === 0) return
  const { servers } = await ask({ type: 'set-servers', stored, isStart: true })
  replaceServers(settings.servers, servers)
}

async function bringBackUsers (
  database: UsherDatabase, table: UserTable, { settings, isFirstStart }: BootData, log: Logger
): Promise<void> {
  if (!isFirstStart) return
  const { servers, timeoutThresholdMs, clusterUrl } = settings
  const { restored, wasRunning } = await database.read(sql => {
    const saved = clusterUrl === '' ? sql.savedUsers() : unconfirmed(sql.savedUsers())
    return {
      restored: restoreUsers(table, saved, servers, timeoutThresholdMs, Date.now()),
      wasRunning: sql.isRunning()
    }
  })
  if (wasRunning) {
    // Whom it counted comes back now, and all of them seem to be new.
    table.allowMoreNewcomersFor(timeoutThresholdMs)
    log.warn('the last run ended without stopping properly: its users are counted anew')
  }
  if (restored > 0) log.info({ users: restored }, 'users of the last run were restored')
}
