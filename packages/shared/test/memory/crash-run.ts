/**
 * Real threads on one table, killed again and again, and after each death a comparison of the
 * table with the threads' ledger. With `isRecovering: false` it shows what would go wrong.
 */
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { buildSync } from 'esbuild'
import { formatClient } from '@usher/shared/client.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import {
  allocateTable, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { IN_FLIGHT, type TableWorkerData } from './fixtures/table-worker-data.ts'
import { clientNumber, randomWords, TIMES } from './test-table.ts'

export type Death = TableWorkerData['death']

export interface CrashRun {
  readonly kills: number
  readonly killsWhileHolding: number
  readonly operations: number
  readonly violations: readonly string[]
}

interface Thread {
  readonly worker: Worker
  readonly exited: Promise<unknown>
}

const THREADS = 3
const CLIENTS_PER_THREAD = 60
const SERVERS = 3
/** Users enough for all clients: nobody is displaced, so the ledger is exact. */
const USERS = 512
/** Operations that the surviving threads must get done after a death; a stuck one never does. */
const PROGRESS = 300
const STUCK_AFTER_MS = 5000

export async function crashRun (
  dir: string, deaths: readonly Death[], { isRecovering = true, seed = 1 } = {}
): Promise<CrashRun> {
  const file = bundleWorker(dir)
  const memory = allocateTable(USERS, SERVERS, TIMES, randomWords(seed))
  const table = new UserTable(memory, {
    threadTag: MAIN_THREAD_TAG, patience: MAIN_THREAD_PATIENCE, now: monotonicNowMs
  })
  const ledger = new SharedArrayBuffer(THREADS * CLIENTS_PER_THREAD * 4)
  const signal = new Int32Array(new SharedArrayBuffer(12))
  const random = randomWords(seed + 1)
  const violations: string[] = []
  let nextTag = MAIN_THREAD_TAG + 1
  let killsWhileHolding = 0

  const threads: Thread[] = []
  for (let index = 0; index < THREADS - 1; index++) threads.push(await start(index, 'none'))
  let kills = 0
  for (const death of deaths) {
    const tag = nextTag
    const victim = await start(THREADS - 1, death)
    await endOf(victim, death, tag)
    kills++
    if (isRecovering) killsWhileHolding += table.recover(tag)
    if (await hasProgress()) violations.push(...await compare())
    else violations.push(`after kill ${kills} (${death}): threads are stuck`)
    if (violations.length > 0) break
  }
  const operations = Atomics.load(signal, 1)
  await Promise.all(threads.map(thread => thread.worker.terminate()))
  return { kills, killsWhileHolding, operations, violations }

  async function start (index: number, death: Death): Promise<Thread> {
    const data: TableWorkerData = {
      memory,
      ledger,
      signal: signal.buffer as SharedArrayBuffer,
      threadTag: nextTag++,
      seed: random(),
      clients: { from: index * CLIENTS_PER_THREAD, to: (index + 1) * CLIENTS_PER_THREAD },
      servers: SERVERS,
      death,
      dieAtStep: 1 + (random() >>> 0) % 400
    }
    const worker = new Worker(file, {
      workerData: data, execArgv: [], stderr: true, resourceLimits: { maxOldGenerationSizeMb: 24 }
    })
    worker.on('error', () => {}) // Expected of those that throw or run out of memory.
    const exited = new Promise(resolve => { worker.once('exit', resolve) })
    // A thread that dies at its first steps may never get to say that it works.
    await Promise.race([exited, new Promise(resolve => { worker.once('message', resolve) })])
    return { worker, exited }
  }

  async function endOf (
    { worker, exited }: Thread, death: Death, tag: number
  ): Promise<void> {
    if (death === 'hang') {
      while (Atomics.load(signal, 0) !== tag) await setTimeout(1)
      await worker.terminate()
    } else if (death === 'terminate') {
      const until = Atomics.load(signal, 1) + (random() >>> 0) % 500
      const giveUpMs = monotonicNowMs() + STUCK_AFTER_MS
      while (Atomics.load(signal, 1) < until && monotonicNowMs() < giveUpMs) await setTimeout(0)
      await worker.terminate()
    }
    await exited
  }

  async function hasProgress (): Promise<boolean> {
    const target = Atomics.load(signal, 1) + PROGRESS
    const giveUpMs = monotonicNowMs() + STUCK_AFTER_MS
    while (Atomics.load(signal, 1) < target) {
      if (monotonicNowMs() > giveUpMs) return false
      await setTimeout(1)
    }
    return true
  }

  /** A living thread may be off its processor while it holds a lock: that is no stuck one. */
  async function checkWhenFree (): Promise<string[]> {
    const giveUpMs = monotonicNowMs() + STUCK_AFTER_MS
    for (;;) {
      const broken = table.check()
      const isOnlyHeld = broken.every(what => what.endsWith('stays locked'))
      if (broken.length === 0 || !isOnlyHeld || monotonicNowMs() > giveUpMs) return [...broken]
      await setTimeout(1)
    }
  }

  /** The victim's clients stand still now, so their part of the ledger can be compared. */
  async function compare (): Promise<string[]> {
    const found = await checkWhenFree()
    const servers = await activeServers(table)
    const entries = new Int32Array(ledger)
    for (let number = (THREADS - 1) * CLIENTS_PER_THREAD; number < entries.length; number++) {
      const noted = entries[number]!
      const actual = (servers.get(formatClient(clientNumber(number))) ?? -1) + 1
      if (noted !== IN_FLIGHT && noted !== actual) {
        found.push(`client ${number}: acknowledged ${noted}, is ${actual}`)
      }
      Atomics.store(entries, number, actual)
    }
    return found
  }
}

async function activeServers (table: UserTable): Promise<Map<string, number>> {
  const servers = new Map<string, number>()
  let cursor: number | undefined = 0
  while (cursor !== undefined) {
    const page = table.readUsers(cursor, 1000)
    if (page === 'busy') {
      await setTimeout(1)
      continue
    }
    for (const user of page.users) {
      if (user.server !== undefined) servers.set(formatClient(user.client), user.server)
    }
    cursor = page.nextCursor
  }
  return servers
}

/** A worker of the fixtures as a file that a thread can be started from. */
export function bundleWorker (dir: string, name = 'table-worker'): string {
  const outfile = `${dir}/${name}.mjs`
  buildSync({
    entryPoints: [new URL(`fixtures/${name}.ts`, import.meta.url).pathname],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" }
  })
  return outfile
}
