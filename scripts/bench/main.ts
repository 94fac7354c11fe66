/**
 * `npm run bench`: the user table's touch against its plain rival (touch.ts) and what the table
 * costs as it grows (table-growth.ts); then what a flood of logins costs an operator
 * (login-flood.ts), and a visitor what slow and greedy clients (attacks.ts) and slow readers of a
 * large file (stream.ts) do, health checks of many servers (health.ts), and what a large fleet
 * costs its engine and its visitors (fleet.ts, fleet-router.ts). Quoted as ratios.
 * `npm run bench -- touch` and the like measure one of them.
 */
import { benchAttacks } from './attacks.ts'
import { benchFleet } from './fleet.ts'
import { benchHealth } from './health.ts'
import { benchLogins } from './login-flood.ts'
import type { BenchPart } from './report/report.ts'
import { tableText } from './report/tables.ts'
import { benchStream } from './stream.ts'
import { benchTable } from './table-growth.ts'
import { benchTouch } from './touch.ts'

const ROUNDS = 9
const USAGE_EXIT = 2

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  touch: async () => { await show(benchTouch) },
  table: async () => { await show(benchTable) },
  logins: benchLogins,
  attacks: benchAttacks,
  health: benchHealth,
  fleet: benchFleet,
  stream: benchStream
}

const [only] = process.argv.slice(2)
const parts = only === undefined ? Object.values(PARTS) : [PARTS[only]]
if (parts.includes(undefined)) {
  process.stderr.write(`bench: not one of ${Object.keys(PARTS).join(', ')}: ${only}\n`)
  process.exitCode = USAGE_EXIT
} else {
  for (const part of parts) await part!()
}

async function show (part: BenchPart): Promise<void> {
  const { tables, goals } = await part({ rounds: ROUNDS })
  for (const table of tables) process.stdout.write(`${tableText(table)}\n`)
  for (const goal of goals) {
    process.stdout.write(`${goal.case}: ${goal.measured}, ${goal.verdict} of ${goal.goal}\n`)
  }
}
