/**
 * Making and revoking tokens of programs: an administrator's, never one that may do more than its
 * maker, and recorded in the audit. Whether they still may is looked at in the step that does it.
 * Runs in the monitor's thread.
 */
import type { NewToken } from '@usher/shared/api/tokens.ts'
import { formatAddress } from '@usher/shared/client.ts'
import { visibleText } from '@usher/shared/visible-text.ts'
import type { Permissions } from '../../accounts/permissions.ts'
import type { CurrentSession } from '../../accounts/session-store.ts'
import type { Made, TokenStore } from '../../accounts/token-store.ts'
import type { AuditLog } from '../../records/audit-log.ts'
import type { Permit } from '../access/permit.ts'
import { isAllowed, refusalText } from '../access/rights.ts'
import { ApiError } from '../errors/api-error.ts'
import type { Origin } from './logins.ts'

export interface TokenActionsParts {
  readonly tokens: Pick<TokenStore, 'make' | 'revoke'>
  readonly permissions: Pick<Permissions, 'list'>
  readonly permit: Pick<Permit, 'check'>
  readonly audit: Pick<AuditLog, 'add'>
}

const DAY_MS = 86_400_000

export class TokenActions {
  readonly #parts: TokenActionsParts

  constructor (parts: TokenActionsParts) {
    this.#parts = parts
  }

  /** Throws `forbidden` for a scope that its maker has not, and the errors of TokenStore.make. */
  async make (maker: CurrentSession, wanted: NewToken, { address }: Origin): Promise<Made> {
    const { tokens, permit, permissions, audit } = this.#parts
    const { name, scopes } = wanted
    if (name !== name.trim() || visibleText(name) !== name) {
      throw new ApiError('bad_request',
        'name must have no blank at an end and no character that cannot be seen.')
    }
    const beyond = scopes.find(scope => !isAllowed(maker, scope))
    if (beyond !== undefined) {
      const why = refusalText(maker, beyond, await permissions.list())
      throw new ApiError('forbidden', `A token may do no more than you: scope ${beyond}. ${why}`)
    }
    const made = await tokens.make(maker.accountId, wanted, sql => {
      for (const needs of ['tokens', ...scopes] as const) permit.check(sql, maker, needs)
    })
    await audit.add({
      who: maker.username,
      action: 'token-made',
      target: name,
      detail: { scopes, days: Math.round(made.expiresInMs / DAY_MS) },
      address: formatAddress(address)
    })
    return made
  }

  /** Whoever made it: it is refused from now on. Throws `not_found`. */
  async revoke (by: CurrentSession, id: number, { address }: Origin): Promise<void> {
    const { tokens, permit, audit } = this.#parts
    const target = await tokens.revoke(id, sql => { permit.check(sql, by, 'tokens') })
    if (target === undefined) throw new ApiError('not_found', `There is no token with the id ${id}.`)
    await audit.add({
      who: by.username, action: 'token-revoked', target, address: formatAddress(address)
    })
  }
}
