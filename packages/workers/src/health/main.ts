/**
 * The thread that checks external servers: it is given them, says what it finds, and is terminated
 * by the coordinator.
 */
import { monotonicNowMs } from '@usher/shared/clock.ts'
import type { HealthNews, HealthTask } from '@usher/shared/messages.ts'
import { taskThread } from '../task-host.ts'
import { giveWay, BEHIND_VISITORS } from '../thread-priority.ts'
import { HealthChecks } from './health-checks.ts'
import { probe } from './probe.ts'

giveWay(BEHIND_VISITORS)
const { task, say, onTask } = taskThread<HealthTask, HealthNews>()
let { version } = task
const checks = new HealthChecks({
  servers: task.servers,
  probe,
  report: reports => { say({ type: 'checked', version, reports }) },
  random: Math.random,
  now: monotonicNowMs,
  wallNow: Date.now
})
onTask(news => {
  version = news.version
  checks.replace(news.servers)
})
void checks.run()
