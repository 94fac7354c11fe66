/**
 * What the servers' numbers say: read from a header, put into a sentence, drawn as a bar. Values
 * only: asking is done by `crowd.ts`, drawing by `crowd-view.ts`.
 */

/** One server and how many people it has. */
export interface Room {
  readonly port: number
  readonly peopleCount: number
}

const ROOMS_MAX = 32
const ROOM = /^(\d{1,5})=(\d{1,10})$/

/** `8000=11, 8001=10`, as `X-Server-Users` has it; undefined for none or a malformed one. */
export function parseRooms (header: string | null): readonly Room[] | undefined {
  const entries = (header ?? '').split(', ').map(entry => ROOM.exec(entry))
  if (entries.length > ROOMS_MAX || entries.includes(null)) return undefined
  return entries.map(entry => ({ port: Number(entry![1]), peopleCount: Number(entry![2]) }))
}

/**
 * Who came where, by the difference of two counts. Where other people came or went between them the
 * guests cannot be told apart, and less is said; empty when nothing is certain.
 */
export function spreadSentence (
  before: readonly Room[], after: readonly Room[], cameCount: number
): string {
  if (before.map(room => room.port).join() !== after.map(room => room.port).join()) return ''
  const gains = after.map((room, index) => room.peopleCount - before[index]!.peopleCount)
  if (gains.some(gain => gain < 0)) return ''
  const sum = gains.reduce((total, gain) => total + gain, 0)
  if (sum === cameCount) {
    const came = `${cameCount} ${cameCount === 1 ? 'person' : 'people'} came in by the front door`
    return gains.length === 1 ? `${came}.` : `${came}: ${listed(gains)}.`
  }
  return sum === 0 ? '' : `The rooms have ${listed(gains)} people more than before.`
}

/**
 * How many people a full bar stands for. It grows by doubling, so that bars seldom change because
 * of their scale.
 */
export function barScale (rooms: readonly Room[]): number {
  const most = Math.max(...rooms.map(room => room.peopleCount))
  let scale = BAR_PEOPLE_MIN
  while (most > scale) scale *= 2
  return scale
}

const BAR_PEOPLE_MIN = 30

/** 10, 10 and 10. */
function listed (numbers: readonly number[]): string {
  const last = numbers.at(-1)
  return numbers.length < 2 ? String(last) : `${numbers.slice(0, -1).join(', ')} and ${last}`
}
