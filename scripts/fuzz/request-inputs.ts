/**
 * The sequence of requests that a seed means: whole ones, such with one to three parts broken, and
 * such with any bytes changed. Input number n depends on seed and n alone. Pure.
 */
import { Choices } from './choices.ts'
import { breakBytes, breakFraming, cutUp } from './framing-breaks.ts'
import { ASKED, type Asked, type RequestInput } from './inputs.ts'
import { nastyText } from './nasty-values.ts'
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
   * In the odd batches of so many nobody acts as administrator: nobody is denied or disconnected,
   * so that each whole request must get its answer.
   */
  readonly batchSize: number
}

export function requestInput (sequence: RequestSequence, number: number): RequestInput {
  const choices = new Choices(sequence.seed, REQUEST_SEQUENCE, number)
  const isQuiet = Math.floor(number / sequence.batchSize) % 2 === 1
  const to = choices.pick(isQuiet ? ASKED.slice(0, -1) : ASKED)
  const where = {
    to,
    ...(to === 'server' && { server: choices.below(SERVER_COUNT) }),
    ...(choices.chance(PROXIED_SHARE) && { isProxied: true })
  }
  if (choices.chance(WHOLE_SHARE)) return { ...where, ...wholeInput(to, isQuiet, choices) }
  return { ...where, ...brokenInput(sequence, to, choices) }
}

type Sent = Pick<RequestInput, 'send' | 'end' | 'requestsMax' | 'isIntact'>

function wholeInput (to: Asked, isQuiet: boolean, choices: Choices): Sent {
  const requests = someRequests(to, isQuiet ? REQUESTS_MAX : 1, choices)
  for (const request of requests.slice(0, -1)) {
    request.version = 'HTTP/1.1'
    // Its answer has no end, so nothing would follow it.
    if (request.path === '/events') request.path = '/readyz'
  }
  return {
    send: cutUp(requests.map(wireOf).join(''), choices),
    end: choices.chance(0.9) ? 'finish' : 'wait',
    requestsMax: requests.length,
    isIntact: true
  }
}

function brokenInput ({ corpus }: RequestSequence, to: Asked, choices: Choices): Sent {
  const requests = someRequests(to, REQUESTS_MAX, choices)
  const count = choices.between(1, BREAKS_MAX)
  for (let at = 0; at < count; at++) choices.pick(PART_BREAKS)(choices.pick(requests), choices)
  let wire = requests.map(wireOf).join('')
  if (choices.chance(FRAMING_SHARE)) wire = breakFraming(wire, choices)
  if (choices.chance(BYTES_SHARE)) {
    const other = corpus.length === 0 ? nastyText(choices) : choices.pick(corpus).send.join('')
    wire = breakBytes(wire, other, choices)
  }
  return {
    send: cutUp(wire, choices),
    end: choices.chance(FINISH_SHARE) ? 'finish' : choices.pick(['reset', 'reset', 'wait']),
    requestsMax: requestsAtMost(wire)
  }
}

function someRequests (to: Asked, max: number, choices: Choices): RequestParts[] {
  const count = choices.chance(0.7) ? 1 : choices.between(1, max)
  return Array.from({ length: count }, () => wholeRequest(to, choices))
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
