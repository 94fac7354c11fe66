/** The history of all nodes: side by side, added up, and without those that do not answer. */
import t from 'tap'
import type { History } from '@usher/shared/api/history.ts'
import {
  FleetHistories, HISTORY_ASK, LOADS_ASK, NODE_EVENTS_MAX, type HistoryAsk
} from '../../../src/monitor/fleet/fleet-history.ts'
import type { NodeAsks } from '../../../src/monitor/fleet/node-asks.ts'

const START_MS = Date.parse('2026-11-30T12:00:00Z')
const STEP_MS = 5000

type Points = ReadonlyArray<number | null>

function historyOf (fromMs: number, ...series: readonly Points[]): History {
  return {
    from: new Date(fromMs).toISOString(),
    step_seconds: STEP_MS / 1000,
    servers: Object.fromEntries(series.map((active, index) => [`s${index}`, {
      index,
      removed: false,
      active_users: [...active],
      reserved: active.map(value => value === null ? null : 1)
    }])),
    events: [
      { at: new Date(fromMs).toISOString(), type: 'start', server: null },
      { at: new Date(fromMs + 1000).toISOString(), type: 'down', server: 's0' }
    ]
  }
}

interface TestNode {
  /** By its own clock. */
  readonly history: History
  /** Of its machine's clock. */
  readonly aheadMs?: number
  readonly serverCount?: number
  readonly asked?: Array<number | undefined>
}

function histories (
  node: string, { history, aheadMs = 0, serverCount = 3, asked = [] }: TestNode, asks: NodeAsks
) {
  return new FleetHistories({
    node,
    asks,
    cards: { engineNowMs: () => 500_000 },
    own: async (_minutes, pointsMax) => {
      asked.push(pointsMax)
      return history
    },
    serverCount: () => serverCount,
    wallNow: () => 500_000 + aheadMs
  })
}

/** The console is that of the first node. */
function testFleet (nodes: Readonly<Record<string, TestNode>>, missing: readonly string[] = []) {
  const [[own, ownNode] = ['', undefined], ...others] = Object.entries(nodes)
  const there = new Map(others.map(([node, given]) =>
    [node, histories(node, given, {} as NodeAsks)] as const))
  const answer = async (node: string, kind: string, body: HistoryAsk): Promise<unknown> => {
    const one = there.get(node)
    if (kind === LOADS_ASK) return await one?.answerLoads(body)
    return kind === HISTORY_ASK ? await one?.answer(body) : undefined
  }
  const asks = {
    ask: async (kind: string, body: HistoryAsk) => ({
      answers: new Map(await Promise.all([...there.keys()].map(async node =>
        [node, await answer(node, kind, body)] as const))),
      missing
    }),
    askKnown: answer
  } as unknown as NodeAsks
  return histories(own, ownNode!, asks)
}

t.test('fleet history: each node by the sums of its servers, and all of them added up', async t => {
  const fleet = testFleet({
    oak: { history: historyOf(START_MS, [1, 2, null], [3, null, null]) },
    elm: { history: historyOf(START_MS, [10, 20, 30]) }
  }, ['fir'])
  const { servers, events, fleet: whole } = await fleet.find(undefined, 5)
  t.strictSame(Object.keys(servers), ['s0', 's1'], 'its own servers as ever')
  t.equal(events.length, 2)
  t.strictSame(whole, {
    nodes: { asked: 3, answered: 2, missing: ['fir'] },
    loads: {
      elm: { active_users: [10, 20, 30], reserved: [1, 1, 1] },
      oak: { active_users: [4, 2, null], reserved: [2, 1, null] }
    },
    total: { active_users: [14, 22, 30], reserved: [3, 2, 1] },
    events: [
      { at: new Date(START_MS).toISOString(), type: 'start', node: 'elm', server: null },
      { at: new Date(START_MS).toISOString(), type: 'start', node: 'oak', server: null },
      { at: new Date(START_MS + 1000).toISOString(), type: 'down', node: 'elm', server: 's0' },
      { at: new Date(START_MS + 1000).toISOString(), type: 'down', node: 'oak', server: 's0' }
    ]
  })
})

t.test('fleet history: the same moment stands in the same step, whatever the machines\' clocks say', async t => {
  const aheadMs = 25_300
  const fleet = testFleet({
    oak: { history: historyOf(START_MS, [1, 2, 3]) },
    elm: { history: historyOf(START_MS + 5 * STEP_MS, [10, 20, 30]), aheadMs },
    fir: { history: historyOf(START_MS + STEP_MS, [200, 300]) }
  })
  const { total, events } = (await fleet.find(undefined, 5)).fleet!
  t.strictSame(total.active_users, [11, 222, 333])
  t.equal(events.find(({ node, server }) => node === 'elm' && server === null)?.at,
    new Date(START_MS + 5 * STEP_MS - aheadMs).toISOString())
})

t.test('fleet history: a step that is not measured everywhere yet is left for the next time', async t => {
  const fleet = testFleet({
    oak: { history: historyOf(START_MS, [1, 2, 3]) },
    elm: { history: historyOf(START_MS, [10, 20]) },
    bare: { history: historyOf(START_MS) }
  })
  const { total, loads } = (await fleet.find(undefined, 5)).fleet!
  t.strictSame(total.active_users, [11, 22])
  t.strictSame(loads['bare'], { active_users: [null, null], reserved: [null, null] }, 'one without servers')
})

t.test('fleet history: one node with its servers, of this or another one', async t => {
  const elm = historyOf(START_MS, [10, 20], [1, 1])
  const asked: Array<number | undefined> = []
  const fleet = testFleet({
    oak: { history: historyOf(START_MS, [1, 2]) }, elm: { history: elm, asked, serverCount: 256 }
  })
  t.strictSame(await fleet.find('elm', 5), elm)
  t.strictSame(asked, [173], 'of many servers fewer points, so that a message has room')
  t.notOk('fleet' in await fleet.find('oak', 5))
  await t.rejects(fleet.find('fir', 5), { code: 'node_away' })
})

t.test('fleet history: of each node the newest events', async t => {
  const history = historyOf(START_MS, [1])
  const [event] = history.events
  const many = { ...history, events: Array(NODE_EVENTS_MAX + 5).fill(event) }
  const fleet = testFleet({ oak: { history }, elm: { history: many } })
  t.equal((await fleet.find(undefined, 5)).fleet!.events.length, NODE_EVENTS_MAX + 2)
})
