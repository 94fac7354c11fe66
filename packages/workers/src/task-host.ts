/**
 * A task thread's side of its talk with the coordinator: it does what it is started for and says
 * what came of it. Apart from worker-host.ts because a task has neither table nor log, and
 * starts in a fraction of the time.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { reportOf } from '@usher/shared/errors.ts'
import type { CheckTask, LoadNews, LoadTask } from '@usher/shared/messages.ts'

export interface TaskThread<Task, News> {
  /** What it is started for. */
  readonly task: Task
  readonly say: (news: News) => void
  /** Told of what it is to do from now on. */
  readonly onTask: (hear: (task: Task) => void) => void
}

/** Of this thread; the types are those that the coordinator starts it with. */
export function taskThread<Task, News> (): TaskThread<Task, News> {
  return {
    task: workerData as Task,
    say: news => parentPort!.postMessage(news),
    onTask: hear => { parentPort!.on('message', hear) }
  }
}

/**
 * For work that ends, and the thread with it: it resolves to its last news. Never rejects: a failed
 * task is news.
 */
export async function runTask (
  work: (task: LoadTask | CheckTask, say: (news: LoadNews) => void) => Promise<LoadNews>
): Promise<void> {
  const { task, say } = taskThread<LoadTask | CheckTask, LoadNews>()
  try {
    say(await work(task, say))
  } catch (error) {
    say({ type: 'load-failed', error: reportOf(error) })
  }
}
