/** A table full of users for a benchmark, made from their numbers: no memory but the table's. */
import { POLICIES, type Choose } from '@usher/shared/balancing/policies.ts'
import type { Address, Client } from '@usher/shared/client.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { CONFIRM_MS, SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import {
  allocateTable, MAIN_THREAD_PATIENCE, MAIN_THREAD_TAG, type TableMemory
} from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'

/** Users that are looked at in one measurement, in an order that no cache foresees. */
export const SAMPLE = 50_000
const HELD_MS = 600_000
const TIMES = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }
/** A prime beyond the largest size: its multiples come to every user before any again. */
const STRIDE = 7_368_787

/** @returns a table in which all users are confirmed, each at the server of its number */
export function filledTable (
  users: number, servers: number
): { readonly memory: TableMemory, readonly table: UserTable } {
  const memory = allocateTable(users, servers, TIMES, randomWord, SERVERS_MAX)
  let laterMs = 0
  const table = new UserTable(memory, {
    threadTag: MAIN_THREAD_TAG,
    patience: MAIN_THREAD_PATIENCE,
    now: () => monotonicNowMs() + laterMs
  })
  for (let times = 0; times < 2; times++, laterMs += CONFIRM_MS) {
    for (let user = 0; user < users; user++) touchUser(table, user, servers)
  }
  if (table.size() !== users) throw new Error(`${table.size()} of ${users} users are in`)
  return { memory, table }
}

export function chooserOf (servers: number): Choose {
  const all = Array.from({ length: servers }, (_, index) => ({ index, weight: 1 }))
  return POLICIES['fewest-users'].make(all, () => true)
}

/** @param moved how many servers further than at first */
export function touchUser (table: UserTable, user: number, servers: number, moved = 0): void {
  table.touch(clientOf(user), (user + moved) % servers, addressOf(user))
}

/** @returns the server where the place is */
export function reserveFor (table: UserTable, user: number, choose: Choose): number {
  const reservation = table.reserve({
    client: clientOf(user),
    address: addressOf(user),
    isReturning: true,
    untilMs: monotonicNowMs() + HELD_MS,
    choose
  })
  if (reservation.kind !== 'reserved') throw new Error(`no place: ${reservation.kind}`)
  return reservation.server
}

export function confirmFor (table: UserTable, user: number, server: number): void {
  table.confirm(clientOf(user), server, monotonicNowMs() + HELD_MS)
}

/** The user who comes next in a measurement. */
export function sampled (index: number, users: number): number {
  return index * STRIDE % users
}

/** No two of them are the same: multiplying by an odd number loses nothing. */
function clientOf (user: number): Client {
  const mixed = Math.imul(user, 0x9e3779b1)
  return { kind: 'id', w0: mixed, w1: mixed ^ 0x5bd1e995, w2: ~mixed, w3: user }
}

/** An IPv4 address of their own for each. */
function addressOf (user: number): Address {
  return { w0: 0, w1: 0, w2: 0xffff, w3: Math.imul(user, 0x85ebca6b) }
}

function randomWord (): number {
  return (Math.random() * 2 ** 32) | 0
}
