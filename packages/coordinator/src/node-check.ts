/**
 * Nothing is opened on a Node that is too old: before 20.19.2 its HTTP parser ends lines and heads
 * where HTTP does not, so that requests could be smuggled in past a proxy. Computes only.
 */
import { NodeTooOld } from '@usher/shared/errors.ts'

/**
 * Throws NodeTooOld.
 * @param engines as package.json has it: `>=` and the oldest version
 */
export function checkNode (version: string, engines: string): void {
  const oldest = engines.replace('>=', '')
  const [theirs, ours] = [version, oldest].map(text => text.split('.').map(Number))
  const at = ours!.findIndex((number, at) => number !== theirs![at])
  if (at !== -1 && theirs![at]! < ours![at]!) throw new NodeTooOld(version, oldest)
}
