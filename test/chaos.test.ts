/** The chaos run: that it kills as its seed says, and finds out a program that is not whole. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { isLong } from '../packages/shared/test/length.ts'
import { faultText, MONITOR, schedule, type Fault } from '../scripts/chaos/schedule.ts'
import { ROOT, workingFolder } from './cluster.ts'
import { buildMutant, type Mutation } from './mutant-program.ts'

/** Whole programs, started and killed again and again, beside all other tests. */
if (isLong) t.setTimeout(1_700_000)

const TOOL = join(ROOT, 'dist/tools/chaos.js')
const SEED = '3'
const OTHER_SEEDS = ['4', '5', '6']
const SERVERS = 6
/** With this seed, what comes next has to wait for a victim that has died often. */
const KILLS = '15'
const LINE = /^kills (\d+), holding a lock (\d+), requests (\d+), failed after a retry (\d+), violations (\d+)\n$/

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly kills: number
  readonly killsHoldingLock: number
  readonly requests: number
  readonly failed: number
  readonly violations: number
}

function chaos (...flags: string[]): Promise<Ended> {
  const args = [TOOL, '--seed', SEED, '--servers', String(SERVERS), '--clients', '30', ...flags]
  return new Promise(resolve => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      const [, ...figures] = LINE.exec(stdout) ?? []
      const [kills = NaN, killsHoldingLock = NaN, requests = NaN, failed = NaN, violations = NaN] =
        figures.map(Number)
      const code = error === null ? 0 : Number(error.code)
      resolve({ code, stdout, stderr, kills, killsHoldingLock, requests, failed, violations })
    })
  })
}

/** Whether a fault hits somebody is chance, and a busy machine gives it few: some seed does. */
async function firstFound (...flags: string[]): Promise<Ended> {
  for (const seed of OTHER_SEEDS) {
    const run = await chaos(...flags)
    if (run.code !== 0) return run
    flags = [...flags, '--seed', seed]
  }
  return await chaos(...flags)
}

function faults (seed: number, servers: number, count: number): Fault[] {
  const injected: Fault[] = []
  for (const round of schedule(seed, servers)) {
    injected.push(...round)
    if (injected.length >= count) break
  }
  return injected.slice(0, count)
}

t.test('chaos: the same seed has the same schedule, another seed another', async t => {
  t.same(faults(1, 8, 500), faults(1, 8, 500))
  t.notSame(faults(1, 8, 500), faults(2, 8, 500))
})

t.test('chaos: a schedule has every worker die, in every way, and leaves a server over', async t => {
  const all = faults(1, 8, 2000)
  const victims = new Set(all.map(({ victim }) => victim))
  t.same([...victims].sort((a, b) => a - b), [MONITOR, 0, 1, 2, 3, 4, 5, 6, 7])
  for (const how of ['terminate', 'throw', 'exit', 'oom']) {
    for (const isInside of [true, false]) {
      const some = all.filter(fault =>
        fault.how === how && (fault.atWrite !== undefined) === isInside)
      t.ok(some.length > 20, `${how} ${isInside ? 'inside' : 'anywhere'}: ${some.length}`)
    }
  }
  let seen = 0
  for (const round of schedule(1, 2)) {
    t.equal(new Set(round.map(({ victim }) => victim)).size, round.length, 'nobody dies twice')
    t.ok(round.filter(({ victim }) => victim !== MONITOR).length < 2)
    if (++seen === 50) break
  }
})

t.test('chaos: the program loses nothing and fails nobody, and dies as the schedule has it', async t => {
  const run = await chaos('--kills', KILLS, '--seconds', '120', '--verbose')
  t.equal(run.code, 0, run.stderr)
  t.ok(run.kills >= Number(KILLS), `${run.kills} kills`)
  t.ok(run.killsHoldingLock >= 5, `${run.killsHoldingLock} held a lock`)
  t.ok(run.requests > 100, `${run.requests} requests`)
  t.same([run.failed, run.violations], [0, 0])
  const injected = [...run.stderr.matchAll(/ (\d+: .* dies by .*)$/gm)].map(([, text]) => text)
  t.same(injected, faults(Number(SEED), SERVERS, injected.length).map(faultText))
  t.comment(run.stdout)
})

t.test('chaos: with capacities no server ever has more, whoever dies meanwhile', async t => {
  const kills = isLong ? KILLS : '6'
  const run = await chaos('--kills', kills, '--seconds', '120', '--capacity', '6', '--verbose')
  t.equal(run.code, 0, run.stderr)
  t.same([run.failed, run.violations], [0, 0])
  const samples = [...run.stderr.matchAll(/ (\d+) samples/g)].map(([, count]) => Number(count))
  t.ok(samples.at(-1)! > 50, `${samples.at(-1)} samples`)
  t.comment(run.stdout)
})

t.test('chaos: tickets are good once, whatever is killed, and the whole program too', async t => {
  const run = await chaos('--kills', isLong ? '30' : '8', '--seconds', '120', '--apps', '3',
    '--kill-all-every', '2', '--verbose')
  t.equal(run.code, 0, run.stderr)
  t.same([run.failed, run.violations], [0, 0])
  const checked = [...run.stderr.matchAll(/ (\d+) lives, .* (\d+) keys/g)]
  const [lives, keys] = checked.at(-1)!.slice(1).map(Number)
  t.ok(lives! >= 2, `${lives} lives`)
  t.ok(keys! >= 1, `${keys} keys`)
  t.comment(run.stdout)
})

t.test('chaos: servers come and go, whatever is killed, and the whole program too', async t => {
  const run = await chaos('--kills', isLong ? '30' : '8', '--seconds', '120', '--apps', '0',
    '--changing', '4', '--kill-all-every', '1', '--verbose')
  t.equal(run.code, 0, run.stderr)
  t.same([run.failed, run.violations], [0, 0])
  const checked = [...run.stderr.matchAll(/ (\d+) lives, (\d+) changes/g)]
  const [lives, changes] = checked.at(-1)!.slice(1).map(Number)
  t.ok(lives! >= 2, `${lives} lives`)
  t.ok(changes! >= 1, `${changes} changes`)
  t.comment(run.stdout)
})

interface Mutant extends Mutation {
  readonly without: string
  readonly found: RegExp
  readonly flags?: readonly string[]
}

const MUTANTS: readonly Mutant[] = [{
  without: 'recovery',
  file: 'memory/recovery.ts',
  from: 'if (takeOverLock(',
  to: 'if (deadThreadTag < 0 && takeOverLock(',
  found: /locked by a thread that has ended/
}, {
  without: 'the repair of what a dead thread had locked',
  file: 'memory/recovery.ts',
  from: 'repairShard(view, at) //',
  to: '//',
  found: /shard \d+: /
}, {
  without: 'every second user of a shard that is repaired',
  file: 'memory/recovery.ts',
  from: 'words.fill(NO_SLOT, at + layout.bucketsAt',
  to: 'for (let slot = 0; slot < highWater; slot += 2) words[slotAt(layout, at, slot)] = 0; ' +
    'words.fill(NO_SLOT, at + layout.bucketsAt',
  found: /is nowhere, and was said to be at \d+/
}, {
  without: 'heed for the last place',
  file: 'memory/capacity.ts',
  from: 'SERVER.CAPACITY, capacity ?? 0)',
  to: 'SERVER.CAPACITY, capacity === undefined ? 0 : capacity + 1)',
  flags: ['--capacity', '6'],
  found: /has 7 users, and admits 6/
}, {
  without: 'heed for the servers that are down elsewhere',
  file: 'server-states.ts',
  from: 'table.setServerState(server, state, drain',
  to: "table.setServerState(server, reason === undefined ? state : 'up', drain",
  found: /was sent to \d+, which is down/
}, {
  without: 'a list of the tickets that were used',
  file: 'tickets/used-tickets.ts',
  from: 'if (this.#forgetMs.has(ticketId)) return false',
  to: '',
  flags: ['--apps', '4'],
  found: /was taken twice/
}, {
  without: 'heed for tickets of before the start',
  file: 'tickets/used-tickets.ts',
  from: 'issuedMs < this.#startedWallMs',
  to: 'issuedMs < 0',
  flags: ['--apps', '4', '--kill-all-every', '1'],
  found: /was taken twice/
}, {
  without: 'the key that has signed before',
  file: 'src/ticket-issuer.ts',
  from: 'this.redeemer.setKeys(keys.published)',
  to: 'this.redeemer.setKeys(keys.published.slice(-1))',
  flags: ['--apps', '4', '--kills', '40'],
  found: /with a good ticket: ticket_forged/
}, {
  without: 'heed for the users of a server that was removed',
  file: 'src/server-slots.ts',
  from: ' && !isReferred(slot.index)',
  to: '',
  flags: ['--changing', '8', '--kills', '40', '--kill-all-every', '0'],
  found: /is (at \w.*|nowhere), and (was said to be|is listed)|was at \d+, which is well, and was sent to/
}, {
  without: 'the servers that were stored',
  file: 'src/server-keeper.ts',
  from: 'this.#stored = stored',
  to: 'this.#stored = isStart ? [] : stored',
  flags: ['--changing', '4', '--kill-all-every', '2'],
  found: /was answered 404|the external servers are .* and should be/
}]

for (const mutant of isLong ? MUTANTS : MUTANTS.slice(0, 1)) {
  t.test(`chaos: without ${mutant.without} the run fails`, async t => {
    const program = await buildMutant(workingFolder(t), mutant)
    const run = await firstFound(
      '--kills', KILLS, '--seconds', '120', '--program', program, ...mutant.flags ?? [])
    t.equal(run.code, 1)
    t.ok(run.violations > 0)
    t.match(run.stderr, mutant.found)
    t.comment(run.stdout)
  })
}
