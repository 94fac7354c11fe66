/** The operations of the crash sweep: what is there before each, and what it does. */
import { clientOfAddress } from '@usher/shared/client.ts'
import { adoptAddressEntry } from '@usher/shared/memory/adoption.ts'
import { allUsers } from '@usher/shared/memory/all-users.ts'
import {
  confirm, expireReservation, reserve, type ReserveRequest
} from '@usher/shared/memory/reservations.ts'
import { endDue } from '@usher/shared/memory/end-sweep.ts'
import { CONFIRM_MS, SEEN_ONCE } from '@usher/shared/memory/layout.ts'
import { removeMatching, removeUser } from '@usher/shared/memory/removal.ts'
import { findUser, readUsers, restoreUser } from '@usher/shared/memory/snapshot.ts'
import { isReferred } from '@usher/shared/memory/server-words.ts'
import { sweepShard } from '@usher/shared/memory/sweep.ts'
import type { TableView } from '@usher/shared/memory/table-view.ts'
import { leave } from '@usher/shared/memory/leaves.ts'
import { refresh, touch, touchForPlace, touchInPlace } from '@usher/shared/memory/visits.ts'
import {
  addressNumber, chooseLowest, chooseServer, clientNumber, HOME, reserveFor, type TestTable
} from './test-table.ts'

export interface CrashCase {
  readonly name: string
  /** The most that the table admits. */
  readonly users: number
  readonly servers: number
  /** Of each server; none when left out. */
  readonly capacities?: readonly number[]
  readonly prepare: (given: TestTable) => void
  readonly operate: (view: TableView) => void
  /** Whether a death in the middle leaves something to repair. */
  readonly isChanging: boolean
  /** So many at least, or the case does not do what it says. */
  readonly stepsMin: number
  /** Done again it is something else: two pages that leave. */
  readonly isOnce?: boolean
  /** The main thread holds the locks until the operation sleeps. */
  readonly holdsLock?: boolean
}

const SMALL = { users: 16, servers: 3, isChanging: true }
/** Four shards. */
const LARGE = { users: 1024, servers: 3, isChanging: true }
/** Ten users as a crowd has them leave one place at HERE, and none elsewhere. */
const LIMITED = { ...SMALL, capacities: [5, 3, 3] }
const NEWCOMER = clientNumber(5000)
const KNOWN = clientNumber(3)
const HERE = 0
const THERE = 1
const SILENT_MS = 60_000

/** Users 0 to `count`, on all servers, confirmed unless told otherwise. */
function crowd ({ table, clock }: TestTable, count: number, times = 2): void {
  for (let round = 0; round < times; round++) {
    if (round > 0) clock.nowMs += CONFIRM_MS
    for (let number = 0; number < count; number++) {
      table.touch(clientNumber(number), number % 3, addressNumber(number))
    }
  }
}

const few = (given: TestTable): void => { crowd(given, 10) }
const asked = (changes: Partial<ReserveRequest>): ReserveRequest => ({
  client: NEWCOMER,
  address: HOME,
  isReturning: false,
  untilMs: 2_000_000,
  choose: chooseLowest,
  ...changes
})
const eachShard = (view: TableView, work: (shard: number) => void): void => {
  for (let shard = 0; shard < view.layout.shardCount; shard++) work(shard)
}
const sweep = (view: TableView): void => {
  eachShard(view, shard => { sweepShard(view, shard, SILENT_MS, 0) })
}
const touchNewcomer = (view: TableView): void => { touch(view, NEWCOMER, HERE, HOME) }

export const CASES: readonly CrashCase[] = [
  {
    ...SMALL, name: 'touch, a newcomer', stepsMin: 15, prepare: few, operate: touchNewcomer
  },
  {
    ...SMALL,
    name: 'touch, a newcomer in a slot that was left',
    stepsMin: 15,
    prepare (given) {
      few(given)
      for (const number of [2, 7]) given.table.leave(clientNumber(number), number % 3)
    },
    operate: touchNewcomer
  },
  {
    ...SMALL,
    name: 'touch, seen for the second time',
    stepsMin: 4,
    prepare: given => { crowd(given, 10, 1) },
    operate: view => { touch(view, KNOWN, HERE, addressNumber(3)) }
  },
  {
    ...SMALL,
    name: 'touch in place',
    isChanging: false,
    stepsMin: 3,
    prepare: few,
    operate: view => { touchInPlace(view, KNOWN, addressNumber(3), () => true) }
  },
  {
    ...SMALL,
    name: 'touch in place, back before the grace is over',
    isChanging: false,
    stepsMin: 3,
    prepare (given) {
      few(given)
      given.table.leaveAfterGrace(KNOWN, HERE)
    },
    operate: view => {
      touchInPlace(view, KNOWN, addressNumber(3), () => true, { sign: 'page' })
    }
  },
  {
    ...SMALL,
    name: 'touch, seen often',
    isChanging: false,
    stepsMin: 3,
    prepare: few,
    operate: view => { touch(view, KNOWN, HERE, addressNumber(3)) }
  },
  {
    ...SMALL,
    name: 'touch, from another address',
    isChanging: false,
    stepsMin: 8,
    prepare: few,
    operate: view => { touch(view, KNOWN, HERE, HOME) }
  },
  {
    ...SMALL,
    name: 'touch, a move',
    stepsMin: 7,
    prepare: few,
    operate: view => { touch(view, KNOWN, THERE, addressNumber(3)) }
  },
  {
    ...SMALL,
    name: 'touch, arrives where a place is reserved',
    stepsMin: 7,
    prepare (given) {
      few(given)
      reserveFor(given, NEWCOMER)
    },
    operate: view => { touch(view, NEWCOMER, THERE, HOME) }
  },
  {
    ...SMALL,
    name: 'touch, an id takes the place of its address',
    stepsMin: 25,
    prepare (given) {
      few(given)
      given.table.touch(clientOfAddress(HOME), THERE, HOME)
    },
    operate: touchNewcomer
  },
  {
    ...SMALL,
    name: 'touch, the same in a full table',
    stepsMin: 25,
    prepare (given) {
      crowd(given, 15)
      for (let times = 0; times < 2; times++) given.table.touch(clientOfAddress(HOME), THERE, HOME)
    },
    operate: touchNewcomer
  },
  {
    ...SMALL,
    name: 'touch, a reserved id arrives and the entry of its address goes',
    stepsMin: 20,
    prepare (given) {
      few(given)
      given.table.touch(clientOfAddress(HOME), THERE, HOME)
      given.table.reserve(asked({ isReturning: false, choose: chooseServer(HERE) }))
    },
    operate: touchNewcomer
  },
  {
    name: 'touch, one of an address with more than its share gives way',
    users: 320,
    servers: 3,
    isChanging: true,
    stepsMin: 25,
    prepare ({ table }) {
      for (let number = 0; number < 320; number++) {
        const address = number < 280 ? addressNumber(1) : addressNumber(number)
        for (let times = 0; times < 2; times++) table.touch(clientNumber(number), THERE, address)
      }
    },
    operate: touchNewcomer
  },
  {
    ...SMALL,
    name: 'touch, a reservation gives way',
    stepsMin: 25,
    prepare (given) {
      crowd(given, 15)
      reserveFor(given, clientNumber(77))
    },
    operate: touchNewcomer
  },
  {
    ...LARGE,
    name: 'touch, one seen once gives way, in any shard',
    stepsMin: 25,
    prepare (given) {
      crowd(given, 1023)
      given.table.touch(clientNumber(7777), THERE, HOME)
    },
    operate: touchNewcomer
  },
  {
    ...SMALL,
    name: 'touch, nobody gives way',
    isChanging: false,
    stepsMin: 2,
    prepare: given => { crowd(given, 16) },
    operate: touchNewcomer
  },
  {
    ...SMALL,
    name: 'touch, after a wait for the lock',
    stepsMin: 30,
    holdsLock: true,
    prepare: few,
    operate: touchNewcomer
  },
  {
    ...LIMITED, name: 'touch, takes the last place', stepsMin: 20, prepare: few, operate: touchNewcomer
  },
  {
    ...LIMITED,
    name: 'touch, finds no place',
    isChanging: false,
    stepsMin: 6,
    prepare: few,
    operate: view => { touch(view, NEWCOMER, THERE, HOME) }
  },
  {
    ...LIMITED,
    name: 'touch, moves to the last place',
    stepsMin: 12,
    prepare: few,
    operate: view => { touch(view, clientNumber(1), HERE, addressNumber(1)) }
  },
  {
    ...LIMITED,
    name: 'an id takes the place of its address in a full server',
    isOnce: true,
    stepsMin: 30,
    prepare (given) {
      few(given)
      given.table.touch(clientOfAddress(HOME), HERE, HOME)
    },
    operate: view => { adoptAddressEntry(view, NEWCOMER, HOME, SEEN_ONCE) }
  },
  {
    ...LIMITED,
    name: 'an id takes the place of its address, alone at its server',
    isOnce: true,
    stepsMin: 30,
    prepare ({ table }) {
      table.touch(clientOfAddress(HOME), HERE, HOME)
    },
    operate: view => { adoptAddressEntry(view, NEWCOMER, HOME, SEEN_ONCE) }
  },
  {
    ...SMALL,
    name: 'touch, an id takes the place of its address, alone at its server',
    stepsMin: 25,
    prepare ({ table }) {
      table.touch(clientOfAddress(HOME), HERE, HOME)
    },
    operate: touchNewcomer
  },
  {
    ...LIMITED,
    name: 'touch, for the place that another id holds',
    isOnce: true,
    stepsMin: 25,
    prepare (given) {
      few(given)
      given.table.reserve(asked({ client: clientNumber(78), choose: chooseServer(HERE) }))
    },
    operate: view => { touchForPlace(view, clientNumber(78), NEWCOMER, HERE, HOME) }
  },
  {
    ...LIMITED,
    name: 'leave, the place is held',
    stepsMin: 6,
    prepare: few,
    operate: view => { leave(view, KNOWN, HERE, false) }
  },
  {
    ...LIMITED,
    name: 'touch, comes back to the place that is held',
    stepsMin: 6,
    prepare (given) {
      few(given)
      given.table.leave(KNOWN, HERE)
    },
    operate: view => { touch(view, KNOWN, HERE, addressNumber(3), { sign: 'page' }) }
  },
  {
    ...LIMITED,
    name: 'reserve, takes the last place',
    stepsMin: 18,
    prepare: few,
    operate: view => { reserve(view, asked({ choose: chooseServer(HERE) })) }
  },
  {
    ...LIMITED,
    name: 'reserve, one who is elsewhere takes the last place',
    stepsMin: 10,
    prepare: few,
    operate (view) {
      const address = addressNumber(1)
      reserve(view, asked({ client: clientNumber(1), address, choose: chooseServer(HERE) }))
    }
  },
  {
    ...LIMITED,
    name: 'restore, to the last place',
    stepsMin: 18,
    prepare: few,
    operate (view) {
      const times = { firstSeenAgoMs: 900, lastSeenAgoMs: 900 }
      restoreUser(view, { client: NEWCOMER, address: HOME, isConfirmed: true, ...times }, HERE)
    }
  },
  {
    ...SMALL, name: 'leave', stepsMin: 8, prepare: few, operate: view => { leave(view, KNOWN, HERE, false) }
  },
  {
    ...SMALL,
    name: 'leave after the grace',
    stepsMin: 4,
    prepare: few,
    operate: view => { leave(view, KNOWN, HERE, true) }
  },
  {
    ...SMALL,
    name: 'leave after the grace, of one who is confirmed by it',
    stepsMin: 4,
    prepare (given) {
      crowd(given, 10, 1)
      given.clock.nowMs += CONFIRM_MS
    },
    operate: view => { leave(view, KNOWN, HERE, true) }
  },
  {
    ...SMALL,
    name: 'touch, back before the grace is over',
    isChanging: false,
    stepsMin: 3,
    prepare (given) {
      few(given)
      given.table.leaveAfterGrace(KNOWN, HERE)
    },
    operate: view => { touch(view, KNOWN, HERE, addressNumber(3), { sign: 'page' }) }
  },
  {
    ...SMALL,
    name: 'touch, confirmed',
    stepsMin: 4,
    prepare (given) {
      crowd(given, 10, 1)
      given.clock.nowMs += CONFIRM_MS
    },
    operate: view => { touch(view, KNOWN, HERE, addressNumber(3)) }
  },
  {
    ...SMALL,
    name: 'touch, an id takes the place of an address that was given it',
    stepsMin: 25,
    prepare (given) {
      few(given)
      given.table.touch(clientOfAddress(HOME), THERE, HOME)
      given.clock.nowMs += CONFIRM_MS
    },
    operate: touchNewcomer
  },
  {
    ...SMALL,
    name: 'leave, of the page before the one that was opened',
    isChanging: false,
    isOnce: true,
    stepsMin: 3,
    prepare (given) {
      few(given)
      for (const sign of ['beat', 'page'] as const) {
        given.table.touch(KNOWN, HERE, addressNumber(3), { sign })
      }
    },
    operate: view => { leave(view, KNOWN, HERE, true) }
  },
  {
    ...SMALL,
    name: 'refresh, of one who is not here',
    isChanging: false,
    stepsMin: 2,
    prepare: few,
    operate: view => { refresh(view, NEWCOMER, HERE, HOME) }
  },
  {
    ...SMALL,
    name: 'refresh, an id takes the place of its address',
    stepsMin: 25,
    prepare (given) {
      few(given)
      given.table.touch(clientOfAddress(HOME), THERE, HOME)
    },
    operate: view => { refresh(view, NEWCOMER, HERE, HOME) }
  },
  {
    ...LARGE,
    name: 'end who is due, in all shards: left, never back, with a place elsewhere',
    stepsMin: 60,
    prepare (given) {
      crowd(given, 20, 1)
      given.clock.nowMs += CONFIRM_MS
      crowd(given, 10, 1)
      for (const number of [0, 3]) given.table.leaveAfterGrace(clientNumber(number), HERE)
      given.clock.nowMs += SILENT_MS
      const place = asked({ client: KNOWN, untilMs: 9_000_000, choose: chooseServer(THERE) })
      given.table.reserve({ ...place, address: addressNumber(3) })
      given.clock.nowMs += SILENT_MS
    },
    operate (view) {
      eachShard(view, shard => {
        let slot: number | undefined = 0
        while (slot !== undefined) {
          const step = endDue(view, shard, slot)
          slot = step === 'busy' ? undefined : step.nextSlot
        }
      })
    }
  },
  {
    ...SMALL,
    name: 'leave, with a place reserved elsewhere',
    stepsMin: 4,
    prepare (given) {
      few(given)
      given.table.reserve(
        asked({ client: KNOWN, address: addressNumber(3), choose: chooseServer(THERE) }))
    },
    operate: view => { leave(view, KNOWN, HERE, false) }
  },
  {
    ...SMALL,
    name: 'leave, of one who is not here',
    isChanging: false,
    stepsMin: 2,
    prepare: few,
    operate: view => { leave(view, KNOWN, THERE, false) }
  },
  {
    ...SMALL,
    name: 'reserve, for a newcomer',
    stepsMin: 15,
    prepare: few,
    operate: view => { reserve(view, asked({})) }
  },
  {
    ...SMALL,
    name: 'reserve, for a user',
    stepsMin: 5,
    prepare: few,
    operate: view => { reserve(view, asked({ client: KNOWN, choose: chooseServer(THERE) })) }
  },
  {
    ...SMALL,
    name: 'reserve, again and elsewhere',
    stepsMin: 5,
    prepare (given) {
      few(given)
      given.table.reserve(asked({ choose: chooseServer(THERE) }))
    },
    operate: view => { reserve(view, asked({ choose: chooseServer(HERE) })) }
  },
  {
    ...SMALL,
    name: 'reserve, for an id that takes the place of its address',
    stepsMin: 25,
    prepare (given) {
      few(given)
      given.table.touch(clientOfAddress(HOME), THERE, HOME)
    },
    operate: view => { reserve(view, asked({ isReturning: true, choose: chooseServer(HERE) })) }
  },
  {
    ...LARGE,
    name: 'reserve, another reservation gives way',
    stepsMin: 25,
    prepare (given) {
      crowd(given, 1023)
      reserveFor(given, clientNumber(77777))
    },
    operate: view => { reserve(view, asked({ choose: chooseServer(HERE) })) }
  },
  {
    ...SMALL,
    name: 'confirm',
    isChanging: false,
    stepsMin: 3,
    prepare (given) {
      few(given)
      given.table.reserve(asked({ choose: chooseServer(THERE) }))
    },
    operate: view => { confirm(view, NEWCOMER, THERE, 3_000_000) }
  },
  {
    ...SMALL,
    name: 'expire reservations, of newcomers and of users',
    stepsMin: 20,
    prepare (given) {
      few(given)
      for (const client of [NEWCOMER, KNOWN]) {
        given.table.reserve(asked({ client, untilMs: 1, choose: chooseServer(THERE) }))
      }
    },
    operate (view) {
      for (let slot = 0; slot < 11; slot++) expireReservation(view, slot)
    }
  },
  {
    ...LARGE,
    name: 'sweep, silent users and reservations in all shards',
    stepsMin: 100,
    prepare (given) {
      crowd(given, 20)
      given.table.reserve(asked({ client: KNOWN, untilMs: 1, choose: chooseServer(THERE) }))
      given.clock.nowMs += SILENT_MS + 1
      for (const number of [3, 20, 21, 22]) given.table.touch(clientNumber(number), HERE, HOME)
    },
    operate: sweep
  },
  {
    ...SMALL, name: 'remove, one by its id', stepsMin: 8, prepare: few, operate: view => { removeUser(view, KNOWN) }
  },
  {
    ...LARGE,
    name: 'remove, whoever has this address',
    stepsMin: 60,
    prepare (given) {
      crowd(given, 30)
      for (let number = 100; number < 110; number++) {
        given.table.touch(clientNumber(number), HERE, HOME)
      }
    },
    operate (view) {
      eachShard(view, shard => {
        removeMatching(view, shard, 0, (_client, address) => address.w3 === HOME.w3)
      })
    }
  },
  {
    ...SMALL,
    name: 'restore',
    stepsMin: 15,
    prepare: few,
    operate (view) {
      const saved = {
        client: NEWCOMER,
        address: HOME,
        isConfirmed: true,
        firstSeenAgoMs: 5000,
        lastSeenAgoMs: 1000
      }
      restoreUser(view, saved, HERE)
    }
  },
  {
    ...SMALL,
    name: 'read, a page and a user',
    isChanging: false,
    stepsMin: 4,
    prepare: few,
    operate (view) {
      readUsers(view, 0, 100)
      findUser(view, KNOWN)
    }
  },
  {
    ...LARGE,
    name: 'read, all users, in all shards',
    isChanging: false,
    stepsMin: 8,
    prepare: given => { crowd(given, 20) },
    operate (view) {
      const readHere = (cursor: number, count: number): ReturnType<typeof readUsers> =>
        readUsers(view, cursor, count)
      Array.from(allUsers({ readUsers: readHere }))
    }
  },
  {
    ...LARGE,
    name: 'look whether anybody refers to a server, in all shards',
    isChanging: false,
    stepsMin: 8,
    prepare (given) {
      for (let number = 0; number < 20; number++) {
        given.table.touch(clientNumber(number), HERE, addressNumber(number))
      }
    },
    operate (view) {
      for (const server of [HERE, THERE]) isReferred(view, server)
    }
  }
]
