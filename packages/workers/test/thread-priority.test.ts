import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { BEHIND_VISITORS } from '../src/thread-priority.ts'
import { hasChrt } from './fixtures/has-chrt.ts'

const hasTasks = existsSync('/proc/thread-self')

interface Seen {
  readonly before: Array<[task: string, niceness: number]>
  readonly after: Array<[task: string, niceness: number]>
}

t.test('priority: one thread gives way, and no other',
  { skip: !hasTasks && 'no priority for each thread' }, async t => {
    const worker = new Worker(new URL('./fixtures/priority-worker.ts', import.meta.url), {
      workerData: BEHIND_VISITORS
    })
    const [{ before, after }] = await once(worker, 'message') as [Seen]
    await worker.terminate()
    const earlier = new Map(before)
    const changed = after.filter(([task, niceness]) =>
      earlier.has(task) && earlier.get(task) !== niceness)
    t.equal(changed.length, 1)
    t.equal(changed[0]![1], BEHIND_VISITORS)
    t.not(changed[0]![0], String(process.pid), 'the main thread stays as it is')
  })

/** Fields of /proc/PID/stat, counted from the third (proc(5)); policies as in sched(7). */
const [NICENESS, POLICY] = [16, 38]
const [SCHED_OTHER, SCHED_IDLE] = ['0', '5']

interface Scheduled {
  readonly own: readonly string[]
  readonly others: ReadonlyArray<readonly string[]>
  readonly slackNs: string | undefined
}

async function scheduled (how: string): Promise<Scheduled> {
  const worker = new Worker(new URL('./fixtures/scheduling-worker.ts', import.meta.url), {
    workerData: how
  })
  const [seen] = await once(worker, 'message') as [Scheduled]
  await worker.terminate()
  return seen
}

t.test('priority: one thread gives way at once, and no other',
  { skip: !hasTasks && 'no policy for each thread' }, async t => {
    const { own, others } = await scheduled('give way at once')
    t.equal(own[NICENESS], '19')
    t.equal(own[POLICY], hasChrt() ? SCHED_IDLE : SCHED_OTHER)
    t.ok(others.length > 0)
    t.ok(others.every(fields => fields[POLICY] === SCHED_OTHER))
  })

t.test('priority: waits are precise',
  { skip: !existsSync('/proc/self/timerslack_ns') && 'no slack for each thread' }, async t => {
    t.equal((await scheduled('wait precisely')).slackNs, '1')
  })
