/** One login for all nodes of a test's fleet, and people who come in by all routers. */
import { Operator } from '../scripts/kit/operator.ts'
import { until } from './cluster.ts'
import { PASSWORD, Person, type FleetMember } from './fleet-nodes.ts'

/**
 * Each node has made an account at its start, of which one stays, without the logins of the others:
 * resolves when a login at the first is one at all.
 */
export async function logInEverywhere (members: readonly FleetMember[]): Promise<void> {
  await until(async () => {
    const { cookie } = await Operator.loggedIn(members[0]!.cluster, 'admin', PASSWORD)
    for (const { operator } of members) operator.cookie = cookie
    return await isKnown(members)
  }, isSo => isSo)
}

/** Whether all nodes take the login of the first, as long as that does. */
async function isKnown (members: readonly FleetMember[]): Promise<boolean> {
  const statuses = async (): Promise<number[]> => await Promise.all(
    members.map(async ({ operator }) => (await operator.get('/stats?limit=0')).status))
  const isSettled = ([own, ...others]: readonly number[]): boolean =>
    own !== 200 || others.every(status => status === 200)
  const [own] = await until(statuses, isSettled)
  return own === 200
}

/** So many people, by all routers in turn; each is active somewhere. */
export async function enter (members: readonly FleetMember[], count: number): Promise<void> {
  for (let at = 0; at < count; at++) await new Person().enter(members[at % members.length]!)
}
