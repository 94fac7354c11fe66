/**
 * A visitor who opens a page with a ticket: who they are from then on, at a server that the
 * router's cookie does not reach, or for a browser that keeps none. A ticket that is not good is as
 * if there was none. Runs in the server's thread.
 */
import { areSameClients, formatClient, type Client } from '@usher/shared/client.ts'
import { reportOf } from '@usher/shared/errors.ts'
import type { RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { fleetName, type FleetNameSettings } from '@usher/shared/fleet/fleet-name.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import type { TicketRedeemer } from '@usher/shared/tickets/redeem.ts'
import { ticketOf } from '@usher/shared/tickets/ticket-query.ts'
import type { Logger } from 'pino'

export interface TicketParts {
  readonly server: number
  readonly settings: FleetNameSettings &
    { readonly ticketParameter: string, readonly servers: readonly Slot[] }
  readonly tickets: Pick<TicketRedeemer, 'redeem'>
  readonly log: Pick<Logger, 'debug' | 'isLevelEnabled'>
}

export interface Arrival {
  /** As if its cookie named the ticket's client; as it came where that keeps no cookie. */
  readonly request: RequestValue
  /** Of one that keeps no cookie: under whom a place is held for it. */
  readonly holder: Client | undefined
  /** Whom its cookie is to name. */
  readonly client: Client
  /** Its cookie has named nobody. */
  readonly isUnknown: boolean
}

/** The ticket of a request by which a person opens a page; undefined without one. */
export function arrivalTicket (request: RequestValue, parameter: string): string | undefined {
  const { query } = request
  if (query === '' || request.countEffect !== 'adds') return undefined
  return ticketOf(query, parameter)
}

/** Undefined for a ticket that is not good, or is that of the visitor's cookie. */
export async function arriveByTicket (
  { server, settings, tickets, log }: TicketParts, request: RequestValue, text: string
): Promise<Arrival | undefined> {
  const name = fleetName(settings, settings.servers[server]!.name)
  const ticket = await tickets.redeem(text, name).catch(unknowable)
  if (typeof ticket === 'string') {
    log.debug({ fault: ticket }, 'ticket refused')
    return undefined
  }
  const { client, hasCookie } = ticket
  const { cookieClient } = request
  if (log.isLevelEnabled('debug')) log.debug({ client: formatClient(client) }, 'ticket redeemed')
  if (cookieClient !== undefined && areSameClients(cookieClient, client)) return undefined
  const isUnknown = cookieClient === undefined
  // The router's cookie would have come along.
  const keepsNone = isUnknown && hasCookie
  return {
    request: keepsNone ? request : requestOf(client, request),
    holder: keepsNone ? client : undefined,
    client,
    isUnknown
  }
}

/** The main thread, which knows who has used it, does not answer: it is not believed. */
function unknowable (error: unknown): string {
  return reportOf(error).message
}

/** Field by field: some of them are worked out when they are asked for. */
function requestOf (
  cookieClient: Client,
  { method, path, query, headers, body, isSecure, authority, address, countEffect }: RequestValue
): RequestValue {
  return {
    method, path, query, headers, body, isSecure, authority, address, countEffect, cookieClient
  }
}
