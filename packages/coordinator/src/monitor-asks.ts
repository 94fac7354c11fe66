/**
 * Passes each request of a worker to the part of the coordinator that carries it out. Main thread.
 */
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import type { Client } from '@usher/shared/client.ts'
import type { Ask, AskAnswer, AskAnswers, Drain } from '@usher/shared/messages.ts'
import type { TicketIssuer } from './ticket-issuer.ts'
import type { StoredServer } from '@usher/shared/settings/servers.ts'

/** One method for each ask; see messages.ts. */
export interface AskedActions {
  sites (): Promise<AskAnswers['get-sites']>
  setDenyList (entries: readonly DenyEntry[]): Promise<AskAnswers['set-deny-list']>
  disconnect (
    client: Client, entries: readonly DenyEntry[] | undefined
  ): Promise<AskAnswers['disconnect']>
  restartServer (server: number): Promise<AskAnswers['restart-server']>
  setDrain (server: number, drain: Drain | undefined): AskAnswers['set-drain']
  readonly tickets: Pick<TicketIssuer, 'setKeys' | 'use'>
  setServers (
    stored: readonly StoredServer[], isStart: boolean
  ): Promise<AskAnswers['set-servers']>
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
