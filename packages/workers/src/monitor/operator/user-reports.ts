/**
 * What a server's program reports of its people: a batch is checked as a whole first, then each
 * does to the user table what a beat or a leave at that server does. The ids are the program's
 * word, so that no address is known of them and no network's allowance asked. Runs in the monitor's
 * thread, which is one that touches like a server's.
 */
import type { Reported, ReportedUser } from '@usher/shared/api/reports.ts'
import { REPORT_USERS_MAX } from '@usher/shared/api/reports.ts'
import { visitDrained, visitToStay } from '@usher/shared/beats/draining.ts'
import { logUser, visit, type VisitorParts } from '@usher/shared/beats/visitors.ts'
import { parseClientId, UNKNOWN_ADDRESS, type Client } from '@usher/shared/client.ts'
import type { DenyList } from '@usher/shared/deny-list.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { VisitOptions } from '@usher/shared/memory/visits.ts'
import { quote } from '@usher/shared/quote.ts'
import type { Server, Slot } from '@usher/shared/settings/servers.ts'
import type { Logger } from 'pino'
import type { Permit } from '../access/permit.ts'
import type { Caller } from '../access/rights.ts'
import { ApiError } from '../errors/api-error.ts'
import { serverNamed } from './named-server.ts'

export interface ReportsParts {
  readonly table: UserTable
  readonly servers: readonly Slot[]
  readonly denyList: Pick<DenyList, 'isDenied'>
  readonly permit: Pick<Permit, 'act'>
  readonly log: Pick<Logger, 'debug' | 'isLevelEnabled'>
}

interface Entry {
  readonly id: string
  readonly client: Client
  readonly hasLeft: boolean
}

type Why = Reported['refused'][number]['why']
type Counted = 'arrived' | 'moved_here' | 'still_here' | 'left' | 'not_here'

/**
 * As a beat with the id in its query: whose browser it is was not shown. It is no page that beats,
 * which would be expected to go on at the pages' pace.
 */
const REPORTED: VisitOptions = { isOwn: false }

export class Reports {
  readonly #parts: ReportsParts

  constructor (parts: ReportsParts) {
    this.#parts = parts
  }

  /** Throws `not_found`, `bad_request` and `body_too_large`, and then nothing is done. */
  async report (
    caller: Caller, name: string, users: readonly ReportedUser[]
  ): Promise<Reported> {
    const { servers, permit } = this.#parts
    serverNamed(servers, name)
    if (users.length > REPORT_USERS_MAX) {
      throw new ApiError('body_too_large', `A batch has ${REPORT_USERS_MAX} users at most; this ` +
        `one has ${users.length}. Send it in several.`)
    }
    const entries = users.map(entryOf)
    // It may have been removed in the meantime.
    return await permit.act(
      caller, 'report', async () => this.#take(serverNamed(servers, name), entries))
  }

  #take (server: Server, entries: readonly Entry[]): Reported {
    const counts: Record<Counted, number> = {
      arrived: 0, moved_here: 0, still_here: 0, left: 0, not_here: 0
    }
    const refused: Array<{ id: string, why: Why }> = []
    const { table, log } = this.#parts
    const parts: VisitorParts = {
      server: server.index,
      table,
      drainPhase: () => table.drainPhase(server.index),
      onAddressFull: () => {}, // No address is known.
      log
    }
    for (const { id, client, hasLeft } of entries) {
      const outcome = hasLeft ? leave(parts, client) : this.#seen(parts, client)
      if (isCounted(outcome)) counts[outcome]++
      else refused.push({ id, why: outcome })
    }
    return {
      server: server.name, ...counts, refused, active_users: table.activeUsers(server.index)
    }
  }

  #seen (parts: VisitorParts, client: Client): Counted | Why {
    const { denyList, table } = this.#parts
    if (denyList.isDenied(client, UNKNOWN_ADDRESS)) return 'denied'
    const visitor = { client, address: UNKNOWN_ADDRESS, options: REPORTED }
    const state = table.serverState(parts.server)
    if (state === 'down') {
      return visitToStay(parts, visitor, 'adds') === 'seen' ? 'still_here' : 'unavailable'
    }
    if (state !== 'up' && state !== 'draining') return 'unavailable'
    const phase = parts.drainPhase()
    if (phase === 'everybody') return 'moved'
    const outcome = phase === 'none'
      ? visit(parts, visitor, 'adds')
      : visitDrained(parts, phase, visitor, 'adds')
    switch (outcome) {
      case 'arrived': return 'arrived'
      case 'moved': return 'moved_here'
      case 'seen': return 'still_here'
      case 'unknown': return 'draining'
      case 'server-full': return 'full'
      case 'full':
      case 'address-full':
      case 'uncounted':
      case 'network':
      case 'busy': return 'unavailable'
    }
  }
}

function leave (parts: VisitorParts, client: Client): Counted | Why {
  const hasLeft = parts.table.leave(client, parts.server)
  if (hasLeft === 'busy') return 'unavailable'
  if (!hasLeft) return 'not_here'
  logUser(parts, client, 'user left')
  return 'left'
}

function entryOf ({ id, seen, left }: ReportedUser, at: number): Entry {
  const client = parseClientId(id)
  if (client === undefined) {
    throw bad(at, `id must be a UUID other than the nil UUID; ${quote(id)} is not one`)
  }
  const isOne = (seen === true && left === undefined) || (left === true && seen === undefined)
  if (!isOne) throw bad(at, 'give either "seen": true or "left": true')
  return { id, client, hasLeft: left === true }
}

function bad (at: number, what: string): ApiError {
  return new ApiError('bad_request', `users[${at}]: ${what}. Nothing of the batch was done.`)
}

const COUNTED: readonly string[] = ['arrived', 'moved_here', 'still_here', 'left', 'not_here']

function isCounted (outcome: Counted | Why): outcome is Counted {
  return COUNTED.includes(outcome)
}
