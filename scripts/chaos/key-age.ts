/**
 * Has the keys of tickets grow old in a moment: the newest one has signed for a day, or, where it
 * is published only, signs from now on. The next monitor thread reads them so, and rotates.
 */
import { join } from 'node:path'
import { openExistingDatabase } from '@usher/workers/database/open.ts'
import { PUBLISHED_BEFORE_MS, SIGNS_FOR_MS } from '@usher/workers/records/ticket-keyring.ts'
import { PROGRAM_DIR } from '../kit/places.ts'

/** @param folder where the program works */
export async function ageTicketKeys (folder: string): Promise<void> {
  const database = openExistingDatabase(join(folder, 'db/usher.db'), join(PROGRAM_DIR, 'db'))
  try {
    const nowMs = Date.now()
    await database.write(sql => {
      const keys = sql.ticketKeys()
      const newest = keys.at(-1)
      if (newest === undefined) return
      const isPublishedOnly = newest.signsFromMs > nowMs
      const signsFromMs = isPublishedOnly ? nowMs - 1 : nowMs - SIGNS_FOR_MS + PUBLISHED_BEFORE_MS
      // Those before it stay in their order.
      const agedMs = newest.signsFromMs - signsFromMs
      sql.saveTicketKeys(keys.map(key => ({ ...key, signsFromMs: key.signsFromMs - agedMs })))
    })
  } finally {
    database.close()
  }
}
