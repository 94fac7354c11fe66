/**
 * What a server that drains, or is down, says to beats, and whom it still counts. Any thread that
 * answers them.
 */
import { clientOfAddress } from '../client.ts'
import { jsonError, keptReply } from '../http/vocabulary/replies.ts'
import type { CountEffect } from '../http/vocabulary/values.ts'
import type { DrainPhase } from '../memory/server-words.ts'
import type { Busy } from '../memory/table-view.ts'
import { visit, type Visit, type Visitor, type VisitorParts } from './visitors.ts'

/** A page tries again by itself, and is counted once the server takes visitors again. */
const RETRY_AFTER_S = 30
/** Health checks find it back within a few seconds. */
const DOWN_RETRY_AFTER_S = 5

/** To a beat of one who is not here. */
export const DRAINING = keptReply(jsonError(503, 'draining',
  'This server takes nobody new at the moment. Load the page from the router instead.',
  ['Retry-After', String(RETRY_AFTER_S)]))
/** To every beat when the drain's time is over. */
export const MOVED = keptReply(jsonError(409, 'moved',
  'Everybody has to leave this server. Load the page again from the router.'))
/** To every beat while a server elsewhere does not answer its health checks. */
export const DOWN = keptReply(jsonError(503, 'down',
  'This server does not answer at the moment. Load the page from the router instead.',
  ['Retry-After', String(DOWN_RETRY_AFTER_S)]))

/**
 * As `visit`, but nobody comes in: who may not stay remains unknown here, and is where they are.
 * @param phase not none
 */
export function visitDrained (
  parts: VisitorParts, phase: DrainPhase, visitor: Visitor, effect: CountEffect
): Visit {
  return phase === 'everybody' ? 'unknown' : visitToStay(parts, visitor, effect)
}

/** As `visit`, but nobody comes in, neither from elsewhere. */
export function visitToStay (
  parts: VisitorParts, visitor: Visitor, effect: CountEffect
): Visit {
  const isHere = isAt(parts, visitor)
  if (isHere === 'busy') return 'busy'
  // The sweep may remove a visitor in between.
  return isHere ? visit(parts, visitor, effect === 'adds' ? 'stays' : effect) : 'unknown'
}

/** Active here, or on their way; under their id, or under the address that the id replaces. */
function isAt (
  { table, server }: VisitorParts, { client, address, options }: Visitor
): boolean | Busy {
  let user = table.find(client)
  if (user === undefined && client.kind === 'id' && options?.isOwn !== false) {
    user = table.find(clientOfAddress(address))
  }
  if (user === 'busy') return 'busy'
  return user !== undefined && (user.server === server || user.reservedServer === server)
}
