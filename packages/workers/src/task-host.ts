/**
 * A task thread's side of its talk with the coordinator: it does what it is started for, says how
 * that ended, and ends. Apart from worker-host.ts because a task has neither table nor log, and
 * starts in a fraction of the time.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { reportOf } from '@usher/shared/errors.ts'
import type { CheckTask, LoadNews, LoadTask } from '@usher/shared/messages.ts'

/** The work resolves to its last news. Never rejects: a failed task is news. */
export async function runTask (
  work: (task: LoadTask | CheckTask, say: (news: LoadNews) => void) => Promise<LoadNews>
): Promise<void> {
  const say = (news: LoadNews): void => parentPort!.postMessage(news)
  try {
    say(await work(workerData as LoadTask | CheckTask, say))
  } catch (error) {
    say({ type: 'load-failed', error: reportOf(error) })
  }
}
