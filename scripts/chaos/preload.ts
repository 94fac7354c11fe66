/**
 * Preloaded into every thread of the unmodified program by the chaos run, before the program's own
 * code: the main thread gets an overseer, each of its workers learns to die on order.
 */
import { isMainThread, workerData } from 'node:worker_threads'
import type { BootData } from '@usher/shared/messages.ts'
import { awaitDeath } from './mortal-thread.ts'
import { oversee } from './overseer.ts'

// A pool's threads have no tag of ours: they end with the worker that they belong to.
const boot = workerData as Partial<BootData> | null
if (isMainThread) oversee()
else if (typeof boot?.threadTag === 'number') awaitDeath(boot as BootData)
