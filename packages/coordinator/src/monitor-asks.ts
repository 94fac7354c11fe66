/**
 * Passes each request of a worker to the part of the coordinator that carries it out. Main thread.
 */
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import type { Client } from '@usher/shared/client.ts'
import type { Ask, AskAnswer, AskAnswers, Drain } from '@usher/shared/messages.ts'
import type { StoredServer } from '@usher/shared/settings/servers.ts'
import type { ClusterServers } from './cluster-servers.ts'
import type { Expulsion } from './expulsion.ts'
import type { Restarts } from './restarts.ts'
import type { SiteKeeper } from './site-keeper.ts'
import type { TicketIssuer } from './ticket-issuer.ts'

/** One method for each ask; see messages.ts. */
export interface AskedActions {
  /** The sites of all servers, for one that starts. */
  sites (): Promise<AskAnswers['get-sites']>
  /**
   * Every thread refuses these from now on; those of them who were users have been removed when it
   * resolves.
   */
  setDenyList (entries: readonly DenyEntry[]): Promise<AskAnswers['set-deny-list']>
  /** The client is gone when it resolves; it may come back unless the entries deny it. */
  disconnect (
    client: Client, entries: readonly DenyEntry[] | undefined
  ): Promise<AskAnswers['disconnect']>
  /** Rejects as `Restarts.one`. */
  restartServer (server: number): Promise<AskAnswers['restart-server']>
  /** Its state outlives the server's thread. */
  setDrain (server: number, drain: Drain | undefined): AskAnswers['set-drain']
  readonly tickets: Pick<TicketIssuer, 'setKeys' | 'use'>
  /** Those that the console names; resolves when every thread knows them, or with who is late. */
  setServers (
    stored: readonly StoredServer[], isStart: boolean
  ): Promise<AskAnswers['set-servers']>
}

export interface ActionParts {
  readonly sites: Pick<SiteKeeper, 'current'>
  readonly expulsion: Pick<Expulsion, 'setDenyList' | 'disconnect'>
  readonly servers: Pick<ClusterServers, 'states' | 'list'>
  readonly restarts: Pick<Restarts, 'one'>
  readonly tickets: AskedActions['tickets']
}

/** Each by the part of the coordinator whose it is. */
export function askedActions (
  { sites, expulsion, servers, restarts, tickets }: ActionParts
): AskedActions {
  return {
    sites: () => sites.current(),
    setDenyList: entries => expulsion.setDenyList(entries),
    disconnect: (client, entries) => expulsion.disconnect(client, entries),
    restartServer: server => restarts.one(server).then(() => ({})),
    setDrain (server, drain) {
      servers.states.setDrain(server, drain)
      return {}
    },
    setServers: (stored, isStart) => servers.list.setStored(stored, isStart),
    tickets
  }
}

/** Rejects with the error of the action. */
export async function answerAsk (actions: AskedActions, ask: Ask): Promise<AskAnswer> {
  switch (ask.type) {
    case 'get-sites':
      return await actions.sites()
    case 'set-deny-list':
      return await actions.setDenyList(ask.entries)
    case 'disconnect':
      return await actions.disconnect(ask.client, ask.entries)
    case 'restart-server':
      return await actions.restartServer(ask.server)
    case 'set-drain':
      return actions.setDrain(ask.server, ask.drain)
    case 'set-ticket-keys':
      return await actions.tickets.setKeys(ask.keys)
    case 'use-ticket':
      return actions.tickets.use(ask.ticketId, ask.issuedMs)
    case 'set-servers':
      return await actions.setServers(ask.stored, ask.isStart)
  }
}
