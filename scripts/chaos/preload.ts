/**
 * Preloaded into every thread of the unmodified program by the chaos run, before the program's own
 * code: fault injection in the main thread and in each of its workers.
 */
import { isMainThread, workerData } from 'node:worker_threads'
import type { BootData } from '@usher/shared/messages.ts'
import { awaitFault } from './worker-faults.ts'
import { injectFaults } from './fault-injector.ts'

// A pool's threads have no tag of ours: they end with the worker that they belong to.
const boot = workerData as Partial<BootData> | null
if (isMainThread) injectFaults()
else if (typeof boot?.threadTag === 'number') awaitFault(boot as BootData)
