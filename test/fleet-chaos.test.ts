/** The chaos run of a fleet: that its faults are its seed's, and that it finds what is wrong. */
import t from 'tap'
import { ENGINE_SKIP } from '../packages/shared/test/fleet/engine-kit.ts'
import { isLong } from '../packages/shared/test/length.ts'
import { faultText, schedule, type Fault } from '../scripts/fleet-chaos/schedule.ts'
import { workingFolder } from './cluster.ts'
import { buildMutant } from './mutant-program.ts'
import { runTool } from './tool.ts'

if (isLong) t.setTimeout(1_200_000)
const LINE = /^faults (\d+), calms (\d+), entered (\d+), samples (\d+), failed (\d+), violations (\d+)$/m

function faults (seed: number, nodes: number, count: number): Fault[] {
  const list: Fault[] = []
  for (const fault of schedule(seed, nodes)) if (list.push(fault) === count) break
  return list
}

t.test('fleet chaos: the same seed has the same faults, of every kind, at every node', async t => {
  t.same(faults(1, 3, 200), faults(1, 3, 200))
  t.notSame(faults(1, 3, 200), faults(2, 3, 200))
  t.equal(new Set(faults(1, 3, 200).map(({ kind, node }) => `${kind} ${node}`)).size, 18)
})

t.test('fleet chaos: nobody fails, and all are counted when it is calm', { skip: ENGINE_SKIP }, async t => {
  const count = isLong ? 12 : 4
  const { code, printed } = await runTool(
    'fleet-chaos', '--seconds', isLong ? '120' : '60', '--faults', String(count), '--verbose')
  t.equal(code, 0, printed)
  const [done, calms, entered, samples] = LINE.exec(printed)?.slice(1).map(Number) ?? []
  t.ok(done! > 0 && calms! > 1 && entered! > 0 && samples! > 0)
  const injected = [...printed.matchAll(/Z (\d+: .*)$/gm)].map(([, text]) => text)
  t.same(injected, faults(1, 3, injected.length).map(faultText))
  t.comment(LINE.exec(printed)?.[0])
})

if (isLong) {
  t.test('fleet chaos: a place too many is found', { skip: ENGINE_SKIP }, async t => {
    const program = await buildMutant(workingFolder(t), {
      file: 'memory/capacity.ts',
      from: 'SERVER.CAPACITY, capacity ?? 0)',
      to: 'SERVER.CAPACITY, capacity === undefined ? 0 : capacity + 1)'
    })
    const { code, printed } = await runTool(
      'fleet-chaos', '--seconds', '120', '--capacity', '4', '--program', program)
    t.equal(code, 1)
    t.match(printed, /has 5 users, and admits 4/)
  })
}

t.test('fleet chaos: wrong words end with 2', async t => {
  for (const args of [['--seconds', '0'], ['--nodes', '1'], ['--what']]) {
    const { code, printed } = await runTool('fleet-chaos', ...args)
    t.equal(code, 2)
    t.match(printed, /^fleet-chaos: .*\n\nnpm run fleet-chaos -- /)
  }
})
