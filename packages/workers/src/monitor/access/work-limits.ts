/**
 * How much of each kind of work the monitor does at the same time: in all, for one account and for
 * one address. Requests one after another never meet a bound. Logins have lines of their own, see
 * verification-lines.ts. Runs in the monitor's thread.
 */
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { networkKey } from '@usher/shared/networks.ts'
import { ApiError } from '../errors/api-error.ts'
import type { Permit } from './permit.ts'
import { FairQueue, QueueFull, type FairQueueOptions } from './fair-queue.ts'
import { whenReplyEnds } from './reply-end.ts'

export type Work = 'read' | 'action' | 'stream'

interface WorkLimit extends FairQueueOptions {
  /** From when an answer is made until it must have left; left out: however long it takes. */
  readonly answerMsMax?: number
}

export type WorkLimits = Readonly<Record<Work, WorkLimit>>

const WAIT_MS_MAX = 10_000
const ANSWER_MS_MAX = 60_000

/**
 * By account, then by address. The largest /stats (32 servers, 10,000 ids each) takes some 40 MB
 * until it has left, of a heap of 512 MB; of eight such, four are one account's. A stream is one
 * console. docs/operating.md has these numbers too.
 */
export const WORK_LIMITS: WorkLimits = {
  read: {
    all: { running: 8, waiting: 256 },
    perOwner: [{ running: 4, waiting: 64 }, { running: 6, waiting: 128 }],
    waitMsMax: WAIT_MS_MAX,
    answerMsMax: ANSWER_MS_MAX
  },
  action: {
    all: { running: 32, waiting: 128 },
    perOwner: [{ running: 8, waiting: 32 }, { running: 16, waiting: 64 }],
    waitMsMax: WAIT_MS_MAX,
    answerMsMax: ANSWER_MS_MAX
  },
  stream: {
    all: { running: 100, waiting: 0 },
    perOwner: [{ running: 20, waiting: 0 }, { running: 40, waiting: 0 }],
    waitMsMax: WAIT_MS_MAX
  }
}

/** A stream is tried again less soon: its place is free when somebody closes a console. */
const RETRY_AFTER_S: Readonly<Record<Work, number>> = { read: 1, action: 1, stream: 5 }
/** Whoever reads by METRICS_TOKEN has no account. */
const METRICS_OWNER = 'metrics'

/** To be called before there are routes. */
export function limitWork (
  app: FastifyInstance, permit: Pick<Permit, 'act'>, limits: WorkLimits = WORK_LIMITS
): void {
  const queues = {
    read: new FairQueue(limits.read),
    action: new FairQueue(limits.action),
    stream: new FairQueue(limits.stream)
  }
  app.addHook('onRoute', route => {
    const work = workOf(route)
    if (work === undefined) return
    const { handler, config } = route
    // Actions look again in the step that does them.
    const isCheckedAgain = work === 'read' && config!.isOpenBeforeChange !== true
    route.handler = async function (request, reply) {
      const place = queues[work].enter(ownersOf(request))
      // Once the work has begun its place is kept until both it and its answer are over: a client
      // that goes away ends neither a walk of the table nor what is in memory for it.
      let hasBegun = false
      const { raw } = reply
      whenReplyEnds(raw, () => { if (!hasBegun) place.leave() })
      await place.turn.catch(error => { throw refusalOf(error, work) })
      hasBegun = true
      try {
        const caller = request.program ?? request.session
        const begin = async (): Promise<unknown> => await handler.call(this, request, reply)
        // It was allowed when it came, which may be some seconds ago.
        return await (isCheckedAgain && caller !== undefined
          ? permit.act(caller, config!.needs, begin)
          : begin())
      } finally {
        const limit = cutLater(raw.req.socket, limits[work].answerMsMax)
        whenReplyEnds(raw, () => {
          clearTimeout(limit)
          place.leave()
        })
      }
    }
  })
}

/** A client that does not take its answer, or asked for it behind a stream, keeps no place. */
function cutLater (socket: Socket, afterMs: number | undefined): NodeJS.Timeout | undefined {
  return afterMs === undefined
    ? undefined
    : setTimeout(() => { socket.destroy() }, afterMs).unref()
}

/** Undefined for what costs nothing, such as a page, and for what needs no session. */
export function workOf (
  { method, config }: Pick<RouteOptions, 'method' | 'config'>
): Work | undefined {
  if (config === undefined || config.needs === 'nothing' || config.isPage === true) return undefined
  if (config.isStream === true) return 'stream'
  return method === 'POST' ? 'action' : 'read'
}

/** A program has a share of its own: whatever it does, the person who made its token goes on. */
function ownersOf ({ session, program, source }: FastifyRequest): string[] {
  const owner = program === undefined
    ? String(session?.accountId ?? METRICS_OWNER)
    : `token ${program.tokenId}`
  return [owner, networkKey(source.address)]
}

function refusalOf (error: unknown, work: Work): unknown {
  if (!(error instanceof QueueFull)) return error
  const headers = { 'Retry-After': String(RETRY_AFTER_S[work]) }
  return error.isOwn
    ? new ApiError('too_many_at_once', OWN_TEXTS[work], headers)
    : new ApiError('busy', work === 'stream'
      ? 'Too many event streams are open.'
      : 'The monitor has too much to do right now.', headers)
}

const OWN_TEXTS: Readonly<Record<Work, string>> = {
  read: 'This account, token or address asks too much at the same time. Ask one thing after another.',
  action: 'This account, token or address does too much at the same time. Do one thing after another.',
  stream: 'This account, token or address has too many event streams open.'
}
