/** docs/performance.md from what was measured and what was written by hand. Pure. */
import type { BenchResult, GoalRow, Verdict } from './report.ts'
import { markdownRows, tableMarkdown } from './tables.ts'

export interface Day {
  readonly results: readonly BenchResult[]
  /** Sentences about what was measured on: processor, cores, Node and what else took part. */
  readonly machine: readonly string[]
  /** 2026-11-29. */
  readonly date: string
  /** Parts of the benchmark that could not be measured, each with its reason. */
  readonly failures: readonly string[]
  /** Markdown: what is not met, and why. */
  readonly byHand: string
}

export const PLOTS_FOLDER = 'performance'

/** In which order goals are told, by the beginnings of their cases. */
const GOAL_ORDER = [
  '4 KB page, keep-alive, same head', '4 KB page, keep-alive, heads that differ',
  'Redirect, delay 0', 'Heartbeat', '4 KB page, a new connection', 'p99 at 64 connections',
  'Idle connection', 'Burst of', 'touch', 'bytes a user', 'a choice among',
  'p99 of pages while', 'first redirect'
]

const VERDICTS: Readonly<Record<Verdict, string>> = {
  goal: 'goal met', floor: 'floor met', missed: '**missed**'
}

export function performanceMarkdown (
  { results, machine, date, failures, byHand }: Day
): string {
  const goals = inOrder(results.flatMap(({ goals }) => goals))
  return [
    '# How fast Usher is', '',
    'Written by `npm run bench:peers -- --write`; what is said by hand stands in ' +
    '[performance/by-hand.md](performance/by-hand.md).', '',
    `Measured on ${date}. ${machine.join(' ')}`, '',
    'Ratios are of requests for each second of processor time of the server, all its threads and ' +
    'processes included, in one run: rounds of each server in turn, medians of the ratios within a ' +
    'round, in parentheses the lowest and the highest. A measurement during which other processes, or ' +
    'other machines of the same host, took more than 5 % of the two cores is made again, at most twice.', '',
    '## Goals', '',
    markdownRows(['case', 'floor', 'goal', 'measured', ''], goals.map(goalCells)), '',
    ...(failures.length === 0 ? [] : ['Not measured:', '', ...failures.map(one => `- ${one}`), '']),
    byHand.trim(), '',
    '## Figures', '',
    ...results.flatMap(partMarkdown)
  ].join('\n').replace(/\n{3,}/g, '\n\n')
}

/** Goals of one case stay as they are; those that are not in the order come last. */
function inOrder (goals: readonly GoalRow[]): readonly GoalRow[] {
  const rank = ({ case: name }: GoalRow): number => {
    const at = GOAL_ORDER.findIndex(beginning => name.startsWith(beginning))
    return at < 0 ? GOAL_ORDER.length : at
  }
  return [...goals].sort((a, b) => rank(a) - rank(b))
}

function goalCells ({ case: name, floor, goal, measured, verdict }: GoalRow): readonly string[] {
  return [name, floor, goal, measured, VERDICTS[verdict]]
}

/** A picture stands below the tables of its part. */
function partMarkdown ({ tables, plots, bars = [] }: BenchResult): readonly string[] {
  const pictures = [...plots, ...bars].map(({ id, title }) => (
    `![${title}](${PLOTS_FOLDER}/${id}.svg)\n`
  ))
  return [...tables.map(tableMarkdown), ...pictures]
}
