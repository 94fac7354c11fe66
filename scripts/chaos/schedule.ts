/**
 * The schedule of faults for a seed: which worker dies, how and where. An endless sequence of
 * rounds, each the faults that are injected together. Computes only; when a round starts is decided
 * by the run.
 */
import { Random } from '../kit/random.ts'

/** In place of a server's index. */
export const MONITOR = -1

/** terminate: by the main thread. The others: by the thread itself. */
export type How = 'terminate' | 'throw' | 'exit' | 'oom'

export interface Fault {
  /** Counted from 1 over the whole run. */
  readonly number: number
  /** A server's index, or MONITOR. */
  readonly victim: number
  readonly how: How
  /**
   * It dies in place of this write to the user table, counted from 1 from the order on, of those it
   * makes while it holds a lock. Undefined: at once, wherever it is.
   */
  readonly atWrite: number | undefined
}

export type FaultRound = readonly Fault[]

/** Memory takes a while to run out, so that one is rarer. */
const HOW_WEIGHTS: Readonly<Record<How, number>> = { terminate: 5, throw: 3, exit: 3, oom: 1 }
const INSIDE_SHARE = 0.7
/** The sections of a touch, a move or an arrival have some 2 to 30 writes. */
const SERVER_WRITES_MAX = 30
/** The monitor only looks: each section has one, the release. */
const MONITOR_WRITES_MAX = 4
/**
 * How it dies in one. Its searches go on when promises are kept, and there Node 20 aborts the whole
 * process when a thread is ended otherwise while requests come in; Node 22 does not.
 */
const MONITOR_HOW_INSIDE: How = 'throw'
const NEWCOMERS_MAX = 6
/** How often a victim dies in a row: again as soon as it is back, before it had time to recover. */
const DEATHS_WEIGHTS = { 1: 8, 2: 2, 3: 1 } as const

/** Endless; the same for the same seed and number of servers. */
export function * schedule (seed: number, serverCount: number): Generator<FaultRound, never> {
  const random = new Random(seed)
  const servers = Array.from({ length: serverCount }, (_, server) => server)
  let deck: number[] = []
  /** Victims who die once more, and how often. */
  let again = new Map<number, number>()
  let number = 1
  for (;;) {
    const victims = [...again.keys()]
    // One server at least is left.
    const room = serverCount - 1 - victims.length
    for (let left = Math.min(room, random.between(1, NEWCOMERS_MAX)); left > 0; left--) {
      if (deck.length === 0) deck = random.shuffled([...servers, MONITOR])
      const victim = deck.pop()!
      if (victims.includes(victim)) continue
      again.set(victim, Number(random.pickByWeight(DEATHS_WEIGHTS)))
      victims.push(victim)
    }
    if (victims.length > 0) yield victims.map(victim => faultOf(random, number++, victim))
    again = new Map([...again].filter(([, deaths]) => deaths > 1)
      .map(([victim, deaths]) => [victim, deaths - 1]))
  }
}

/** For people: `12: server 3 dies by exit at write 7`. */
export function faultText ({ number, victim, how, atWrite }: Fault): string {
  const who = victim === MONITOR ? 'the monitor' : `server ${victim}`
  const where = atWrite === undefined ? 'anywhere' : `at write ${atWrite} under a lock`
  return `${number}: ${who} dies by ${how} ${where}`
}

function faultOf (random: Random, number: number, victim: number): Fault {
  const how = random.pickByWeight(HOW_WEIGHTS)
  if (random.share() >= INSIDE_SHARE) return { number, victim, how, atWrite: undefined }
  if (victim !== MONITOR) {
    return { number, victim, how, atWrite: random.between(1, SERVER_WRITES_MAX) }
  }
  const atWrite = random.between(1, MONITOR_WRITES_MAX)
  return { number, victim, how: MONITOR_HOW_INSIDE, atWrite }
}
