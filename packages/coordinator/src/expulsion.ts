/**
 * Expels clients: every thread refuses them first, then they are removed from the user table, then
 * their connections are closed, so that none of them can come back in between. Keeps the deny list
 * of all threads up to date. Does not know who asked for it. Main thread.
 */
import type { Client, ClientMatch } from '@usher/shared/client.ts'
import type { DenyEntry, DenyList } from '@usher/shared/deny-list.ts'
import { expelledMatch } from '@usher/shared/expelled-clients.ts'
import type { AskAnswers, ExpelledClients, Order } from '@usher/shared/messages.ts'
import { DenyListKeeper } from './deny-list-keeper.ts'
import { removeUsers, type RemovalParts, type Removed } from './user-removal.ts'

export interface ExpulsionParts extends RemovalParts {
  /** Resolves when every server that is up has carried it out. */
  readonly tellServers: (order: Order) => Promise<void>
  /** Resolves when the router has closed the connections of these. */
  readonly closeAtRouter: (isMatch: ClientMatch) => Promise<void>
}

export class Expulsion {
  readonly #parts: ExpulsionParts
  readonly #keeper: DenyListKeeper

  constructor (parts: ExpulsionParts) {
    this.#parts = parts
    this.#keeper = new DenyListKeeper(parts.now)
  }

  /** For the router, which lives in this thread. */
  get list (): DenyList {
    return this.#keeper.list
  }

  /** What a server boots with; undefined before the first list has come. */
  get entries (): readonly DenyEntry[] | undefined {
    return this.#keeper.entries
  }

  /** The first list, where there is none yet. */
  denyNobody (): void {
    this.#keeper.replace([])
  }

  /** Throws a malformed entry's error before any thread has changed its list. */
  async setDenyList (entries: readonly DenyEntry[]): Promise<AskAnswers['set-deny-list']> {
    const { removedUsers } = await this.#deny(entries, undefined)
    return { removedUsers }
  }

  /** Without entries the client may come back at once. */
  async disconnect (
    client: Client, entries: readonly DenyEntry[] | undefined
  ): Promise<AskAnswers['disconnect']> {
    return entries === undefined
      ? await this.#expel({ client, entries: [] })
      : await this.#deny(entries, client)
  }

  async #deny (entries: readonly DenyEntry[], client: Client | undefined): Promise<Removed> {
    const added = this.#keeper.replace(entries)
    await this.#parts.tellServers({ type: 'replace-deny-list', entries })
    const removed = await this.#expel({ client, entries: added })
    this.#keeper.setEnforced(added)
    return removed
  }

  async #expel (expelled: ExpelledClients): Promise<Removed> {
    const { tellServers, closeAtRouter, now } = this.#parts
    if (expelled.client === undefined && expelled.entries.length === 0) {
      return { wasHere: false, removedUsers: 0 }
    }
    const removed = await removeUsers(this.#parts, expelled)
    await Promise.all([
      closeAtRouter(expelledMatch(expelled, now)),
      tellServers({ type: 'close-clients', expelled })
    ])
    return removed
  }
}
