import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { BEHIND_VISITORS } from '../src/thread-priority.ts'

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
