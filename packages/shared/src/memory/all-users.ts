/** The whole table in one go, for a stop, when no visitor has to wait for it. Any thread. */
import { TableStuck } from '../errors.ts'
import type { User } from './snapshot.ts'
import type { UserTable } from './user-table.ts'

const PAGE_USERS = 1000
/** For all pages together. The main thread waits 1 ms for a shard each time. */
const BUSY_MAX = 100

/** Reservations included. Throws TableStuck when a shard stays locked. */
export function * allUsers (table: Pick<UserTable, 'readUsers'>): Generator<User> {
  let busyCount = 0
  let cursor: number | undefined = 0
  while (cursor !== undefined) {
    const page = table.readUsers(cursor, PAGE_USERS)
    if (page === 'busy') {
      if (++busyCount === BUSY_MAX) throw new TableStuck()
      continue
    }
    yield * page.users
    cursor = page.nextCursor
  }
}
