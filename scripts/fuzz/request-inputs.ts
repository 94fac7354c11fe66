/**
 * The sequence of requests that a seed means: whole ones, such with one to three parts broken, and
 * such with any bytes changed. Input number n depends on seed and n alone. Pure.
 */
import { Random } from '../kit/random.ts'
import { breakBytes, breakFraming, cutUp } from './framing-breaks.ts'
import { ASKED, type Asked, type RequestInput } from './inputs.ts'
import { nastyText } from './nasty-values.ts'
import { someHeader } from './proxy-headers.ts'
import { PART_BREAKS } from './request-breaks.ts'
import { wholeRequest, wireOf, type RequestParts } from './request-parts.ts'

const REQUEST_SEQUENCE = 1
const WHOLE_SHARE = 0.12
const FRAMING_SHARE = 0.25
const BYTES_SHARE = 0.3
const BREAKS_MAX = 3
/** Of the others, a third waits for time to run out, which takes the fuzzer's. */
const FINISH_SHARE = 0.85
const REQUESTS_MAX = 5
const PROXIED_SHARE = 0.25
const SERVER_COUNT = 3

export interface RequestSequence {
  readonly seed: number
  /** What byte changes may graft on. */
  readonly corpus: readonly RequestInput[]
  /**
   * In every second batch of so many no request is an administrator's: no user is denied or
   * disconnected, so each whole request must get its answer.
   */
  readonly batchSize: number
}

export function requestInput (sequence: RequestSequence, number: number): RequestInput {
  const random = new Random(sequence.seed, REQUEST_SEQUENCE, number)
  const isQuiet = Math.floor(number / sequence.batchSize) % 2 === 1
  const to = random.pick(isQuiet ? ASKED.slice(0, -1) : ASKED)
  // Proxies ask for decisions by plain HTTP, without a header in front.
  const isProxied = random.chance(PROXIED_SHARE) && to !== 'decision'
  const proxy = isProxied ? someHeader(random) : undefined
  const where = {
    to,
    ...(to === 'server' && { server: random.below(SERVER_COUNT) }),
    ...(proxy !== undefined && { isProxied: true, header: proxy.header })
  }
  if (random.chance(WHOLE_SHARE)) {
    const isIntact = proxy?.isWhole ?? true
    return { ...where, ...wholeInput(to, isQuiet, random), isIntact }
  }
  return { ...where, ...brokenInput(sequence, to, random) }
}

type Sent = Pick<RequestInput, 'send' | 'end' | 'requestsMax' | 'isIntact'>

function wholeInput (to: Asked, isQuiet: boolean, random: Random): Sent {
  const requests = someRequests(to, isQuiet ? REQUESTS_MAX : 1, random)
  for (const request of requests.slice(0, -1)) {
    request.version = 'HTTP/1.1'
    // Its answer has no end, so nothing would follow it.
    if (request.path === '/events') request.path = '/readyz'
  }
  return {
    send: cutUp(requests.map(wireOf).join(''), random),
    end: random.chance(0.9) ? 'finish' : 'wait',
    requestsMax: requests.length,
    isIntact: true
  }
}

function brokenInput ({ corpus }: RequestSequence, to: Asked, random: Random): Sent {
  const requests = someRequests(to, REQUESTS_MAX, random)
  const count = random.between(1, BREAKS_MAX)
  for (let at = 0; at < count; at++) random.pick(PART_BREAKS)(random.pick(requests), random)
  let wire = requests.map(wireOf).join('')
  if (random.chance(FRAMING_SHARE)) wire = breakFraming(wire, random)
  if (random.chance(BYTES_SHARE)) {
    const other = corpus.length === 0 ? nastyText(random) : random.pick(corpus).send.join('')
    wire = breakBytes(wire, other, random)
  }
  return {
    send: cutUp(wire, random),
    end: random.chance(FINISH_SHARE) ? 'finish' : random.pick(['reset', 'reset', 'wait']),
    requestsMax: requestsAtMost(wire)
  }
}

function someRequests (to: Asked, max: number, random: Random): RequestParts[] {
  const count = random.chance(0.7) ? 1 : random.between(1, max)
  return Array.from({ length: count }, () => wholeRequest(to, random))
}

/**
 * A request ends with an empty line; what follows the last one may be taken for one more. Where
 * nothing is, it may be said that nothing came in time.
 */
export function requestsAtMost (wire: string): number {
  const emptyLines = [...wire.matchAll(/\n\r?\n/g)]
  const rest = wire.slice(emptyLines.at(-1)?.index ?? 0)
  return Math.max(1, emptyLines.length + (rest.trim() === '' ? 0 : 1))
}
