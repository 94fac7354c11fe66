/** What the audit keeps of an operator's action. Runs in the monitor's thread. */
import { formatAddress, type Address } from '@usher/shared/client.ts'
import type { AuditLog } from '../../records/audit-log.ts'
import { isProgram, type Caller } from '../access/rights.ts'

/** Rejects when it cannot be stored. @param detail beside which token a program has used */
export async function record (
  audit: Pick<AuditLog, 'add'>,
  { caller, address }: { readonly caller: Caller, readonly address: Address },
  action: string,
  target: string,
  detail: Readonly<Record<string, unknown>> = {}
): Promise<void> {
  await audit.add({
    who: caller.username,
    action,
    target,
    detail: isProgram(caller) ? { ...detail, token: caller.tokenName } : detail,
    address: formatAddress(address)
  })
}
