/**
 * The tokens of programs: made, found again at every request, listed, revoked. A token falls with
 * the account that made it and may do nothing that this account may not do at that moment; neither
 * is cached. Decides nothing about routes. Runs in the monitor's thread.
 */
import { SCOPES, TOKEN_DAYS, type NewToken, type Scope } from '@usher/shared/api/tokens.ts'
import { TokenExists, TokenExpired, TokensFull, TokenUnknown } from '@usher/shared/errors.ts'
import { foldCase } from '@usher/shared/fold-case.ts'
import { quote } from '@usher/shared/quote.ts'
import type { AccessRow, TokenRow } from '../database/rows.ts'
import type { Sql } from '../database/statements.ts'
import type { UsherDatabase } from '../database/usher-database.ts'
import { accessOf, type Access } from './permissions.ts'
import { hashToken, makeToken, TOKEN_PREFIX } from './session-token.ts'

/** A program that has shown its token; what it may is what its maker may, within its scopes. */
export interface CurrentToken extends Access {
  readonly tokenId: number
  readonly tokenName: string
  readonly scopes: readonly Scope[]
}

export interface ListedToken extends CurrentToken {
  /** How long ago, and how soon, since the session clock is no wall clock. */
  readonly createdAgoMs: number
  /** Negative once it has expired. */
  readonly expiresInMs: number
  /** Undefined: never. */
  readonly lastUse: { readonly agoMs: number, readonly address: string } | undefined
}

/** A token that was just made: it is stored nowhere. */
export interface Made {
  readonly token: string
  readonly id: number
  readonly expiresInMs: number
}

interface Use {
  readonly usedMs: number
  readonly address: string
  /** When it was last written, or tried to be. */
  readonly writtenMs: number
}

/** In all: a list that a person can look through, and many more than servers and scripts need. */
export const TOKENS_MAX = 200
/** So often at most: a program that asks every second makes no write of it. */
export const USE_WRITE_INTERVAL_MS = 60_000
const DAY_MS = 86_400_000
/** How long an expired one is still listed, and said to have expired. */
const EXPIRED_KEPT_MS = 30 * DAY_MS

export class TokenStore {
  readonly #database: UsherDatabase
  readonly #now: () => number
  /** By the token's number. */
  readonly #uses = new Map<number, Use>()

  /** @param now the session clock: see steadyWallClock */
  constructor (database: UsherDatabase, now: () => number) {
    this.#database = database
    this.#now = now
  }

  /**
   * Throws TokenExists, TokensFull, and what `check` throws.
   * @param check throws when it is not to be done; called in the transaction
   */
  async make (
    accountId: number, { name, scopes, days = TOKEN_DAYS }: NewToken, check: (sql: Sql) => void
  ): Promise<Made> {
    const token = TOKEN_PREFIX + makeToken()
    const expiresInMs = days * DAY_MS
    const id = await this.#database.write(sql => {
      check(sql)
      const key = foldCase(name)
      const others = sql.tokens()
      if (others.some(other => foldCase(other.name) === key)) throw new TokenExists(quote(name))
      if (others.length >= TOKENS_MAX) throw new TokensFull(`${TOKENS_MAX}`)
      const createdMs = this.#now()
      return sql.addToken({
        tokenHash: hashToken(token),
        accountId,
        name,
        scopes: SCOPES.filter(scope => scopes.includes(scope)).join(' '),
        createdMs,
        expiresMs: createdMs + expiresInMs
      })
    })
    return { token, id, expiresInMs }
  }

  /**
   * Whose token this is; asking counts as use. Throws TokenUnknown and TokenExpired.
   * @param address from where it was sent
   */
  async find (token: string, address: string): Promise<CurrentToken> {
    const tokenHash = hashToken(token)
    const row = await this.#database.read(sql => sql.tokenOfHash(tokenHash))
    const current = this.#currentOf(row)
    this.#use(row!, address)
    return current
  }

  /** What it is at this moment of a transaction. Throws as `find` does. */
  currentAt (sql: Sql, tokenId: number): CurrentToken {
    return this.#currentOf(sql.token(tokenId))
  }

  /** In the order of their names. */
  async list (): Promise<readonly ListedToken[]> {
    const rows = await this.#database.read(sql => sql.tokens())
    const nowMs = this.#now()
    return rows.map(row => {
      const { usedMs, address } = this.#uses.get(row.tokenId) ?? {
        usedMs: row.lastUsedMs, address: row.lastAddress
      }
      return {
        ...tokenOf(row),
        createdAgoMs: nowMs - row.createdMs,
        expiresInMs: row.expiresMs - nowMs,
        lastUse: usedMs === null || address === null
          ? undefined
          : { agoMs: nowMs - usedMs, address }
      }
    })
  }

  /** @param check as for `make`. @returns its name; undefined where there is none */
  async revoke (tokenId: number, check: (sql: Sql) => void): Promise<string | undefined> {
    return await this.#database.write(sql => {
      check(sql)
      const name = sql.token(tokenId)?.name
      sql.removeToken(tokenId)
      return name
    }, () => { this.#uses.delete(tokenId) })
  }

  /** Writes the latest uses: at the end. */
  async save (): Promise<void> {
    await this.#database.write(sql => {
      for (const [id, { usedMs, address }] of this.#uses) sql.touchToken(id, usedMs, address)
    }, () => { this.#uses.clear() })
  }

  /** What expired long ago; uses of tokens that are gone, too. To be called now and then. */
  async removeExpired (): Promise<void> {
    await this.#database.write(sql => {
      sql.removeExpiredTokens(this.#now() - EXPIRED_KEPT_MS)
      return new Set(sql.tokens().map(({ tokenId }) => tokenId))
    }, kept => {
      for (const id of this.#uses.keys()) if (!kept.has(id)) this.#uses.delete(id)
    })
  }

  #currentOf (row: TokenRow & AccessRow | undefined): CurrentToken {
    if (row === undefined) throw new TokenUnknown()
    if (this.#now() >= row.expiresMs) throw new TokenExpired(quote(row.name))
    return tokenOf(row)
  }

  /** Not awaited: memory has the use too, and the database logs an outage. */
  #use ({ tokenId, lastUsedMs }: TokenRow, address: string): void {
    const usedMs = this.#now()
    const writtenMs = this.#uses.get(tokenId)?.writtenMs ?? lastUsedMs ?? -Infinity
    const isDue = usedMs - writtenMs >= USE_WRITE_INTERVAL_MS
    this.#uses.set(tokenId, { usedMs, address, writtenMs: isDue ? usedMs : writtenMs })
    if (!isDue) return
    this.#database.write(sql => { sql.touchToken(tokenId, usedMs, address) }).catch(() => {})
  }
}

function tokenOf (row: TokenRow & AccessRow): CurrentToken {
  const words = row.scopes.split(' ')
  return {
    ...accessOf(row),
    tokenId: row.tokenId,
    tokenName: row.name,
    scopes: SCOPES.filter(scope => words.includes(scope))
  }
}
