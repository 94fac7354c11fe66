/** At a stop: who was here, per server, in log lines of a bounded length. Main thread. */
import { formatClient } from '@usher/shared/client.ts'
import { TableStuck } from '@usher/shared/errors.ts'
import { allUsers } from '@usher/shared/memory/all-users.ts'
import type { User } from '@usher/shared/memory/snapshot.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'

const IDS_PER_LINE = 1000

export function logUsers (table: UserTable, servers: readonly Slot[], log: Logger): void {
  const counts = table.activeUsersPerServer()
  for (const { index, name } of servers) {
    log.info({ server: name, users: counts[index] }, 'active users when it stopped')
  }
  const idsPerServer = servers.map(() => [] as string[])
  for (const { client, server } of usersUntilStuck(table, log)) {
    if (server === undefined) continue
    const ids = idsPerServer[server]!
    ids.push(formatClient(client))
    if (ids.length === IDS_PER_LINE) logIds(servers[server]!, ids.splice(0), log)
  }
  for (const server of servers) {
    const ids = idsPerServer[server.index]!
    if (ids.length > 0) logIds(server, ids, log)
  }
}

/** A table that stays locked ends the list with a warning. */
function * usersUntilStuck (table: UserTable, log: Logger): Generator<User> {
  try {
    yield * allUsers(table)
  } catch (error) {
    if (!(error instanceof TableStuck)) throw error
    log.warn('the rest of the users cannot be listed: the user table is locked')
  }
}

function logIds ({ name }: Slot, ids: readonly string[], log: Logger): void {
  log.info({ server: name, ids }, 'ids of the active users')
}
