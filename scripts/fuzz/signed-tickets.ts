/** Tickets by the program's own key, of its database: good ones, and ones whose time is over. */
import { join } from 'node:path'
import { newClient } from '@usher/shared/http/vocabulary/identity.ts'
import { ticketKeyOf } from '@usher/shared/tickets/make-key.ts'
import { TicketSigner } from '@usher/shared/tickets/sign.ts'
import { TICKET_LIFE_S, type SigningKey } from '@usher/shared/tickets/ticket.ts'
import { openExistingDatabase } from '@usher/workers/database/open.ts'
import { PROGRAM_DIR } from '../kit/places.ts'

export interface SignedTickets {
  readonly good: string
  readonly expired: string
}

/** @param folder where the program works */
export async function signTickets (
  folder: string, servers: readonly string[]
): Promise<readonly SignedTickets[]> {
  const key = await storedKey(folder)
  const signer = new TicketSigner('')
  const late = new TicketSigner('', () => Date.now() - TICKET_LIFE_S * 1000)
  return await Promise.all(servers.map(async serverName => {
    const content = { client: newClient(), serverName, hasCookie: false }
    return { good: await signer.sign(content, key), expired: await late.sign(content, key) }
  }))
}

async function storedKey (folder: string): Promise<SigningKey> {
  const database = openExistingDatabase(join(folder, 'db/usher.db'), join(PROGRAM_DIR, 'db'))
  try {
    const [row] = await database.read(sql => sql.ticketKeys())
    if (row === undefined) throw new Error('the program has stored no key')
    return { ...ticketKeyOf(row.publicKey, row.keyId), d: row.privateKey }
  } finally {
    database.close()
  }
}
