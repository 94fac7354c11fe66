/**
 * The places that the router holds: reserved in the user table, and given up by one queue when
 * their time has come. The sweep removes those that it misses. Main thread.
 */
import type { Choose } from '@usher/shared/balancing/policies.ts'
import { UNKNOWN_ADDRESS, type Client } from '@usher/shared/client.ts'
import type { Reservation, ReserveRequest } from '@usher/shared/memory/reservations.ts'
import type { Place } from '@usher/shared/memory/table-view.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import type { LiveSettings, Settings } from '@usher/shared/settings/settings.ts'
import { DeadlineQueue } from './deadline-queue.ts'

type ReservationTimes = Pick<Settings, 'reservationTtlMs'> & {
  readonly live: Pick<LiveSettings, 'delayBetweenRoutingMs'>
}

type PlaceRequest = Omit<ReserveRequest, 'untilMs'>

/** Added to the deadline that stands during the wait: only the sweep would ever see it. */
const WAIT_SLACK_MS = 5000
/** A busy shard is tried again so often: within the 100 ms that an unclaimed place may overrun. */
const EXPIRE_RETRIES_MAX = 4
const EXPIRE_RETRY_MS = 20

interface DuePlace {
  readonly place: Place
  readonly retriesLeft: number
}

export class HeldPlaces {
  readonly #table: UserTable
  readonly #now: () => number
  readonly #times: ReservationTimes
  readonly #held: DeadlineQueue<Place>
  readonly #retries: DeadlineQueue<DuePlace>

  /** @param now monotonic milliseconds, the user table's own clock */
  constructor (table: UserTable, now: () => number, times: ReservationTimes) {
    this.#table = table
    this.#now = now
    this.#times = times
    this.#held = new DeadlineQueue(now, place => {
      this.#expire({ place, retriesLeft: EXPIRE_RETRIES_MAX })
    })
    this.#retries = new DeadlineQueue(now, due => { this.#expire(due) })
  }

  /** Chooses a server and holds a place there while the visitor waits. */
  reserve ({ client, address, isReturning, choose }: PlaceRequest): Reservation {
    const { reservationTtlMs, live } = this.#times
    const untilMs = this.#now() + live.delayBetweenRoutingMs + reservationTtlMs + WAIT_SLACK_MS
    return this.#table.reserve({ client, address, isReturning, choose, untilMs })
  }

  /** The same for a visitor who is redirected at once: reserves and confirms in one step. */
  reserveNow ({ client, address, isReturning, choose }: PlaceRequest): Reservation {
    const untilMs = this.#untilMs()
    const reservation = this.#table.reserve({ client, address, isReturning, choose, untilMs })
    if (reservation.kind === 'reserved') this.#held.add(reservation.place, untilMs)
    return reservation
  }

  /**
   * For a visitor whom another node of the fleet sends here, for so long.
   * @param choose gives that server, if it still takes them
   */
  holdFor (client: Client, holdMs: number, choose: Choose): Reservation {
    const untilMs = Math.ceil(this.#now() + holdMs)
    const reservation = this.#table.reserve({
      client, address: UNKNOWN_ADDRESS, isReturning: false, choose, untilMs, isFromNode: true
    })
    if (reservation.kind === 'reserved') this.#held.add(reservation.place, untilMs)
    return reservation
  }

  /** The visitor is redirected now: from here on the place is held for RESERVATION_TTL. */
  confirm (client: Client, server: number): 'held' | 'arrived' | 'lost' | 'busy' {
    const untilMs = this.#untilMs()
    const confirmed = this.#table.confirm(client, server, untilMs)
    if (confirmed.kind === 'held') this.#held.add(confirmed.place, untilMs)
    return confirmed.kind
  }

  /** The visitor is not sent there after all. A shard that is busy leaves it to the sweep. */
  release (client: Client, server: number): void {
    const confirmed = this.#table.confirm(client, server, this.#now())
    if (confirmed.kind !== 'held') return
    this.#expire({ place: confirmed.place, retriesLeft: EXPIRE_RETRIES_MAX })
  }

  /** Gives up nothing more. What is still held is left in the table. */
  close (): void {
    this.#held.close()
    this.#retries.close()
  }

  /** The table counts whole milliseconds: rounded up, no place ends before its time. */
  #untilMs (): number {
    return Math.ceil(this.#now() + this.#times.reservationTtlMs)
  }

  #expire ({ place, retriesLeft }: DuePlace): void {
    if (this.#table.expireReservation(place) !== 'busy' || retriesLeft === 0) return
    const retry = { place, retriesLeft: retriesLeft - 1 }
    this.#retries.add(retry, this.#now() + EXPIRE_RETRY_MS)
  }
}
