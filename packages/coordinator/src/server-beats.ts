/**
 * Beats and leaves of pages that other programs serve: the router answers them for the server that
 * the query names, by the same steps as a server of ours. Main thread.
 */
import { BeatSchedule } from '@usher/shared/beats/beat.ts'
import {
  BEAT_METHODS, beatTaker, DENIED, identifySender, methodRefusal, orUnavailable, OWN_BEAT,
  takeLeave, type BeatParts, type TakeBeat
} from '@usher/shared/beats/beats-and-leaves.ts'
import { DOWN, MOVED, visitToStay } from '@usher/shared/beats/draining.ts'
import { usersElsewhere } from '@usher/shared/beats/users-elsewhere.ts'
import type { Visitor } from '@usher/shared/beats/visitors.ts'
import { formatClient } from '@usher/shared/client.ts'
import { fleetName, type FleetNameSettings } from '@usher/shared/fleet/fleet-name.ts'
import {
  originCheck, preflightReply, withCors, type CorsSettings
} from '@usher/shared/http/vocabulary/cors.ts'
import { BEAT_PATH, beatEffect, LEAVE_PATH } from '@usher/shared/http/vocabulary/counting.ts'
import { queryClient } from '@usher/shared/http/vocabulary/identity.ts'
import { isForeign, ownHosts } from '@usher/shared/http/vocabulary/own-origin.ts'
import { jsonError, keptReply, optionsReply } from '@usher/shared/http/vocabulary/replies.ts'
import type { Handler, Reply, RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { whileBusy } from '@usher/shared/memory/retry-while-busy.ts'
import type { Busy } from '@usher/shared/memory/table-view.ts'
import type { UserTable } from '@usher/shared/memory/user-table.ts'
import { nowOrLater } from '@usher/shared/now-or-later.ts'
import { quote } from '@usher/shared/quote.ts'
import { namesOf, type Server, type Slot } from '@usher/shared/settings/servers.ts'
import type { TicketFault } from '@usher/shared/tickets/ticket.ts'
import type { TicketParts } from './ticket-issuer.ts'

export interface ServerBeatsParts extends
  Omit<BeatParts, 'server' | 'drainPhase' | 'nextBeatMs' | 'settings' | 'serverName'> {
  readonly settings: BeatParts['settings'] & CorsSettings & FleetNameSettings
  readonly table: BeatParts['table'] & Pick<UserTable, 'serverState' | 'drainPhase'>
  readonly tickets: TicketParts
  /** Told of each beat after which the page is to go on. */
  readonly onBeat: (server: number) => void
  /** 0 to below 1 */
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** What answers for one server. */
interface ServerDesk {
  readonly server: Server
  readonly parts: BeatParts
  readonly takeBeat: TakeBeat
  /** For refusals: where its paths begin, so that its page can name its own to the router. */
  readonly base: readonly string[]
}

/** For so long the sum of all users elsewhere is taken as it was. */
const SUM_FRESH_MS = 100

/** With `server` in the query: its name. */
const SERVER_PARAMETER = 'server'
/** With the first beat after a redirect that brought one. */
const TICKET_PARAMETER = 'ticket'
/** No other answer to a beat has it. */
const BEAT_TAKEN = 204
export const SERVER_BEAT_ALLOW = 'GET, HEAD, POST'

const TICKET_FAULTS: Readonly<Record<TicketFault, Reply>> = {
  malformed: badTicket('ticket_malformed', 'is none that a redirect brings'),
  forged: badTicket('ticket_forged', 'was not signed by this router'),
  expired: badTicket('ticket_expired', 'is too old: it is good for a minute'),
  used: badTicket('ticket_used', 'has been used before: it is good for one arrival'),
  'other-server': badTicket('ticket_other_server', 'is for another server')
}

function badTicket (error: string, why: string): Reply {
  return keptReply(jsonError(400, error, `The ticket ${why}. Beat again without it.`))
}

/** Whether a request is a beat for a server that it names, or a leave. */
export function isForServer ({ method, path, query }: RequestValue): boolean {
  if (path === LEAVE_PATH) return method === 'POST' || method === 'OPTIONS'
  return path === BEAT_PATH && query !== '' && new URLSearchParams(query).has(SERVER_PARAMETER)
}

/** Answers those requests. */
export function serverBeats (given: ServerBeatsParts): Handler {
  const { settings } = given
  const originOf = originCheck(settings)
  const own = ownHosts(settings)
  const deskOf = desks(given)

  function answer (request: RequestValue, origin: string | undefined): Reply | Promise<Reply> {
    const isLeave = request.path === LEAVE_PATH
    const refused = methodRefusal(request, BEAT_METHODS)
    if (refused !== undefined) return refused
    const isAllowed = origin !== undefined || (isLeave && isOfHiddenPage(request))
    const isOfOthers = !isAllowed &&
      (request.headers.origin !== undefined || isForeign(request, own))
    const sender = identifySender(given, request, isOfOthers, origin !== undefined)
    if ('status' in sender) return sender
    const query = new URLSearchParams(request.query)
    const names = query.getAll(SERVER_PARAMETER)
    const desk = deskOf(names)
    if (desk === undefined) return unknownServer(names, settings.servers)
    if (isLeave) return now(() => takeLeave(desk.parts, request, sender), desk)
    const ticket = query.get(TICKET_PARAMETER)
    return ticket === null
      ? answerBeat(desk, request, sender)
      : answerTicket(request, desk, ticket)
  }

  /** A ticket proves whose browser it is, whatever else names somebody. */
  async function answerTicket (
    request: RequestValue, { server: { name } }: ServerDesk, text: string
  ): Promise<Reply> {
    const ticket = await given.tickets.redeemer.redeem(text, fleetName(settings, name))
    if (typeof ticket === 'string') return TICKET_FAULTS[ticket]
    const { id, client } = ticket
    const { address } = request
    const reply = given.denyList.isDenied(client, address)
      ? DENIED
      : await answerBeatAt(name, request, { client, address, options: OWN_BEAT })
    if (reply.status !== BEAT_TAKEN) given.tickets.giveBack(id)
    return reply
  }

  /** Of a server that may have been removed in the meantime. */
  function answerBeatAt (
    name: string, request: RequestValue, sender: Visitor
  ): Reply | Promise<Reply> {
    const desk = deskOf([name])
    return desk === undefined
      ? unknownServer([name], settings.servers)
      : answerBeat(desk, request, sender)
  }

  function answerBeat (
    desk: ServerDesk, request: RequestValue, sender: Visitor
  ): Reply | Promise<Reply> {
    return now(() => {
      const reply = takeBeatAt(given, desk, request, sender)
      if (reply !== 'busy' && reply.status === BEAT_TAKEN) given.onBeat(desk.server.index)
      return reply
    }, desk)
  }

  return request => {
    const origin = originOf(request)
    if (request.method === 'OPTIONS') {
      return origin === undefined
        ? withCors(optionsReply(SERVER_BEAT_ALLOW), origin)
        : preflightReply(SERVER_BEAT_ALLOW, origin)
    }
    const reply = answer(request, origin)
    return reply instanceof Promise
      ? reply.then(later => withCors(later, origin))
      : withCors(reply, origin)
  }
}

/** Tries again while the table is busy. */
function now (take: () => Reply | Busy, desk: ServerDesk): Reply | Promise<Reply> {
  return nowOrLater(whileBusy(take), reply => told(orUnavailable(reply), desk))
}

/**
 * A page that says nowhere where it is (`Referrer-Policy: no-referrer`) posts its leave with
 * `Origin: null`, unlike its beats. Of an id that only it knows, or on the same site, it counts.
 */
function isOfHiddenPage ({ headers, query }: RequestValue): boolean {
  if (headers.origin !== 'null') return false
  if (headers['sec-fetch-site'] === 'same-site') return true
  const client = queryClient(query)
  return client !== undefined && client !== 'malformed'
}

/** Gives what answers for the one server of these names; made when it is first asked for. */
function desks (given: ServerBeatsParts): (names: readonly string[]) => ServerDesk | undefined {
  const made: ServerDesk[] = []
  const pace = paceOf(given)
  return ([name, ...more]) => {
    const server = given.settings.servers.find(one => one.name === name && one.kind !== 'removed')
    if (server === undefined || server.kind === 'removed' || more.length > 0) return undefined
    const { index } = server
    if (made[index]?.server !== server) made[index] = openDesk(given, server, pace)
    return made[index]
  }
}

/** Milliseconds until the next beat of one page of a server that has so many users. */
type Pace = (server: Server, activeUsers: number) => number

/**
 * All pages of servers elsewhere beat to this one thread: they share one budget, and beat as if all
 * were at one server.
 */
function paceOf ({ table, settings, random, now }: ServerBeatsParts): Pace {
  const schedule = new BeatSchedule(settings, random, now)
  let sum = 0
  let summedMs = -Infinity
  return ({ kind }, activeUsers) => {
    const nowMs = now()
    if (nowMs - summedMs >= SUM_FRESH_MS) {
      sum = usersElsewhere(settings.servers, table.activeUsersPerServer())
      summedMs = nowMs
    }
    return schedule.nextInMs(kind === 'own' ? sum + activeUsers : Math.max(sum, activeUsers))
  }
}

function openDesk (given: ServerBeatsParts, server: Server, pace: Pace): ServerDesk {
  const { table } = given
  const { index, name, publicUrl } = server
  const parts = {
    ...given,
    server: index,
    serverName: name,
    drainPhase: () => table.drainPhase(index),
    nextBeatMs: (activeUsers: number) => pace(server, activeUsers)
  }
  const path = publicUrl === undefined ? '/' : new URL(publicUrl).pathname
  return {
    server,
    parts,
    takeBeat: beatTaker(parts),
    base: path === '/' ? [] : ['X-Usher-Base', path]
  }
}

/** Who is at a server that is down stays counted, for the page is open; nobody comes in. */
function takeBeatAt (
  { table }: ServerBeatsParts, { parts, takeBeat }: ServerDesk, request: RequestValue,
  sender: Visitor
): Reply | Busy {
  const effect = beatEffect(request.method, request.headers)
  const state = table.serverState(parts.server)
  if (state === 'maintenance') return MOVED
  if (state !== 'down') return takeBeat(request, sender, effect)
  const outcome = visitToStay(parts, sender, effect === 'none' ? effect : 'adds')
  return outcome === 'busy' ? outcome : DOWN
}

/** With what only pages of other servers need to be told. */
function told (reply: Reply, { base }: ServerDesk): Reply {
  const { status, headers, newClient } = reply
  if (newClient !== undefined) {
    return { ...reply, headers: [...headers, 'X-Usher-Client', formatClient(newClient)] }
  }
  return status >= 400 && base.length > 0
    ? { ...reply, headers: [...headers, ...base], isKept: false }
    : reply
}

function unknownServer (names: readonly string[], servers: readonly Slot[]): Reply {
  const [name, ...more] = names
  const wrong = name === undefined
    ? 'The query names no server'
    : more.length > 0 ? 'The query names more than one server' : `There is no server ${quote(name)}`
  return jsonError(404, 'unknown_server', `${wrong}; server must be one of: ${namesOf(servers)}.`)
}
