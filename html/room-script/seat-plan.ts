/**
 * Which seats of a room are taken for a number of people. Numbers only: the page is drawn by
 * `room-view.ts`.
 */

export interface SeatPlan {
  /** 1, 10, 100, ...: as many people as the seats can hold. */
  readonly peoplePerSeat: number
  /** Yours included; a seat with one person in it is taken. */
  readonly takenSeatCount: number
}

/** A whole number of people, 0 or more, in seats, 1 or more. */
export function planSeats (peopleCount: number, seatCount: number): SeatPlan {
  let peoplePerSeat = 1
  while (peopleCount > seatCount * peoplePerSeat) peoplePerSeat *= 10
  return { peoplePerSeat, takenSeatCount: Math.ceil(peopleCount / peoplePerSeat) }
}

/**
 * Seat numbers in the order in which they are taken: yours first, then from the front, with some
 * left out for later as people do. Always the same, so that one arrival changes one seat.
 */
export function seatingOrder (seatCount: number, yourSeat: number): number[] {
  const others = Array.from({ length: seatCount }, (_, seat) => seat)
    .filter(seat => seat !== yourSeat)
  // A stride that shares no factor with the modulus: late-comers' seats lie scattered.
  const rank = (seat: number): number => seat + (seat * 23 + 5) % SCATTER
  return [yourSeat, ...others.sort((a, b) => rank(a) - rank(b) || a - b)]
}

/** How many seats further back somebody may sit while there is one in front. */
const SCATTER = 37
