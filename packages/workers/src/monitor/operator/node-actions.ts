/**
 * What an operator does to a node of the fleet: all its servers drain, or take visitors again.
 * Asked of that node, recorded here in the audit as one thing, and only then answered. Runs in the
 * monitor's thread.
 */
import type { NodeDrainOrder } from '@usher/shared/api/actions.ts'
import type { AuditLog } from '../../records/audit-log.ts'
import type { Permit } from '../access/permit.ts'
import { ApiError } from '../errors/api-error.ts'
import type { FleetActions } from '../fleet/fleet-actions.ts'
import type { Operator } from './operator-actions.ts'
import { record } from './operator-record.ts'

export interface NodeActionsParts {
  /** Undefined where the program is alone. */
  readonly fleet: Pick<FleetActions, 'setNodeDrain'> | undefined
  readonly audit: Pick<AuditLog, 'add'>
  readonly permit: Pick<Permit, 'act'>
}

export class NodeActions {
  readonly #parts: NodeActionsParts

  constructor (parts: NodeActionsParts) {
    this.#parts = parts
  }

  /** Throws `not_found`, `node_away`, and `not_acceptable_here` of the last available servers. */
  async drain (operator: Operator, node: string, order: NodeDrainOrder): Promise<void> {
    await this.#set(operator, node, order)
    const { note, minutes } = order
    await record(this.#parts.audit, operator, 'drain-node', node, {
      ...(note !== undefined && note !== '' && { note }),
      ...(minutes !== undefined && { minutes })
    })
  }

  /** Throws `not_found` and `node_away`. */
  async ready (operator: Operator, node: string): Promise<void> {
    await this.#set(operator, node, undefined)
    await record(this.#parts.audit, operator, 'ready-node', node)
  }

  async #set (
    { caller }: Operator, node: string, order: NodeDrainOrder | undefined
  ): Promise<void> {
    const { fleet, permit } = this.#parts
    if (fleet === undefined) {
      throw new ApiError('not_found', `There is no node ${node}: this program is alone.`)
    }
    await permit.act(caller, 'drain', () => fleet.setNodeDrain(node, order))
  }
}
