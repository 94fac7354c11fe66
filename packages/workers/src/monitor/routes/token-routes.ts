/** `/tokens`: what lets programs in. Only people make, see and revoke them. */
import { Received } from '@usher/shared/api/actions.ts'
import { MadeToken, NewToken, TokenEnd, TokenList } from '@usher/shared/api/tokens.ts'
import type { ListedToken, TokenStore } from '../../accounts/token-store.ts'
import { TOKENS_MAX } from '../../accounts/token-store.ts'
import { sessionOf } from '../access/checks.ts'
import { isAllowed } from '../access/rights.ts'
import type { TokenActions } from '../operator/token-actions.ts'
import { originOf } from './account-routes.ts'
import type { WireApp } from './wire.ts'

export interface TokenRoutesParts {
  readonly tokens: Pick<TokenStore, 'list'>
  readonly tokenActions: Pick<TokenActions, 'make' | 'revoke'>
  /** Wall-clock milliseconds: it is read by people. */
  readonly wallNow: () => number
}

const needs = 'tokens'

export function addTokenRoutes (app: WireApp, parts: TokenRoutesParts): void {
  const { tokens, tokenActions, wallNow } = parts

  app.get('/tokens', {
    config: { needs },
    schema: {
      summary: 'The tokens of programs: what each may do, who made it, when it was used last',
      response: { 200: TokenList }
    }
  }, async () => {
    const nowMs = wallNow()
    return { tokens: (await tokens.list()).map(token => listed(token, nowMs)), max: TOKENS_MAX }
  })

  app.post('/tokens', {
    config: { needs, refusals: ['not_acceptable_here'] },
    schema: {
      summary: 'Make a token for a program; it is shown this once',
      body: NewToken,
      response: { 200: MadeToken }
    }
  }, async request => {
    const { name, scopes } = request.body
    const made = await tokenActions.make(sessionOf(request), request.body, originOf(request))
    const { token, id, expiresInMs } = made
    return { token, id, name, scopes, expires: timeText(wallNow() + expiresInMs) }
  })

  app.post('/tokens/revoke', {
    config: { needs, refusals: ['not_found'] },
    schema: {
      summary: 'Revoke a token, whoever made it: it is refused from now on',
      body: TokenEnd,
      response: { 200: Received }
    }
  }, async request => {
    await tokenActions.revoke(sessionOf(request), request.body.id, originOf(request))
    return { response: 'token revoked' }
  })
}

function listed (token: ListedToken, nowMs: number) {
  const { scopes, expiresInMs, createdAgoMs, lastUse } = token
  const isInForce = expiresInMs > 0 && !token.mustChange
  return {
    id: token.tokenId,
    name: token.tokenName,
    scopes,
    in_force: isInForce ? scopes.filter(scope => isAllowed(token, scope)) : [],
    made_by: token.username,
    created: timeText(nowMs - createdAgoMs),
    expires: timeText(nowMs + expiresInMs),
    last_used: lastUse === undefined ? null : timeText(nowMs - lastUse.agoMs),
    last_address: lastUse?.address ?? null
  }
}

function timeText (atMs: number): string {
  return new Date(atMs).toISOString()
}
