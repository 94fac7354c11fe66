/**
 * Whom an operator means, as what is denied; and what nobody denies unasked: the own address, and
 * everybody who comes by a proxy. Pure.
 */
import { isInRange, overlap } from '@usher/shared/address-range.ts'
import type { Allowance, Disconnection } from '@usher/shared/api/actions.ts'
import {
  clientOfAddress, formatAddress, formatClient, parseAddress, parseClientId, type Address,
  type Client
} from '@usher/shared/client.ts'
import { rangeFrom } from '@usher/shared/deny-list.ts'
import { ApiError } from '../errors/api-error.ts'
import { denyTarget, targetText, writtenTarget, type DenyTarget } from '../../records/deny-target.ts'

export function parseUserId (text: string): Client {
  const client = clientFrom(text)
  if (client !== undefined) return client
  throw new ApiError('bad_request',
    'userId must be a UUID other than the nil UUID, or an IP address.')
}

function clientFrom (text: string): Client | undefined {
  const address = parseAddress(text)
  return parseClientId(text) ?? (address === undefined ? undefined : clientOfAddress(address))
}

/** The client, and where it was last seen if that is asked for. */
export function deniedWith (
  client: Client, lastSeen: Address, action: Disconnection
): DenyTarget[] {
  const isAddressToo = action.address === true && client.kind === 'id'
  return [clientTarget(client), ...(isAddressToo ? [writtenTarget(formatAddress(lastSeen))] : [])]
}

function clientTarget (client: Client): DenyTarget {
  const text = formatClient(client)
  return client.kind === 'id' ? denyTarget('id', text) : writtenTarget(text)
}

/** Throws `bad_request` for both or neither, and DenyEntryInvalid for a text that is none. */
export function parseTarget ({ userId, address }: Allowance): DenyTarget {
  if ((userId === undefined) === (address === undefined)) {
    throw new ApiError('bad_request', 'Give either userId or address.')
  }
  return userId !== undefined ? clientTarget(parseUserId(userId)) : writtenTarget(address!)
}

/** One denied with `/128`, or before an address was taken for its /64, may be named without. */
export function singleAddress ({ userId, address = userId ?? '' }: Allowance): DenyTarget[] {
  return parseAddress(address) === undefined ? [] : [denyTarget('address', address)]
}

/** Nobody is thrown out together with all who come by a proxy, nor with the operator unasked. */
export function checkTargets (
  targets: readonly DenyTarget[], trustedProxies: readonly string[], ownAddress: Address,
  isForced: boolean | undefined
): void {
  for (const target of targets) {
    const proxy = target.kind === 'id'
      ? undefined
      : trustedProxies.find(text => overlap(rangeFrom(text), rangeFrom(target.text)))
    if (proxy !== undefined) {
      throw new ApiError('not_acceptable_here', `${targetText(target)} would deny ${proxy}, a ` +
        'trusted proxy, and with it everybody who comes by it. Deny the user without the address.')
    }
    checkOwnAddress(target, ownAddress, isForced)
  }
}

/** @param address the operator's */
export function checkOwnAddress (
  target: DenyTarget, address: Address, isForced: boolean | undefined
): void {
  if (isForced === true || target.kind === 'id' || !isInRange(address, rangeFrom(target.text))) return
  throw new ApiError('not_acceptable_here',
    `${targetText(target)} would deny ${formatAddress(address)}, the address that you are using. ` +
    'Send "force": true to deny it anyway.')
}
