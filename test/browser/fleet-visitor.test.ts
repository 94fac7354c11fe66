/**
 * One person in Chromium who comes by the doors of all nodes of a fleet, whose names share the
 * cookie: one user, at whichever node.
 */
import type { Test } from 'tap'
import { ENGINE_SKIP, startEngine, type TestEngine } from '../../packages/shared/test/fleet/engine-kit.ts'
import { samePorts, until } from '../cluster.ts'
import { startMember, untilRight, untilUp, type FleetMember } from '../fleet-nodes.ts'
import { browserTest } from './browser.ts'

const DOMAIN = 'usher-fleet.test'
/** Of node 1, 2 and 3. */
const NAMES = ['oak', 'elm', 'ash'].map(name => `${name}.${DOMAIN}`)
const FLAGS = [
  `--host-resolver-rules=${NAMES.map((name, at) => `MAP ${name} 127.0.0.${at + 2}`).join(', ')}`
]

/** A node whose servers have names of their own: their ports have to be known before. */
async function startNamed (t: Test, engine: TestEngine, number: number): Promise<FleetMember> {
  const host = NAMES[number - 1]!
  const settings = {
    COOKIE_DOMAIN: DOMAIN, PUBLIC_HOSTS: host, TICKETS: 'never', DELAY_BETWEEN_ROUTING: '0'
  }
  const { cluster } = await startMember(t, engine, number, settings)
  await cluster.stop()
  return await startMember(t, engine, number, {
    ...settings,
    ...samePorts(cluster),
    SERVER_URLS: cluster.ports.map(port => `http://${host}:${port}`).join(',')
  })
}

async function usersAt ({ servers }: FleetMember): Promise<number> {
  return Object.values(await servers()).reduce((sum, { active_users: users }) => sum + users, 0)
}

browserTest('fleet: one person is one user, by the doors of all nodes', async (t, lab) => {
  if (ENGINE_SKIP !== false) {
    t.comment(ENGINE_SKIP)
    return
  }
  const engine = await startEngine(t)
  const members = await Promise.all([1, 2, 3].map(number => startNamed(t, engine, number)))
  await untilUp(members, 9)
  const visitor = await lab.newBrowser(FLAGS, {})
  const page = await visitor.newPage()
  const users = (): Promise<number[]> => Promise.all(members.map(usersAt))
  /** Comes by this node's door. Returns at which node it is then. */
  const come = async (number: number): Promise<number> => {
    const { cluster: { routingPort } } = members[number - 1]!
    await page.goto(`http://${NAMES[number - 1]}:${routingPort}/`)
    const node = NAMES.indexOf(new URL(page.url()).hostname) + 1
    // Until the node before has heard of it, it is counted there as well.
    await until(users, counts => counts.every((count, at) => count === (at + 1 === node ? 1 : 0)))
    const ids = (await visitor.cookies()).filter(({ name }) => name === 'client_id')
    t.match(ids, [{ domain: `.${DOMAIN}` }], 'one id for all names')
    t.equal(ids.length, 1)
    return node
  }
  const first = await come(1)
  t.strictSame([await come(2), await come(3)], [first, first], 'a tie leaves it where it is')
  const { cluster, operator } = members[first - 1]!
  for (const port of cluster.ports) {
    t.equal((await operator.post(`/servers/${port}/drain`, { force: true })).status, 200)
  }
  for (const number of [1, 2, 3]) {
    t.not(await until(() => come(number), node => node !== first), first, 'and it goes on to another node')
  }
  await untilRight({ engine, members })
})
