/**
 * What it costs that servers have a capacity: a visit where the user is, one that takes a place on
 * another server, and a choice with its reservation, each beside the same without a capacity.
 */
import { spread } from '../../measure/figures.ts'
import type { BenchPart } from '../report/report.ts'
import { Costs } from './costs.ts'
import { chooserOf, filledTable, reserveFor, SAMPLE, sampled, touchUser } from './users.ts'

const SERVER_COUNTS = [3, 256] as const
const USERS = 10_000
const OPERATIONS = ['touch, where they were', 'touch, on another server', 'reserve'] as const

type Measured = Readonly<Record<typeof OPERATIONS[number], number>>

export const benchCapacity: BenchPart = ({ rounds }) => {
  const sides = SERVER_COUNTS.map(servers => ({
    servers, without: sideOf(servers, undefined), within: sideOf(servers, USERS)
  }))
  const all = Array.from({ length: rounds }, () => sides.map(({ servers, without, within }) => (
    { servers, without: without(), within: within() }
  )))
  const rows = SERVER_COUNTS.flatMap((servers, side) => OPERATIONS.map(operation => {
    const costs = all.map(round => round[side]!)
    return [
      `${operation}, ${servers} servers`,
      spread(costs.map(({ without }) => without[operation]), 0),
      spread(costs.map(({ within }) => within[operation]), 0),
      spread(costs.map(({ without, within }) => within[operation] / without[operation]), 2)
    ]
  }))
  return Promise.resolve({
    tables: [{
      id: 'capacity',
      title: 'What a capacity costs',
      columns: ['one operation', 'CPU ns without', 'CPU ns with one', 'ratio'],
      rows,
      notes: [
        'Who takes a place at a server with a capacity does so behind its admission lock, when the ' +
        'sum over all shards has been read. Nobody else was at the table.'
      ],
      command: 'npm run bench -- table'
    }],
    plots: [],
    goals: []
  })
}

/** @param capacity of each server */
function sideOf (servers: number, capacity: number | undefined): () => Measured {
  // Who has a place reserved elsewhere is not visited here.
  const [visited, chosen] = [filledTable(USERS, servers), filledTable(USERS, servers)]
  const limits = Array.from({ length: servers }, () => ({ capacity, weight: 1 }))
  for (const { table } of [visited, chosen]) table.setLimits(limits, 0)
  const choose = chooserOf(servers)
  let moved = 0
  const [stays, moves, reserves] = OPERATIONS
  return () => {
    const costs = new Costs()
    for (let time = 0; time < 2; time++) {
      costs.add(stays, SAMPLE, index => {
        touchUser(visited.table, sampled(index, USERS), servers, moved)
      })
      // All of them, and each is on the next server then; and so on.
      costs.add(moves, SAMPLE, index => {
        if (index % USERS === 0) moved++
        touchUser(visited.table, sampled(index, USERS), servers, moved)
      })
      costs.add(reserves, SAMPLE, index => {
        reserveFor(chosen.table, sampled(index, USERS), choose)
      })
    }
    return {
      [stays]: costs.of(stays), [moves]: costs.of(moves), [reserves]: costs.of(reserves)
    }
  }
}
