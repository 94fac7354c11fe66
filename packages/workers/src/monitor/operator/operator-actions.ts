/**
 * What an operator does to visitors and servers: disconnect, deny, allow, drain, ready, restart.
 * Each is stored first, if it is to last, then applied by the coordinator in every thread, then
 * recorded in the audit, and only then answered. One at a time, so that the threads get the lists
 * in the order of the database. Whether the operator may still do it is looked at in the step that
 * does it. Runs in the monitor's thread.
 */
import { isInRange, overlap } from '@usher/shared/address-range.ts'
import type {
  Allowance, Denial, Disconnection, DrainOrder, Reached
} from '@usher/shared/api/actions.ts'
import {
  clientOfAddress, formatAddress, formatClient, parseAddress, parseClientId, type Address,
  type Client
} from '@usher/shared/client.ts'
import { rangeFrom } from '@usher/shared/deny-list.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { Ask, AskAnswers } from '@usher/shared/messages.ts'
import type { Server, Slot } from '@usher/shared/settings/servers.ts'
import type { InTurn } from '@usher/shared/turns.ts'
import type { Sql } from '../../database/statements.ts'
import type { WorkerContext } from '../../worker-host.ts'
import type { Permit } from '../access/permit.ts'
import { isProgram, type Caller } from '../access/rights.ts'
import { ApiError } from '../errors/api-error.ts'
import { serverNamed } from './named-server.ts'
import type { AuditLog } from '../../records/audit-log.ts'
import type { Denials, NewDenial } from '../../records/denials.ts'
import type { Drains } from '../../records/drains.ts'
import { denyTarget, targetText, writtenTarget, type DenyTarget } from '../../records/deny-target.ts'

export interface ActionsParts {
  readonly table: Pick<UserTable, 'find' | 'serverState'>
  readonly servers: readonly Slot[]
  /** Addresses and ranges (TRUST_PROXY). */
  readonly trustedProxies: readonly string[]
  readonly denials: Pick<Denials, 'deny' | 'allow'>
  readonly drains: Pick<Drains, 'of' | 'put' | 'remove' | 'order'>
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

  disconnect (operator: Operator, action: Disconnection): Promise<Reach> {
    return this.#parts.inTurn(async () => {
      const { table, denials } = this.#parts
      const client = parseUserId(action.userId)
      const user = table.find(client)
      if (user === undefined || user === 'busy') throw unknownUser(action.userId)
      const isDenied = action.deny ?? true
      const targets = isDenied ? deniedWith(client, user.address, action) : []
      if (action.address === true) this.#checkTargets(targets, operator, action.force)
      const entries = isDenied
        ? await denials.deny(targets.map(target => denial(target, operator, action)),
          this.#check(operator, 'disconnect'))
        : undefined
      const ask = { type: 'disconnect', client, entries } as const
      const { removedUsers } =
        await (isDenied ? this.#parts.ask(ask) : this.#ask(operator, 'disconnect', ask))
      const server = user.server ?? user.reservedServer
      const address = targets.find(({ kind }) => kind !== 'id')
      await this.#record(operator, 'disconnect', formatClient(client), {
        ...termsOf(action),
        deny: isDenied,
        ...(address === undefined ? {} : { address: targetText(address), users: removedUsers }),
        ...(server === undefined ? {} : { server: this.#parts.servers[server]!.name })
      })
      return { denied: targets.map(targetText), users: removedUsers }
    })
  }

  deny (operator: Operator, action: Denial): Promise<Reach> {
    return this.#parts.inTurn(async () => {
      const target = parseTarget(action)
      checkOwnAddress(target, operator, action.force)
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
  drain (operator: Operator, name: string, order: DrainOrder): Promise<void> {
    return this.#parts.inTurn(async () => {
      const server = serverNamed(this.#parts.servers, name)
      const { note, minutes, maintenance = false, force } = order
      if (maintenance && server.kind === 'own') {
        throw new ApiError('not_acceptable_here', `${name} is an own server, and maintenance is of ` +
          'external ones. Send "minutes": 0 to move everybody away.')
      }
      await this.#parts.drains.put(server, order, sql => {
        this.#check(operator, 'drain')(sql)
        if (force === true || this.#parts.drains.of(server.index) !== undefined) return
        if (!this.#isAnotherAvailable(server)) {
          throw new ApiError('not_acceptable_here',
            `${name} is the last available server. Send "force": true to drain it anyway.`)
        }
      })
      await this.#applyDrain(server)
      await this.#record(operator, 'drain', name, {
        ...(note === undefined || note === '' ? {} : { note }),
        ...(minutes === undefined ? {} : { minutes }),
        ...(maintenance && { maintenance })
      })
    })
  }

  ready (operator: Operator, name: string): Promise<void> {
    return this.#parts.inTurn(async () => {
      const server = serverNamed(this.#parts.servers, name)
      await this.#parts.drains.remove(server, this.#check(operator, 'drain'))
      await this.#applyDrain(server)
      await this.#record(operator, 'ready', name)
    })
  }

  /**
   * Not in turn: it may take as long as the replies that are being sent. Of the last available
   * server by force only, where nobody serves in the meantime.
   */
  async restart (operator: Operator, name: string, isForced: boolean): Promise<void> {
    const { table, canSharePorts } = this.#parts
    const server = serverNamed(this.#parts.servers, name)
    if (server.kind === 'external') {
      throw new ApiError('not_acceptable_here', `${name} is an external server: restart it there.`)
    }
    const isMissed = table.serverState(server.index) === 'up' && !this.#isAnotherAvailable(server)
    if (isMissed && !canSharePorts && !isForced) {
      throw new ApiError('not_acceptable_here', `${name} is the last available server, and ` +
        'nobody is served while it restarts. Send "force": true to restart it anyway.')
    }
    await this.#ask(operator, 'drain',
      { type: 'restart-server', server: server.index }, RESTART_TIMEOUT_MS)
    await this.#record(operator, 'restart', name)
  }

  async #applyDrain ({ index: server }: Server): Promise<void> {
    const { drains, ask } = this.#parts
    await ask({ type: 'set-drain', server, drain: drains.order(server) })
  }

  #isAnotherAvailable ({ index }: Server): boolean {
    const { servers, table } = this.#parts
    return servers.some(other => other.index !== index && table.serverState(other.index) === 'up')
  }

  /** Nobody is thrown out together with all who come by a proxy, nor with the operator unasked. */
  #checkTargets (
    targets: readonly DenyTarget[], operator: Operator, isForced: boolean | undefined
  ): void {
    for (const target of targets) {
      const proxy = target.kind === 'id'
        ? undefined
        : this.#parts.trustedProxies.find(text => overlap(rangeFrom(text), rangeFrom(target.text)))
      if (proxy !== undefined) {
        throw new ApiError('not_acceptable_here', `${targetText(target)} would deny ${proxy}, a ` +
          'trusted proxy, and with it everybody who comes by it. Deny the user without the address.')
      }
      checkOwnAddress(target, operator, isForced)
    }
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
    { caller, address }: Operator, action: string, target: string,
    detail: Readonly<Record<string, unknown>> = {}
  ): Promise<void> {
    await this.#parts.audit.add({
      who: caller.username,
      action,
      target,
      detail: isProgram(caller) ? { ...detail, token: caller.tokenName } : detail,
      address: formatAddress(address)
    })
  }
}

function parseUserId (text: string): Client {
  const client = clientFrom(text)
  if (client !== undefined) return client
  throw new ApiError('bad_request', 'userId must be a UUID other than the nil UUID, or an IP address.')
}

function clientFrom (text: string): Client | undefined {
  const address = parseAddress(text)
  return parseClientId(text) ?? (address === undefined ? undefined : clientOfAddress(address))
}

function denial (
  { kind, text }: DenyTarget, { caller: { username } }: Operator, { reason = '', minutes }: Terms
): NewDenial {
  const forMs = minutes === undefined ? undefined : minutes * MINUTE_MS
  return { kind, text, reason, by: username, forMs }
}

/** The client, and where it was last seen if that is asked for. */
function deniedWith (client: Client, lastSeen: Address, action: Disconnection): DenyTarget[] {
  const isAddressToo = action.address === true && client.kind === 'id'
  return [clientTarget(client), ...(isAddressToo ? [writtenTarget(formatAddress(lastSeen))] : [])]
}

function clientTarget (client: Client): DenyTarget {
  const text = formatClient(client)
  return client.kind === 'id' ? denyTarget('id', text) : writtenTarget(text)
}

/** Throws `bad_request` for both or neither, and DenyEntryInvalid for a text that is none. */
function parseTarget ({ userId, address }: Allowance): DenyTarget {
  if ((userId === undefined) === (address === undefined)) {
    throw new ApiError('bad_request', 'Give either userId or address.')
  }
  return userId !== undefined ? clientTarget(parseUserId(userId)) : writtenTarget(address!)
}

/** One denied with `/128`, or before an address was taken for its /64, may be named without. */
function singleAddress ({ userId, address = userId ?? '' }: Allowance): DenyTarget[] {
  return parseAddress(address) === undefined ? [] : [denyTarget('address', address)]
}

function checkOwnAddress (
  target: DenyTarget, { address }: Operator, isForced: boolean | undefined
): void {
  if (isForced === true || target.kind === 'id' || !isInRange(address, rangeFrom(target.text))) return
  throw new ApiError('not_acceptable_here',
    `${targetText(target)} would deny ${formatAddress(address)}, the address that you are using. ` +
    'Send "force": true to deny it anyway.')
}

function unknownUser (userId: string): ApiError {
  return new ApiError('not_found', `No user has the id ${userId}.`)
}

function termsOf ({ reason, minutes }: Terms): Terms {
  return {
    ...(reason === undefined || reason === '' ? {} : { reason }),
    ...(minutes === undefined ? {} : { minutes })
  }
}
