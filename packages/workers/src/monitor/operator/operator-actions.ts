/**
 * What an operator does to visitors and servers: disconnect, deny, allow, drain, ready. Each is
 * stored first, then applied by the coordinator in every thread, then recorded in the audit, and
 * only then answered. One at a time, so that the threads get the lists in the order of the
 * database. Runs in the monitor's thread.
 */
import type { Allowance, Denial, Disconnection } from '@usher/shared/api/actions.ts'
import {
  clientOfAddress, formatAddress, formatClient, parseAddress, parseClientId, type Address,
  type Client
} from '@usher/shared/client.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { DenyList, type DenyEntry } from '@usher/shared/deny-list.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { namesOf, type Server } from '@usher/shared/settings/servers.ts'
import type { WorkerContext } from '../../worker-host.ts'
import { ApiError } from '../errors/api-error.ts'
import type { AuditLog } from '../../records/audit-log.ts'
import type { Denials, NewDenial } from '../../records/denials.ts'

export interface ActionsParts {
  readonly table: Pick<UserTable, 'find'>
  readonly servers: readonly Server[]
  readonly denials: Pick<Denials, 'deny' | 'allow'>
  readonly audit: Pick<AuditLog, 'add'>
  readonly ask: WorkerContext['ask']
}

/** Who acts, and from where. */
export interface Operator {
  readonly username: string
  readonly address: Address
}

type Terms = Pick<Denial, 'reason' | 'minutes'>
type DenialTarget = Pick<DenyEntry, 'kind' | 'text'>

const MINUTE_MS = 60_000

export class Actions {
  readonly #parts: ActionsParts
  #earlier: Promise<unknown> = Promise.resolve()

  constructor (parts: ActionsParts) {
    this.#parts = parts
  }

  disconnect (operator: Operator, action: Disconnection): Promise<void> {
    return this.#inTurn(async () => {
      const { table, denials, ask } = this.#parts
      const client = parseUserId(action.userId)
      const user = table.find(client)
      if (user === undefined || user === 'busy') throw unknownUser(action.userId)
      const isDenied = action.deny ?? true
      const targets: DenialTarget[] = [{ kind: kindOf(client), text: formatClient(client) }]
      if (action.address === true && client.kind === 'id') {
        targets.push({ kind: 'address', text: formatAddress(user.address) })
      }
      const entries = isDenied
        ? await denials.deny(targets.map(target => denial(target, operator, action)))
        : undefined
      await ask({ type: 'disconnect', client, entries })
      const server = user.server ?? user.reservedServer
      await this.#record(operator, 'disconnect', formatClient(client), {
        ...termsOf(action),
        deny: isDenied,
        ...(isDenied && action.address === true ? { address: formatAddress(user.address) } : {}),
        ...(server === undefined ? {} : { server: this.#parts.servers[server]!.name })
      })
    })
  }

  deny (operator: Operator, action: Denial): Promise<void> {
    return this.#inTurn(async () => {
      const target = parseTarget(action)
      const { text } = target
      if (action.force !== true && isOwnAddress(target, operator.address)) {
        throw new ApiError('not_acceptable_here',
          `${text} would deny ${formatAddress(operator.address)}, the address that you are using. ` +
          'Send "force": true to deny it anyway.')
      }
      const { denials, ask } = this.#parts
      const entries = await denials.deny([denial(target, operator, action)])
      await ask({ type: 'set-deny-list', entries })
      await this.#record(operator, 'deny', text, termsOf(action))
    })
  }

  allow (operator: Operator, target: Allowance): Promise<void> {
    return this.#inTurn(async () => {
      const { kind, text } = parseTarget(target)
      const entries = await this.#parts.denials.allow(kind, text)
      if (entries === undefined) throw new ApiError('not_found', `${text} is not denied.`)
      await this.#parts.ask({ type: 'set-deny-list', entries })
      await this.#record(operator, 'allow', text)
    })
  }

  /** @param isForced also for the last server that takes visitors */
  setDraining (
    operator: Operator, name: string, isDraining: boolean, isForced: boolean
  ): Promise<void> {
    return this.#inTurn(async () => {
      const { servers, ask } = this.#parts
      const server = servers.find(candidate => candidate.name === name)
      if (server === undefined) {
        throw new ApiError('not_found',
          `No server has the name ${name}; there are ${namesOf(servers)}.`)
      }
      const { outcome } = await ask({
        type: 'set-draining', server: server.index, isDraining, isForced
      })
      if (outcome === 'last-available') {
        throw new ApiError('not_acceptable_here',
          `${name} is the last available server. ` +
          'Send "force": true to drain it anyway.')
      }
      await this.#record(operator, isDraining ? 'drain' : 'ready', name)
    })
  }

  async #record (
    { username, address }: Operator, action: string, target: string,
    detail: Readonly<Record<string, unknown>> = {}
  ): Promise<void> {
    await this.#parts.audit.add({
      who: username, action, target, detail, address: formatAddress(address)
    })
  }

  #inTurn<T> (work: () => Promise<T>): Promise<T> {
    const turn = this.#earlier.then(work)
    this.#earlier = turn.catch(() => {})
    return turn
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
  { kind, text }: DenialTarget, { username }: Operator, { reason = '', minutes }: Terms
): NewDenial {
  const forMs = minutes === undefined ? undefined : minutes * MINUTE_MS
  return { kind, text, reason, by: username, forMs }
}

function kindOf ({ kind }: Client): DenyEntry['kind'] {
  return kind === 'id' ? 'id' : 'address'
}

function parseTarget ({ userId, address }: Allowance): DenialTarget {
  if ((userId === undefined) === (address === undefined)) {
    throw new ApiError('bad_request', 'Give either userId or address.')
  }
  if (userId !== undefined) {
    const client = parseUserId(userId)
    return { kind: kindOf(client), text: formatClient(client) }
  }
  const single = parseAddress(address!)
  if (single !== undefined) return { kind: 'address', text: formatAddress(single) }
  return { kind: 'range', text: address! }
}

/** Throws `bad_request` for a malformed range. */
function isOwnAddress ({ kind, text }: DenialTarget, address: Address): boolean {
  if (kind === 'id') return false
  const list = new DenyList(monotonicNowMs)
  list.replace([{ kind, text, untilMs: undefined }])
  return list.isDenied(undefined, address)
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
