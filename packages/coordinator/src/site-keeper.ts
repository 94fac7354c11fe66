/**
 * The sites that the servers serve: has the loader read them, at the start and at each reload,
 * gives them to every server that starts, and counts the memory of earlier ones until it is free.
 * Main thread.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { OrderTimedOut, SiteTooLarge, errorOf } from '@usher/shared/errors.ts'
import {
  endHold, holderOfServer, holdSites, inMiB, isHeld, MAIN_HOLDER, releaseSites, type SiteMemory
} from '@usher/shared/memory/site-memory.ts'
import type { CheckTask, LoadedSites, LoadNews, LoadTask } from '@usher/shared/messages.ts'
import { ownServers, type Slot } from '@usher/shared/settings/servers.ts'
import type { LiveName, ValuesByKey } from '@usher/shared/settings/setting-table.ts'
import type { Logger } from 'pino'
import { memoryRoom } from './memory-room.ts'
import { startTask } from './supervisor.ts'
import { THREAD_FILE } from './thread-options.ts'

/** What a reload may change of how sites are loaded. */
type LoaderSettings = ValuesByKey<LiveName<'loader'>>

export interface SiteKeeperParts {
  readonly servers: readonly Slot[]
  /** Read at each load. */
  readonly live: LoaderSettings
  /** Of the user table. */
  readonly tableBytes: number
  readonly programDir: string
  readonly log: Logger
}

const LOADER = 'the loader of the sites'

/** A walk through as many entries as a site may have, on a slow disk. */
const WALK_TIMEOUT_MS = 60_000
/** Slow text takes 1 s of a processor; it has ten times as long. */
const READ_MS_PER_MIB = 10_000

/** Each reload adds one while clients are still being sent files from before it. */
const EARLIER_SITES_MAX = 3

/** How long files of so many bytes may take to be read and compressed. */
export function loadTimeoutMs (bytes: number): number {
  return WALK_TIMEOUT_MS + Math.ceil(bytes / 2 ** 20 * READ_MS_PER_MIB)
}

/** Made out here: a function made beside what was loaded would keep all of it in memory. */
const NOTHING = (): void => {}

export class SiteKeeper {
  readonly #parts: SiteKeeperParts
  #current: Promise<LoadedSites> | undefined
  #endLoader = NOTHING
  /** Those that some thread may still hold, the current one among them. */
  #memories: ReadonlyArray<Pick<SiteMemory, 'bytes' | 'holders'>> = []

  constructor (parts: SiteKeeperParts) {
    this.#parts = parts
  }

  /** The sites as they are served, loaded when they are first asked for. */
  current (): Promise<LoadedSites> {
    this.#current ??= this.load({ isFirst: true })
    return this.#current
  }

  /** With all that the first load has left for later; undefined when it has left nothing. */
  async complete (): Promise<LoadedSites | undefined> {
    const { isComplete } = await this.current()
    return isComplete ? undefined : await this.load()
  }

  /**
   * As the folders are now. Rejects with the loader's error, which names the folder.
   *
   * @param changes settings that are taken over once these sites are
   */
  async load (
    { isFirst = false, ...changes }: Partial<LoaderSettings> & { readonly isFirst?: boolean } = {}
  ): Promise<LoadedSites> {
    const { servers, tableBytes, live, log } = this.#parts
    const serverCount = ownServers(servers).length
    this.#memories = this.#memories.filter(({ holders }) => isHeld(holders))
    const heldBytes = this.#memories.reduce((sum, { bytes }) => sum + bytes, 0)
    if (this.#memories.length > EARLIER_SITES_MAX) {
      throw new SiteTooLarge(`files from before the last ${EARLIER_SITES_MAX} reloads, ${inMiB(heldBytes)} with those of now, ` +
        'are still being sent to slow clients: try again later')
    }
    const loaded = await this.#runLoader({
      type: 'load',
      dirs: foldersOf(servers),
      room: memoryRoom({ serverCount, tableBytes, heldBytes }),
      serverCount,
      isFirst,
      memoryFileMaxBytes: changes.memoryFileMaxBytes ?? live.memoryFileMaxBytes
    })
    this.#hold(loaded.memory)
    if (!loaded.isComplete) return loaded
    for (const { dir: folder, skippedCount: count, skipped: some } of loaded.sites) {
      if (count > 0) log.warn({ folder, count, some }, 'some entries of the folder cannot be served and are left out')
    }
    return loaded
  }

  /** Servers that start from now on get these. */
  keep (loaded: LoadedSites): void {
    this.#current = Promise.resolve(loaded)
    this.#releaseAllBut(loaded.memory)
  }

  /** What has been loaded since is not wanted. */
  async abandon (): Promise<void> {
    this.#releaseAllBut((await this.current()).memory)
  }

  /** The server's thread has ended, and holds nothing any more. */
  endHold (server: number): void {
    for (const { holders } of this.#memories) endHold(holders, holderOfServer(server))
  }

  /** A load that is under way fails. */
  close (): void {
    this.#endLoader()
  }

  #hold (memory: SiteMemory): void {
    const { bytes, holders } = memory
    holdSites(memory, MAIN_HOLDER)
    this.#memories = [...this.#memories, { bytes, holders }]
  }

  #releaseAllBut (kept: SiteMemory): void {
    for (const { holders } of this.#memories) {
      if (holders !== kept.holders) void releaseSites(holders, MAIN_HOLDER)
    }
  }

  async #runLoader (task: LoadTask): Promise<LoadedSites> {
    const run = startLoader(this.#parts.programDir, task)
    this.#endLoader = run.end
    try {
      return (await run.done)!
    } finally {
      this.#endLoader = NOTHING
    }
  }
}

/** Rejects with the loader's error when rules of a folder are wrong. */
export async function checkSites (
  { servers, live, programDir }: Pick<SiteKeeperParts, 'servers' | 'live' | 'programDir'>
): Promise<void> {
  const { memoryFileMaxBytes } = live
  await startLoader(programDir, { type: 'check', dirs: foldersOf(servers), memoryFileMaxBytes }).done
}

function foldersOf (servers: readonly Slot[]): string[] {
  return [...new Set(ownServers(servers).map(({ folder }) => folder))]
}

interface LoaderRun {
  /** Undefined for a check. */
  readonly done: Promise<LoadedSites | undefined>
  readonly end: () => void
}

function startLoader (programDir: string, task: LoadTask | CheckTask): LoaderRun {
  const { promise, resolve, reject } = promiseParts<LoadedSites | undefined>()
  const limit = (ms: number): NodeJS.Timeout => setTimeout(() => {
    reject(new OrderTimedOut(LOADER, task.type))
    end()
  }, ms)
  let deadline = limit(WALK_TIMEOUT_MS)
  const hear = (news: LoadNews): void => {
    switch (news.type) {
      case 'found':
        clearTimeout(deadline)
        deadline = limit(loadTimeoutMs(news.bytes))
        return
      case 'loaded': return resolve(news.loaded)
      case 'checked': return resolve(undefined)
      case 'load-failed': return reject(errorOf(news.error))
    }
  }
  const { end } = startTask<LoadNews>({
    name: LOADER,
    file: pathToFileURL(join(programDir, THREAD_FILE)),
    data: { ...task, bundle: 'site-loader.js' },
    onNews: hear,
    onEnd: cause => {
      clearTimeout(deadline)
      reject(cause) // Says nothing to who has been answered.
    }
  })
  return { done: promise, end }
}

function promiseParts<T> (): {
  promise: Promise<T>, resolve: (value: T) => void, reject: (error: Error) => void
} {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((...parts) => { [resolve, reject] = parts })
  return { promise, resolve, reject }
}
