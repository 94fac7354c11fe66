/** The loader's thread: reads all folders, or their rules only, says so and ends. */
import type { CheckTask, LoadNews, LoadTask } from '@usher/shared/messages.ts'
import { runTask } from '../../task-host.ts'
import { checkSites, loadSites } from './load-sites.ts'

void runTask(async (task, say) => task.type === 'check' ? await check(task) : await load(task, say))

async function check ({ dirs, ...options }: CheckTask): Promise<LoadNews> {
  await checkSites(dirs, options)
  return { type: 'checked' }
}

async function load (
  { dirs, ...options }: LoadTask, say: (news: LoadNews) => void
): Promise<LoadNews> {
  const onFound = (bytes: number): void => { say({ type: 'found', bytes }) }
  return { type: 'loaded', loaded: await loadSites(dirs, { ...options, onFound }) }
}
