/**
 * One operation, carried out as often as it has steps, each time by a thread that dies at the next
 * of them; and what must hold when the coordinator has recovered.
 */
import { formatClient } from '@usher/shared/client.ts'
import { usersPerServer } from '@usher/shared/memory/capacity.ts'
import {
  COMMIT_ADDRESS_KNOWN, NO_SERVER, SHARD_LOCK, commitActive, commitReserved
} from '@usher/shared/memory/layout.ts'
import { ownerWord, releaseLock } from '@usher/shared/memory/lock.ts'
import { isReferred } from '@usher/shared/memory/server-words.ts'
import { addressOfSlot, clientOfSlot } from '@usher/shared/memory/shard.ts'
import {
  MAIN_THREAD_TAG, shardAt, slotAt, viewTable, WORKER_PATIENCE, type TableView
} from '@usher/shared/memory/table-view.ts'
import { checkTable, recoverFrom } from '@usher/shared/memory/recovery.ts'
import type { CrashCase } from './crash-cases.ts'
import { Died, steppedView } from './stepped-view.ts'
import { testTable } from './test-table.ts'

const VICTIM_TAG = 2
const REPLACEMENT_TAG = 3
/** No operation of the cases has so many: one that does goes round in a circle. */
const STEPS_MAX = 10_000

export interface CrashSweep {
  /** Writes of the operation when no thread dies. */
  readonly steps: number
  readonly violations: readonly string[]
}

/** What is true of a user, by kind and id. */
type Users = ReadonlyMap<string, { readonly commit: number, readonly address: string }>

export function crashAtEveryStep (
  { users, servers, capacities, prepare, operate, holdsLock, isOnce }: CrashCase,
  recovery: 'full' | 'release only' | 'none' = 'full'
): CrashSweep {
  const prepared = testTable({ users, servers, ...(capacities !== undefined && { capacities }) })
  prepare(prepared)
  const { memory, clock, view: main } = prepared
  const options = { patience: WORKER_PATIENCE, now: () => clock.nowMs }
  const image = main.words.slice()
  const before = usersOf(main)
  const violations: string[] = []

  const run = (dieAtStep: number): { readonly steps: number, readonly hasDied: boolean } => {
    main.words.set(image)
    const victim = steppedView(memory, { ...options, threadTag: VICTIM_TAG })
    const { view: holder } = prepared
    const locks = shardsOf(main).map(at => at + SHARD_LOCK)
    const release = (): void => { for (const lock of locks) releaseLock(holder.words, lock) }
    if (holdsLock === true) for (const lock of locks) main.words[lock] = ownerWord(MAIN_THREAD_TAG)
    victim.onSleep = release
    victim.dieAtStep = dieAtStep
    try {
      operate(victim.view)
      return { steps: victim.steps, hasDied: false }
    } catch (error) {
      if (!(error instanceof Died)) throw error
      return { steps: victim.steps, hasDied: true }
    } finally {
      victim.end()
      const isStillHeld = holdsLock === true &&
        main.words[locks[0]!]! >> 1 === ownerWord(MAIN_THREAD_TAG) >> 1
      if (isStillHeld) release()
    }
  }

  const { steps } = run(Infinity)
  const after = usersOf(main)
  const complain = (step: number, what: string): void => { violations.push(`step ${step}: ${what}`) }
  const [referredBefore, referredAfter] = [serversOf(before), serversOf(after)]
  const staying = [...referredBefore].filter(server => referredAfter.has(server))
  for (let step = 1; run(step).hasDied; step++) {
    if (step > STEPS_MAX) throw new Error('the operation does not end')
    // Nor would they be while the thread lives: its index is not given to another server.
    for (const server of staying) {
      if (!isReferred(main, server)) complain(step, `the users of server ${server} are overlooked`)
    }
    recover(recovery, main, what => { complain(step, what) })
    for (const what of checkTable(main)) complain(step, what)
    for (const what of differences(before, usersOf(main), after)) complain(step, what)
    checkLimit(step)
    if (recovery !== 'full') continue
    checkReferred(step)
    if (isOnce === true) continue
    // A replacement carries out the same request: nothing is in its way, and it comes to the same.
    operate(viewTable(memory, { ...options, threadTag: REPLACEMENT_TAG }))
    for (const what of checkTable(main)) complain(step, `then ${what}`)
    for (const what of placesApart(usersOf(main), after)) {
      complain(step, `then ${what}`)
    }
    checkLimit(step)
  }
  return { steps, violations }

  function checkReferred (step: number): void {
    const referred = serversOf(usersOf(main))
    for (let server = 0; server < servers; server++) {
      const [is, should] = [isReferred(main, server), referred.has(server)]
      if (is !== should) complain(step, `server ${server} is referred to: ${is}, not ${should}`)
    }
  }

  function checkLimit (step: number): void {
    const { size } = usersOf(main)
    if (size > users) complain(step, `${size} users where ${users} are admitted`)
    const { active, reserved } = usersPerServer(main)
    for (const [server, capacity] of (capacities ?? []).entries()) {
      const places = active[server]! + reserved[server]!
      if (places > capacity) complain(step, `${places} at server ${server}, which has ${capacity}`)
    }
  }
}

/** As the coordinator does in the thread's exit event; or less than that. */
function recover (
  recovery: 'full' | 'release only' | 'none', main: TableView, complain: (what: string) => void
): void {
  if (recovery === 'none') return
  if (recovery === 'release only') {
    for (const at of shardsOf(main)) main.words[at + SHARD_LOCK] = 0
    return
  }
  const woken = new Set<number>()
  const { notify } = Atomics
  Object.assign(Atomics, {
    notify (words: Int32Array, at: number, count?: number) {
      if (count === undefined) woken.add(at)
      return notify(words, at, count)
    }
  })
  try {
    recoverFrom(main, VICTIM_TAG)
  } finally {
    Object.assign(Atomics, { notify })
  }
  for (const [shard, at] of shardsOf(main).entries()) {
    if (!woken.has(at + SHARD_LOCK)) complain(`who waits for shard ${shard} is not woken`)
  }
}

/** Users who are neither what they were nor what the operation makes of them. */
function * differences (before: Users, now: Users, after: Users): Generator<string> {
  for (const name of new Set([...before.keys(), ...now.keys(), ...after.keys()])) {
    const [was, is, becomes] = [before.get(name), now.get(name), after.get(name)]
    const isOne = is?.commit === was?.commit || is?.commit === becomes?.commit
    if (!isOne) yield `${name}: was ${was?.commit}, becomes ${becomes?.commit}, is ${is?.commit}`
    const addresses = ['unknown', was?.address, becomes?.address]
    if (is !== undefined && !addresses.includes(is.address)) yield `${name}: has ${is.address}`
  }
}

/** Users on other servers than they should be; how often they were seen may differ. */
function * placesApart (now: Users, after: Users): Generator<string> {
  for (const name of new Set([...now.keys(), ...after.keys()])) {
    const [is, should] = [now.get(name), after.get(name)].map(user => (user?.commit ?? 0) >> 4)
    if (is !== should) yield `${name} is at ${is}, not ${should}`
  }
}

/** Where any user is active or has a place. */
function serversOf (users: Users): ReadonlySet<number> {
  return new Set([...users.values()].flatMap(({ commit }) =>
    [commitActive(commit), commitReserved(commit)].filter(server => server !== NO_SERVER)))
}

function usersOf (view: TableView): Users {
  const { words, layout } = view
  const users = new Map<string, { commit: number, address: string }>()
  for (const at of shardsOf(view)) {
    for (let slot = 0; slot < layout.slotCount; slot++) {
      const here = slotAt(layout, at, slot)
      const commit = words[here]!
      if (commit === 0) continue
      const client = clientOfSlot(view, here)
      const name = `${client.kind} ${formatClient(client)}`
      const isKnown = (commit & COMMIT_ADDRESS_KNOWN) !== 0
      const address = isKnown ? JSON.stringify(addressOfSlot(words, here)) : 'unknown'
      const twin = users.has(name) ? ' (again)' : ''
      users.set(name + twin, { commit: commit & ~COMMIT_ADDRESS_KNOWN, address })
    }
  }
  return users
}

function shardsOf ({ layout }: TableView): number[] {
  return Array.from({ length: layout.shardCount }, (_, shard) => shardAt(layout, shard))
}
