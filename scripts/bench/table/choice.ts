/** What a choice with its reservation costs, among few servers and among the most there may be. */
import { quantile, spread } from '../../measure/figures.ts'
import { verdictOf, type BenchPart } from '../report/report.ts'
import { Costs } from './costs.ts'
import { chooserOf, filledTable, reserveFor, SAMPLE, sampled } from './users.ts'

const [FEW_SERVERS, MANY_SERVERS] = [3, 256]
const USERS = 10_000
const LIMITS = { floor: 1.5, goal: 1.1 }

export const benchChoice: BenchPart = ({ rounds }) => {
  const [few, many] = [sideOf(FEW_SERVERS), sideOf(MANY_SERVERS)]
  const costs = Array.from({ length: rounds }, () => ({ few: few(), many: many() }))
  const ratios = costs.map(cost => cost.many / cost.few)
  const ratio = quantile(ratios, 0.5)
  return Promise.resolve({
    tables: [{
      id: 'choice',
      title: `A choice with its reservation, among ${FEW_SERVERS} servers and among ${MANY_SERVERS}`,
      columns: ['one choice', 'CPU ns'],
      rows: [
        [`among ${FEW_SERVERS}`, spread(costs.map(cost => cost.few), 0)],
        [`among ${MANY_SERVERS}`, spread(costs.map(cost => cost.many), 0)],
        ['ratio, round by round', spread(ratios, 2)]
      ],
      notes: [
        `Of visitors who come back, ${USERS.toLocaleString('en')} of them, one after another ` +
        'without a pause. The loads are read anew each millisecond, which is in it.'
      ],
      command: 'npm run bench -- table'
    }],
    plots: [],
    goals: [{
      case: `a choice among ${MANY_SERVERS} servers`,
      floor: `${LIMITS.floor} x the cost among ${FEW_SERVERS}`,
      goal: `${LIMITS.goal} x`,
      measured: `${ratio.toFixed(2)} x`,
      verdict: verdictOf(ratio, LIMITS)
    }]
  })
}

/** A measurement of the choice among so many. */
function sideOf (servers: number): () => number {
  const { table } = filledTable(USERS, servers)
  const choose = chooserOf(servers)
  return () => {
    const costs = new Costs()
    for (let time = 0; time < 2; time++) {
      costs.add('choice', SAMPLE, index => { reserveFor(table, sampled(index, USERS), choose) })
    }
    return costs.of('choice')
  }
}
