/**
 * Whether who was allowed to act when a request came still is when it acts: its body, other actions
 * and a locked database are waited for in between. The look and the act are one step. Runs in the
 * monitor's thread.
 */
import { RightWithdrawn } from '@usher/shared/errors.ts'
import type { SessionStore } from '../../accounts/session-store.ts'
import type { TokenStore } from '../../accounts/token-store.ts'
import type { Sql } from '../../database/statements.ts'
import type { UsherDatabase } from '../../database/usher-database.ts'
import { isAllowed, isProgram, type Caller, type Need } from './rights.ts'

export class Permit {
  readonly #database: Pick<UsherDatabase, 'read'>
  readonly #sessions: Pick<SessionStore, 'currentAt'>
  readonly #tokens: Pick<TokenStore, 'currentAt'>

  constructor (
    database: Pick<UsherDatabase, 'read'>, sessions: Pick<SessionStore, 'currentAt'>,
    tokens: Pick<TokenStore, 'currentAt'>
  ) {
    this.#database = database
    this.#sessions = sessions
    this.#tokens = tokens
  }

  /**
   * For an act that is a transaction of its own. Throws SessionEnded, TokenUnknown, TokenExpired
   * and RightWithdrawn.
   */
  check (sql: Sql, caller: Caller, needs: Need): void {
    const current = isProgram(caller)
      ? this.#tokens.currentAt(sql, caller.tokenId)
      : this.#sessions.currentAt(sql, caller.sessionHash)
    if (current.mustChange || !isAllowed(current, needs)) throw new RightWithdrawn()
  }

  /** For an act that writes nothing: begins it in the same turn of the loop. Throws as `check`. */
  async act<T> (caller: Caller, needs: Need, act: () => Promise<T>): Promise<T> {
    return await this.#database.read(sql => {
      this.check(sql, caller, needs)
      return act()
    })
  }
}
