/**
 * What an operator does to visitors and servers: disconnect, deny, allow, drain, ready, restart.
 * Each is stored first, if it is to last, then applied by the coordinator in every thread, then
 * recorded in the audit, and only then answered. One at a time, so that the threads get the lists
 * in the order of the database. Whether the operator may still do it is looked at in the step that
 * does it. Runs in the monitor's thread.
 */
import type {
  Allowance, Denial, Disconnection, DrainOrder, Reached
} from '@usher/shared/api/actions.ts'
import { formatClient, type Address, type Client } from '@usher/shared/client.ts'
import type { DenyEntry } from '@usher/shared/deny-list.ts'
import type { User } from '@usher/shared/memory/snapshot.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Ask, AskAnswers } from '@usher/shared/messages.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import type { InTurn } from '@usher/shared/turns.ts'
import type { Sql } from '../../database/statements.ts'
import type { WorkerContext } from '../../worker-host.ts'
import type { Permit } from '../access/permit.ts'
import type { Caller } from '../access/rights.ts'
import { ApiError } from '../errors/api-error.ts'
import type { FleetActions, UserPlace } from '../fleet/fleet-actions.ts'
import type { DrainOrders } from './drain-orders.ts'
import { serverNamed } from './named-server.ts'
import { record } from './operator-record.ts'
import {
  checkOwnAddress, checkTargets, deniedWith, parseTarget, parseUserId, singleAddress
} from './operator-targets.ts'
import type { AuditLog } from '../../records/audit-log.ts'
import type { Denials, NewDenial } from '../../records/denials.ts'
import { targetText, type DenyTarget } from '../../records/deny-target.ts'

export interface ActionsParts {
  readonly table: Pick<UserTable, 'find' | 'serverState'>
  /** Undefined where the program is alone. */
  readonly fleet: Pick<FleetActions, 'elsewhere' | 'locate' | 'remove' | 'drain'> | undefined
  readonly servers: readonly Slot[]
  /** Addresses and ranges (TRUST_PROXY). */
  readonly trustedProxies: readonly string[]
  readonly denials: Pick<Denials, 'deny' | 'allow'>
  readonly drainOrders: DrainOrders
  readonly audit: Pick<AuditLog, 'add'>
  readonly permit: Pick<Permit, 'check' | 'act'>
  readonly ask: WorkerContext['ask']
  /** For whatever changes who is denied and what drains. */
  readonly inTurn: InTurn
  /** A server is restarted without a gap. */
  readonly canSharePorts: boolean
}

/** Who acts, in person or by a program, and from where. */
export interface Operator {
  readonly caller: Caller
  readonly address: Address
}

type Terms = Pick<Denial, 'reason' | 'minutes'>
/** What an action did, beside that it was received. */
type Reach = Omit<Reached, 'response'>

const MINUTE_MS = 60_000
/** A reload, or restarts of other servers, may be under way. */
const RESTART_TIMEOUT_MS = 120_000
/** What an action takes: the same right, and of a program a scope. */
type ActionNeed = 'disconnect' | 'drain'

export class Actions {
  readonly #parts: ActionsParts

  constructor (parts: ActionsParts) {
    this.#parts = parts
  }

  async disconnect (operator: Operator, action: Disconnection): Promise<Reach> {
    const client = parseUserId(action.userId)
    const { fleet } = this.#parts
    if (fleet === undefined || this.#find(client) !== undefined) {
      return await this.#parts.inTurn(() => this.#disconnectHere(operator, client, action))
    }
    const { place, missing } = await fleet.locate(client)
    if (place === undefined) throw unknownUser(action.userId, missing)
    return await this.#disconnectAt(place, operator, client, action)
  }

  async #disconnectHere (
    operator: Operator, client: Client, action: Disconnection
  ): Promise<Reach> {
    const user = this.#find(client)
    if (user === undefined) throw unknownUser(action.userId, [])
    const targets = this.#targetsOf(client, user.address, operator, action)
    const entries = targets.length === 0
      ? undefined
      : await this.#deny(targets, operator, action)
    const ask = { type: 'disconnect', client, entries } as const
    const { removedUsers } = await (entries === undefined
      ? this.#ask(operator, 'disconnect', ask)
      : this.#parts.ask(ask))
    const server = user.server ?? user.reservedServer
    const name = server === undefined ? undefined : this.#parts.servers[server]!.name
    await this.#recordDisconnect(operator, client, action, { targets, removedUsers, server: name })
    return { denied: targets.map(targetText), users: removedUsers }
  }

  /** The other nodes hear of the denial by themselves, too; this one says when it is done there. */
  async #disconnectAt (
    { node, server, address }: UserPlace, operator: Operator, client: Client,
    action: Disconnection
  ): Promise<Reach> {
    const targets = this.#targetsOf(client, address, operator, action)
    const { inTurn, ask, fleet, permit } = this.#parts
    const removedHere = targets.length === 0
      ? 0
      : await inTurn(async () => {
        const entries = await this.#deny(targets, operator, action)
        return (await ask({ type: 'set-deny-list', entries })).removedUsers
      })
    const removedThere = await permit.act(operator.caller, 'disconnect',
      () => fleet!.remove(node, client))
    // Whoever is denied may be gone there before.
    const removedUsers = removedHere + Math.max(removedThere, targets.length === 0 ? 0 : 1)
    await this.#recordDisconnect(operator, client, action,
      { targets, removedUsers, server: `${node}/${server}` })
    return { denied: targets.map(targetText), users: removedUsers }
  }

  #find (client: Client): User | undefined {
    const user = this.#parts.table.find(client)
    return user === 'busy' ? undefined : user
  }

  /** What is denied beside the disconnect: nothing, if that is what is asked. */
  #targetsOf (
    client: Client, lastSeen: Address, operator: Operator, action: Disconnection
  ): readonly DenyTarget[] {
    const targets = action.deny === false ? [] : deniedWith(client, lastSeen, action)
    if (action.address === true) {
      checkTargets(targets, this.#parts.trustedProxies, operator.address, action.force)
    }
    return targets
  }

  #deny (
    targets: readonly DenyTarget[], operator: Operator, action: Disconnection
  ): Promise<readonly DenyEntry[]> {
    return this.#parts.denials.deny(
      targets.map(target => denial(target, operator, action)), this.#check(operator, 'disconnect'))
  }

  async #recordDisconnect (
    operator: Operator, client: Client, action: Disconnection,
    { targets, removedUsers, server }: {
      readonly targets: readonly DenyTarget[]
      readonly removedUsers: number
      readonly server: string | undefined
    }
  ): Promise<void> {
    const address = targets.find(({ kind }) => kind !== 'id')
    await this.#record(operator, 'disconnect', formatClient(client), {
      ...termsOf(action),
      deny: targets.length > 0,
      ...(address === undefined ? {} : { address: targetText(address), users: removedUsers }),
      ...(server === undefined ? {} : { server })
    })
  }

  deny (operator: Operator, action: Denial): Promise<Reach> {
    return this.#parts.inTurn(async () => {
      const target = parseTarget(action)
      checkOwnAddress(target, operator.address, action.force)
      const { denials, ask } = this.#parts
      const entries = await denials.deny(
        [denial(target, operator, action)], this.#check(operator, 'disconnect'))
      const { removedUsers: users } = await ask({ type: 'set-deny-list', entries })
      const text = targetText(target)
      await this.#record(operator, 'deny', text, { ...termsOf(action), users })
      return { denied: [text], users }
    })
  }

  allow (operator: Operator, target: Allowance): Promise<void> {
    return this.#parts.inTurn(async () => {
      const { denials, ask } = this.#parts
      const named = [parseTarget(target), ...singleAddress(target)]
      for (const one of named) {
        const entries = await denials.allow(
          one.kind, one.text, this.#check(operator, 'disconnect'))
        if (entries === undefined) continue
        await ask({ type: 'set-deny-list', entries })
        return await this.#record(operator, 'allow', targetText(one))
      }
      throw new ApiError('not_found', `${targetText(named[0]!)} is not denied.`)
    })
  }

  /** Of a server that drains already, note and time are replaced. */
  async drain (operator: Operator, name: string, order: DrainOrder): Promise<void> {
    await this.#setDrain(operator, name, order)
    const { note, minutes, maintenance = false } = order
    await this.#record(operator, 'drain', name, {
      ...(note === undefined || note === '' ? {} : { note }),
      ...(minutes === undefined ? {} : { minutes }),
      ...(maintenance && { maintenance })
    })
  }

  async ready (operator: Operator, name: string): Promise<void> {
    await this.#setDrain(operator, name, undefined)
    await this.#record(operator, 'ready', name)
  }

  /** @param name of another node's server NODE/NAME */
  async #setDrain (
    operator: Operator, name: string, order: DrainOrder | undefined
  ): Promise<void> {
    const { fleet, permit, inTurn, drainOrders } = this.#parts
    const place = fleet?.elsewhere(name)
    if (place !== undefined) {
      await permit.act(operator.caller, 'drain',
        () => fleet!.drain(place.node, place.server, order))
      return
    }
    const check = this.#check(operator, 'drain')
    const own = fleet === undefined ? name : name.slice(name.indexOf('/') + 1)
    await inTurn(() => order === undefined
      ? drainOrders.ready(own, check)
      : drainOrders.drain(own, order, check))
  }

  /**
   * Not in turn: it may take as long as the replies that are being sent. Of the last available
   * server by force only, where nobody serves in the meantime.
   */
  async restart (operator: Operator, name: string, isForced: boolean): Promise<void> {
    const { table, canSharePorts, drainOrders } = this.#parts
    const server = serverNamed(this.#parts.servers, name)
    if (server.kind === 'external') {
      throw new ApiError('not_acceptable_here', `${name} is an external server: restart it there.`)
    }
    const isMissed = table.serverState(server.index) === 'up' && !drainOrders.isAnotherAvailable(server)
    if (isMissed && !canSharePorts && !isForced) {
      throw new ApiError('not_acceptable_here', `${name} is the last available server, and ` +
        'nobody is served while it restarts. Send "force": true to restart it anyway.')
    }
    await this.#ask(operator, 'drain',
      { type: 'restart-server', server: server.index }, RESTART_TIMEOUT_MS)
    await this.#record(operator, 'restart', name)
  }

  /** For the transaction of what is stored. */
  #check ({ caller }: Operator, needs: ActionNeed): (sql: Sql) => void {
    return sql => { this.#parts.permit.check(sql, caller, needs) }
  }

  /** For what is not stored. */
  #ask<A extends Ask> (
    { caller }: Operator, needs: ActionNeed, ask: A, timeoutMs?: number
  ): Promise<AskAnswers[A['type']]> {
    return this.#parts.permit.act(caller, needs, () => this.#parts.ask(ask, timeoutMs))
  }

  async #record (
    operator: Operator, action: string, target: string,
    detail: Readonly<Record<string, unknown>> = {}
  ): Promise<void> {
    await record(this.#parts.audit, operator, action, target, detail)
  }
}

function denial (
  { kind, text }: DenyTarget, { caller: { username } }: Operator, { reason = '', minutes }: Terms
): NewDenial {
  const forMs = minutes === undefined ? undefined : minutes * MINUTE_MS
  return { kind, text, reason, by: username, forMs }
}

/** @param missing nodes that may have that user */
function unknownUser (userId: string, missing: readonly string[]): ApiError {
  return new ApiError('not_found', `No user has the id ${userId}` + (missing.length === 0
    ? '.'
    : ` at the nodes that answer; ${missing.join(', ')} did not.`))
}

function termsOf ({ reason, minutes }: Terms): Terms {
  return {
    ...(reason === undefined || reason === '' ? {} : { reason }),
    ...(minutes === undefined ? {} : { minutes })
  }
}
