/** Random sequences of all operations against a plain Map that says what should have happened. */
import fc from 'fast-check'
import t from 'tap'
import type { Choice } from '@usher/shared/balancing/policies.ts'
import {
  areSameWords, clientOfAddress, formatAddress, formatClient, type Address, type Client
} from '@usher/shared/client.ts'
import {
  addressNumber, chooseLowest, clientNumber, lowestOf, testTable, type TestTable
} from './test-table.ts'

const SERVERS = 3
const CLIENTS = 6
const ADDRESSES = 2
const TTL_MS = 50
const THRESHOLD_MS = 2000
const TIMES = { unconfirmedMs: 900, leaveGraceMs: 200 }
const CONFIRM_MS = 500

interface ModelUser {
  server: number | undefined
  reserved: number | undefined
  untilMs: number
  lastSeenMs: number
  isConfirmed: boolean
  /** When a page of its has left. */
  leftMs: number | undefined
  /** When it claimed its place, was given its id, or a leave came before it was confirmed. */
  claimedMs: number
  /** The client of the address last seen from. */
  address: string
  /** An open page has sent a beat; and since then another was opened. */
  beats: boolean
  opened: boolean
}

type Sign = 'page' | 'beat' | undefined

/** How long after a leave a beat by POST of the page that left may come. */
const LATE_MS = 100

/** The table's rules, written for clarity alone. */
class Model {
  readonly users = new Map<string, ModelUser>()
  nowMs = 0

  refresh (client: Client, server: number, addressKey: Client, sign: Sign): string {
    const entry = client.kind === 'id' ? this.users.get(formatClient(addressKey)) : undefined
    const known = this.users.get(formatClient(client)) ?? entry
    const hasLeft = known?.leftMs !== undefined && sign !== 'page'
    return known === undefined || hasLeft ? 'unknown' : this.touch(client, server, addressKey, sign)
  }

  touch (client: Client, server: number, addressKey: Client, sign: Sign): string {
    const key = formatClient(client)
    let user = this.users.get(key)
    let outcome = 'arrived'
    let claimedMs = this.nowMs
    if (client.kind === 'id' && (user === undefined || isNeverSeen(user))) {
      const entry = this.users.get(formatClient(addressKey))
      this.users.delete(formatClient(addressKey))
      if (user === undefined && entry !== undefined) {
        claimedMs = entry.lastSeenMs
        outcome = entry.server === server ? 'seen' : 'moved'
      }
    }
    if (user?.server !== undefined) outcome = user.server === server ? 'seen' : 'moved'
    const isLate = user?.leftMs !== undefined && this.nowMs - user.leftMs < LATE_MS
    if (isLate && sign !== 'page' && outcome === 'seen') return outcome
    const address = formatClient(addressKey)
    if (user === undefined || isNeverSeen(user)) {
      const held = { reserved: user?.reserved, untilMs: user?.untilMs ?? 0 }
      user = { server, ...held, lastSeenMs: claimedMs, ...UNCONFIRMED, claimedMs, address }
    }
    this.#seen(user)
    user.leftMs = undefined
    if (sign === 'page') user.opened = user.beats
    if (sign === 'beat') Object.assign(user, { beats: true, opened: false })
    user.server = server
    user.address = address
    if (user.reserved === server) user.reserved = undefined
    seen.add(user)
    this.users.set(key, user)
    return outcome
  }

  leave (client: Client, server: number): boolean {
    const user = this.users.get(formatClient(client))
    if (user?.server !== server) return false
    this.#end(formatClient(client), user)
    return true
  }

  leaveAfterGrace (client: Client, server: number): boolean {
    const user = this.users.get(formatClient(client))
    if (user?.server !== server) return false
    if (user.opened) {
      user.beats = user.opened = false
      return true
    }
    if (user.leftMs !== undefined) return true
    this.#seen(user)
    user.leftMs = user.claimedMs = user.lastSeenMs = this.nowMs
    return true
  }

  endDue (): void {
    for (const [key, user] of this.users) {
      if (user.server === undefined) continue
      const hasLeft = user.leftMs !== undefined && this.nowMs - user.leftMs > TIMES.leaveGraceMs
      const isOver = !user.isConfirmed && this.nowMs - user.claimedMs > TIMES.unconfirmedMs
      if (hasLeft || isOver) this.#end(key, user)
    }
  }

  reserve (client: Client, addressKey: Client, isReturning: boolean): Choice {
    const key = formatClient(client)
    let user = this.users.get(key)
    if (user === undefined && isReturning) {
      user = this.users.get(formatClient(addressKey))
      this.users.delete(formatClient(addressKey))
      if (user?.isConfirmed === true) user.lastSeenMs = this.nowMs
      if (user?.leftMs !== undefined) user.leftMs = user.lastSeenMs
    }
    const address = formatClient(addressKey)
    const { nowMs } = this
    const nowhere = { server: undefined, reserved: undefined, untilMs: 0, ...UNCONFIRMED, address }
    user ??= { ...nowhere, lastSeenMs: nowMs, claimedMs: nowMs }
    user.address = address
    this.users.delete(key)
    const current = user.reserved ?? user.server ?? -1
    const choice = lowestOf(this.loads(), current)
    user.reserved = choice.server
    user.untilMs = this.nowMs + TTL_MS
    this.users.set(key, user)
    return choice
  }

  remove (client: Client): boolean {
    return this.users.delete(formatClient(client))
  }

  removeFrom (addressKey: Client): string[] {
    const isThere = ([, { address }]: [string, ModelUser]): boolean =>
      address === formatClient(addressKey)
    const names = [...this.users].filter(isThere).map(([name]) => name)
    for (const name of names) this.users.delete(name)
    return names.sort()
  }

  sweep (): void {
    for (const [key, user] of this.users) {
      if (user.reserved !== undefined && user.untilMs <= this.nowMs) user.reserved = undefined
      if (user.server !== undefined && this.nowMs - user.lastSeenMs > THRESHOLD_MS) {
        endActivity(user)
      }
      if (user.server === undefined && user.reserved === undefined) this.users.delete(key)
    }
  }

  loads (): number[] {
    return this.#countBy(user => user.reserved ?? user.server)
  }

  active (): number[] {
    return this.#countBy(user => user.server)
  }

  #countBy (serverOf: (user: ModelUser) => number | undefined): number[] {
    const counts = new Array<number>(SERVERS).fill(0)
    for (const user of this.users.values()) {
      const server = serverOf(user)
      if (server !== undefined) counts[server]!++
    }
    return counts
  }

  /** A request brings the id, or the address, back. */
  #seen (user: ModelUser): void {
    if (this.nowMs - user.claimedMs >= CONFIRM_MS) user.isConfirmed = true
    if (user.isConfirmed) user.lastSeenMs = this.nowMs
  }

  #end (key: string, user: ModelUser): void {
    endActivity(user)
    if (user.reserved === undefined) this.users.delete(key)
  }
}

const UNCONFIRMED = { isConfirmed: false, leftMs: undefined, beats: false, opened: false }

function endActivity (user: ModelUser): void {
  user.server = user.leftMs = undefined
  user.beats = user.opened = false
}

/** Users that a server has seen; a user made by a reservation joins with the first touch. */
const seen = new WeakSet<ModelUser>()
function isNeverSeen (user: ModelUser): boolean {
  return !seen.has(user)
}

const sign = fc.constantFrom('page' as const, 'beat' as const, undefined)

const operation = fc.oneof(
  fc.record({
    kind: fc.constantFrom('touch' as const, 'refresh' as const),
    client: fc.nat(CLIENTS - 1),
    server: fc.nat(SERVERS - 1),
    address: fc.nat(ADDRESSES - 1),
    sign
  }),
  fc.record({
    kind: fc.constantFrom('touchAddress' as const, 'refreshAddress' as const),
    server: fc.nat(SERVERS - 1),
    address: fc.nat(ADDRESSES - 1),
    sign
  }),
  fc.record({
    kind: fc.constant('leave' as const), client: fc.nat(CLIENTS - 1), server: fc.nat(SERVERS - 1)
  }),
  fc.record({
    kind: fc.constant('leaveAfterGrace' as const),
    client: fc.nat(CLIENTS - 1),
    server: fc.nat(SERVERS - 1)
  }),
  fc.record({
    kind: fc.constant('reserve' as const),
    client: fc.nat(CLIENTS - 1),
    address: fc.nat(ADDRESSES - 1),
    isReturning: fc.boolean()
  }),
  fc.record({ kind: fc.constant('find' as const), client: fc.nat(CLIENTS - 1) }),
  fc.record({ kind: fc.constant('remove' as const), client: fc.nat(CLIENTS - 1) }),
  fc.record({ kind: fc.constant('removeAddress' as const), address: fc.nat(ADDRESSES - 1) }),
  fc.record({ kind: fc.constant('removeFrom' as const), address: fc.nat(ADDRESSES - 1) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constantFrom(199, 201, 500, 901)) }),
  fc.record({ kind: fc.constant('sweep' as const) }),
  fc.record({ kind: fc.constant('endDue' as const) })
)

const operations = fc.array(operation, { minLength: 30, maxLength: 150, size: 'max' })

t.test('user table: does what a plain Map would, whatever the sequence', async t => {
  fc.assert(fc.property(operations, fc.integer(), (sequence, seed) => {
    const cluster = testTable({ users: 64, times: TIMES, seed })
    const { table, clock } = cluster
    const model = new Model()
    model.nowMs = clock.nowMs
    for (const step of sequence) {
      switch (step.kind) {
        case 'touch':
        case 'refresh':
          compareVisit(cluster, model, step.kind, clientNumber(step.client), step)
          break
        case 'touchAddress':
        case 'refreshAddress': {
          const kind = step.kind === 'touchAddress' ? 'touch' : 'refresh'
          compareVisit(cluster, model, kind, clientOfAddress(addressNumber(step.address)), step)
          break
        }
        case 'leave': {
          const args = [clientNumber(step.client), step.server] as const
          same(table.leave(...args), model.leave(...args))
          break
        }
        case 'leaveAfterGrace': {
          const args = [clientNumber(step.client), step.server] as const
          same(table.leaveAfterGrace(...args), model.leaveAfterGrace(...args))
          break
        }
        case 'reserve': {
          const address = addressNumber(step.address)
          const client = clientNumber(step.client)
          const untilMs = clock.nowMs + TTL_MS
          const { isReturning } = step
          const reservation = table.reserve({
            client, address, isReturning, untilMs, choose: chooseLowest
          })
          const choice = model.reserve(client, clientOfAddress(address), isReturning)
          const held = table.confirm(client, choice.server, untilMs)
          same(reservation, { kind: 'reserved', ...choice, place: 'place' in held && held.place })
          break
        }
        case 'find':
          compareFound(cluster, model, step.client)
          break
        case 'remove': {
          const client = clientNumber(step.client)
          same(table.remove(client), model.remove(client))
          break
        }
        case 'removeAddress': {
          const client = clientOfAddress(addressNumber(step.address))
          same(table.remove(client), model.remove(client))
          break
        }
        case 'removeFrom': {
          const address = addressNumber(step.address)
          same(removedFrom(cluster, address), model.removeFrom(clientOfAddress(address)))
          break
        }
        case 'wait':
          clock.nowMs += step.ms
          model.nowMs = clock.nowMs
          break
        case 'sweep':
          for (let shard = 0; shard < table.shardCount; shard++) {
            table.sweepShard(shard, THRESHOLD_MS)
          }
          model.sweep()
          break
        case 'endDue':
          for (let shard = 0; shard < table.shardCount; shard++) table.endDue(shard)
          model.endDue()
          break
      }
      same([...table.loads()], model.loads())
      same([...table.activeUsersPerServer()], model.active())
      same(table.size(), model.users.size)
    }
    same(table.check(), [])
    same(listed(cluster), [...model.users.keys()].sort())
  }), { numRuns: 1000 })
  t.pass('1000 sequences')
})

t.test('user table: keeps the state of each server for all threads to see', async t => {
  const { table } = testTable()
  t.equal(table.serverState(1), 'starting')
  table.setServerState(1, 'draining')
  t.same([0, 1, 2].map(server => table.serverState(server)), ['starting', 'draining', 'starting'])
})

t.test('user table: whom a draining server turns away, by the drain\'s time', async t => {
  const { table, clock } = testTable()
  const phase = (): string => table.drainPhase(1)
  for (const state of ['starting', 'up', 'down'] as const) {
    table.setServerState(1, state, 0)
    t.equal(phase(), 'none', state)
  }
  table.setServerState(1, 'draining')
  t.equal(phase(), 'newcomers')
  clock.nowMs += 1e9
  t.equal(phase(), 'newcomers', 'for good')
  clock.nowMs = Math.ceil(clock.nowMs / 1000) * 1000
  table.setServerState(1, 'draining', clock.nowMs + 5000)
  clock.nowMs += 4999
  t.equal(phase(), 'newcomers')
  clock.nowMs += 1
  t.equal(phase(), 'everybody')
  t.equal(table.drainPhase(0), 'none', 'each by itself')
  table.setServerState(1, 'draining')
  t.equal(phase(), 'newcomers', 'a later drain has a time of its own')
  table.setServerState(1, 'draining', clock.nowMs + 999)
  t.equal(phase(), 'everybody', 'rounded down to a second')
})

function compareVisit (
  { table }: TestTable, model: Model, kind: 'touch' | 'refresh', client: Client,
  { server, address: number, sign }: { server: number, address: number, sign: Sign }
): void {
  const address = addressNumber(number)
  const options = sign === undefined ? {} : { sign }
  same(table[kind](client, server, address, options),
    model[kind](client, server, clientOfAddress(address), sign))
}

/** One client as the table finds it and as the model has it. */
function compareFound ({ table }: TestTable, model: Model, number: number): void {
  const client = clientNumber(number)
  const found = table.find(client)
  if (found === 'busy') throw new Error('busy')
  const user = model.users.get(formatClient(client))
  same(found && [
    found.server, found.reservedServer, formatAddress(found.address), found.isConfirmed,
    found.isLeaving
  ], user && [
    user.server, user.reserved, user.address, user.isConfirmed, user.leftMs !== undefined
  ])
}

/** Removes who was last seen from an address. */
function removedFrom ({ table }: TestTable, from: Address): string[] {
  const names: string[] = []
  for (let shard = 0; shard < table.shardCount; shard++) {
    let slot: number | undefined = 0
    while (slot !== undefined) {
      const step = table.removeMatching(shard, slot, (_client, address) =>
        areSameWords(address, from))
      if (step === 'busy') throw new Error('busy')
      names.push(...step.removed.map(({ client }) => formatClient(client)))
      slot = step.nextSlot
    }
  }
  return names.sort()
}

function listed ({ table }: TestTable): string[] {
  const page = table.readUsers(0, 1000)
  if (page === 'busy') throw new Error('busy')
  return page.users.map(user => formatClient(user.client)).sort()
}

function same (actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return
  throw new Error(`${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
}
