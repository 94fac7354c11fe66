/** At a stop: who was here, per server, in log lines of a bounded length. Main thread. */
import { formatClient } from '@usher/shared/client.ts'
import type { User } from '@usher/shared/memory/snapshot.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Logger } from 'pino'

const IDS_PER_LINE = 1000
/** The workers are gone by now, so no shard is busy for long. */
const BUSY_MAX = 100

export function logUsers (table: UserTable, ports: readonly number[], log: Logger): void {
  const counts = table.activeUsersPerServer()
  for (const [server, port] of ports.entries()) {
    log.info({ server: port, users: counts[server] }, 'active users at the stop')
  }
  const idsPerServer = ports.map(() => [] as string[])
  for (const { client, server } of everyUser(table, log)) {
    if (server === undefined) continue
    const ids = idsPerServer[server]!
    ids.push(formatClient(client))
    if (ids.length === IDS_PER_LINE) logIds(ports[server]!, ids.splice(0), log)
  }
  for (const [server, ids] of idsPerServer.entries()) {
    if (ids.length > 0) logIds(ports[server]!, ids, log)
  }
}

function logIds (port: number, ids: readonly string[], log: Logger): void {
  log.info({ server: port, ids }, 'their ids')
}

/** Reservations included. */
function * everyUser (table: UserTable, log: Logger): Generator<User> {
  let cursor: number | undefined = 0
  let busyCount = 0
  while (cursor !== undefined) {
    const page = table.readUsers(cursor, IDS_PER_LINE)
    if (page !== 'busy') {
      yield * page.users
      cursor = page.nextCursor
    } else if (++busyCount === BUSY_MAX) {
      log.warn('the rest of the users cannot be listed: the user table is locked')
      return
    }
  }
}
