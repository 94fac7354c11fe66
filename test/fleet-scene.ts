/** Three nodes that are full, and visitors who come and go; what tests of a whole fleet look at. */
import type { Test } from 'tap'
import type { TestEngine } from '../packages/shared/test/fleet/engine-kit.ts'
import { Crowd, type CrowdNode } from '../scripts/fleet-chaos/crowd.ts'
import { Random } from '../scripts/kit/random.ts'
import { until } from './cluster.ts'
import { startFleet, type FleetMember, type TestFleet } from './fleet-nodes.ts'

export const CAPACITY = 8
/** More than there are places, so that each of them is wanted all the time. */
export const CROWD = 80
export const SCENE_SETTINGS = {
  CAPACITY: String(CAPACITY),
  DELAY_BETWEEN_ROUTING: '0.05',
  RESERVATION_TTL: '2',
  LEAVE_GRACE: '0',
  RETURN_GRACE: '0',
  HEARTBEAT_INTERVAL: '1',
  TIMEOUT_THRESHOLD: '60',
  NEWCOMERS_PER_MINUTE: '1000000'
}

/** One whose program is told to end, and started again. */
class SceneNode implements CrowdNode {
  member: FleetMember
  life = 0
  takesVisitors = true
  readonly wasKilled = false

  constructor (member: FleetMember) {
    this.member = member
  }

  get host (): string {
    return this.member.host
  }

  get routingPort (): number {
    return this.member.cluster.routingPort
  }

  /** Told to end; visitors come by the other routers from now on. */
  async stop (): Promise<number | null> {
    this.takesVisitors = false
    const code = await this.member.cluster.stop()
    this.life++
    return code
  }

  async again (): Promise<void> {
    this.member = await this.member.again()
    this.takesVisitors = true
  }
}

/** Looks at all servers again and again. */
export function watch (
  nodes: readonly SceneNode[]
): { end (): Promise<{ readonly samples: number, readonly most: number }> } {
  const seen = { samples: 0, most: 0, isOver: false }
  const watching = Promise.all(nodes.map(async node => {
    while (!seen.isOver) {
      const servers = await node.member.servers().catch(() => ({})) // It may have been killed.
      for (const { active_users: users } of Object.values(servers)) {
        seen.most = Math.max(seen.most, users)
        seen.samples++
      }
      await wait(20)
    }
  }))
  return {
    async end () {
      seen.isOver = true
      await watching
      return seen
    }
  }
}

export interface Scene extends TestFleet {
  readonly nodes: readonly SceneNode[]
  readonly crowd: Crowd
}

/** Three nodes that are full, and visitors who want in. */
export async function openScene (
  t: Test, settings: Record<string, string> = {}, engine?: TestEngine
): Promise<Scene> {
  const fleet = await startFleet(t, { ...SCENE_SETTINGS, ...settings }, engine)
  const nodes = fleet.members.map(member => new SceneNode(member))
  const { CAPACITY: capacity = '' } = { ...SCENE_SETTINGS, ...settings }
  const crowd = new Crowd({
    nodes,
    size: CROWD,
    random: new Random(1),
    pauseMs: 300,
    ...(capacity !== '' && { capacity: Number(capacity) })
  })
  crowd.start()
  await until(async () => crowd.counts.entered, entered => entered > CROWD)
  return { ...fleet, nodes, crowd }
}

export const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

export const untilAway = (members: readonly FleetMember[]): Promise<unknown> => Promise.all(
  members.map(({ fleet }) => until(fleet, ({ state }) => state === 'away')))

/** So many more come in. */
export async function more ({ crowd }: Scene, count: number): Promise<void> {
  const enough = crowd.counts.entered + count
  await until(async () => crowd.counts.entered, entered => entered >= enough)
}

export async function timed (t: Test, what: string, work: () => Promise<unknown>): Promise<void> {
  const startMs = performance.now()
  await work()
  t.comment(`${what}: ${(performance.now() - startMs).toFixed(0)} ms`)
}
