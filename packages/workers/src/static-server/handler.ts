/**
 * What one static server answers: to whom (identified, denied, counted) is decided here, what (the
 * file) in site-reply.ts. Holds no user and no file of its own; runs in the server's thread.
 */
import { answerLeave, beatHandler, RETRY_AFTER_S, type BeatParts } from '@usher/shared/beats/beats-and-leaves.ts'
import { REFUSED, visit, type VisitorParts } from '@usher/shared/beats/visitors.ts'
import {
  clientOfAddress, formatAddress, formatClient, type Address, type Client
} from '@usher/shared/client.ts'
import { codingChooser } from '@usher/shared/http/files/content-coding.ts'
import { fileReply } from '@usher/shared/http/files/file-reply.ts'
import type { FileReply, StoredFile } from '@usher/shared/http/files/stored-file.ts'
import {
  BEAT_PATH, countEffect, countEffectOfReply, HEALTH_PATH, LEAVE_PATH
} from '@usher/shared/http/vocabulary/counting.ts'
import { renderDeniedPage } from '@usher/shared/http/vocabulary/denied-page.ts'
import { healthReply } from '@usher/shared/http/vocabulary/health.ts'
import { newClient, withCookie } from '@usher/shared/http/vocabulary/identity.ts'
import { ownHosts } from '@usher/shared/http/vocabulary/own-origin.ts'
import {
  htmlReply, keptReply, NO_STORE, optionsReply, refusalReason, textReply
} from '@usher/shared/http/vocabulary/replies.ts'
import type { Handler, Reply, RequestValue } from '@usher/shared/http/vocabulary/values.ts'
import { SCRIPT_PATH } from '@usher/shared/page-script.ts'
import {
  answerDrained, redirectReply, routerTarget, type Refusals, type RouterSettings
} from './drained.ts'
import { goneReply, siteReply } from './site-reply.ts'
import type { FileStreams } from './file-streams.ts'
import { refuseAtFull, visitPage } from './full-server.ts'
import type { Site } from './site.ts'
import {
  arrivalTicket, arriveByTicket, type Arrival, type TicketParts
} from './ticket-arrival.ts'

export interface StaticHandlerParts extends BeatParts, TicketParts {
  readonly settings: BeatParts['settings'] & RouterSettings & TicketParts['settings']
  readonly log: BeatParts['log'] & TicketParts['log']
  /** Asked at every request, since a reload switches it. */
  readonly site: () => Site
  readonly streams: Pick<FileStreams, 'open'>
  /** As storePageScript makes it. */
  readonly pageScript: StoredFile
  /** Whole HTML pages; `denied` is the template of renderDeniedPage. */
  readonly pages: Readonly<Record<'denied' | 'full' | 'network', Buffer>>
  /** Why no visitors should be sent here; undefined when they may. */
  readonly reasonNotHealthy: () => string | undefined
  /** For the time on the denied page; the system's clock when left out. */
  readonly wallNow?: () => Date
}

const PAGE_METHODS = ['GET', 'HEAD']

/** The handler for one server's door. */
export function staticHandler (parts: StaticHandlerParts): Handler {
  const codings = codingChooser()
  const own = ownHosts(parts.settings)
  const answerBeat = beatHandler(parts, own)
  const refusals = refusalsOf(parts)
  const script: Content = request => fileReply(parts.pageScript, request, codings)
  const file: Content = request => siteReply(parts.site(), request, codings)

  return function handle (request) {
    switch (request.path) {
      case BEAT_PATH:
        return answerBeat(request)
      case LEAVE_PATH:
        return answerLeave(parts, request, own)
      case HEALTH_PATH:
        return healthReply(request.method, parts.reasonNotHealthy())
      case SCRIPT_PATH:
        return answerPage(parts, request, refusals, script)
      default: {
        const ticket = arrivalTicket(request, parts.settings.ticketParameter)
        if (ticket !== undefined) return arrived(request, ticket)
        return opened(request, answerPage(parts, request, refusals, file))
      }
    }
  }

  async function arrived (request: RequestValue, ticket: string): Promise<Reply> {
    const arrival = await arriveByTicket(parts, request, ticket)
    const visit = arrival?.request ?? request
    const reply = answerPage(parts, visit, refusals, file, arrival)
    if (arrival === undefined) return await opened(visit, reply)
    return await opened(visit, withCookie(reply, arrival.client, visit, parts.settings))
  }

  /** A large file is opened last, when all else is decided. */
  function opened (request: RequestValue, reply: FileReply): Reply | Promise<Reply> {
    const { part } = reply
    if (part === undefined) return reply
    return parts.streams.open({ ...reply, part }, request,
      () => goneReply(parts.site(), request, codings))
  }
}

const LINK = 'href=""'

function refusalsOf ({ pages, settings }: StaticHandlerParts): Refusals {
  const routerOf = routerTarget(settings)
  const full = pages.full.toString()
  const later = ['Retry-After', String(RETRY_AFTER_S), ...NO_STORE]
  return {
    full: keptReply(htmlReply(503, full, later)),
    network: keptReply(
      htmlReply(503, pages.network.toString(), [...later, ...refusalReason('network')])),
    toRouter: request => redirectReply(routerOf(request)),
    fullAtRouter: request => htmlReply(503,
      full.replace(LINK, () => `href="${escaped(routerOf(request))}"`),
      [...later, ...refusalReason('full')])
  }
}

/** A URL in an attribute's value. */
function escaped (url: string): string {
  return url.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
}

/** What is sent to a visitor who may have it. */
type Content = (request: RequestValue) => FileReply

/**
 * @param content is asked only when the visitor is to have it
 * @param arrival of one who comes by a ticket, and whose reply will carry a cookie
 */
function answerPage (
  parts: StaticHandlerParts, request: RequestValue, refusals: Refusals, content: Content,
  arrival?: Arrival
): FileReply {
  if (!PAGE_METHODS.includes(request.method)) return notAllowed(request.method)
  const { address, cookieClient: named } = request
  const known = arrival?.client ?? named
  if (parts.denyList.isDenied(known, address)) return deniedPage(parts, known, address)
  const reply = content(request)
  const phase = parts.drainPhase()
  if (phase !== 'none') {
    return answerDrained(parts, phase, request, reply, refusals, arrival !== undefined)
  }
  const client = named ?? clientOfAddress(address)
  if (request.method === 'HEAD') {
    return reply.isPage === true ? refusalOfHead(parts, request, client, refusals) ?? reply : reply
  }
  const effect = countEffectOfReply(request.countEffect, reply)
  if (effect === 'none') return reply
  if (effect === 'refreshes') {
    visit(parts, { client, address }, effect)
    return reply
  }
  const outcome = visitPage(parts, { client, address }, arrival?.holder)
  if (outcome === 'server-full') {
    const isUnknown = arrival?.isUnknown ?? named === undefined
    return refuseAtFull(parts, request, isUnknown, refusals)
  }
  if (REFUSED.has(outcome)) return outcome === 'network' ? refusals.network : refusals.full
  return known === undefined ? withCookie(reply, newClient(), request, parts.settings) : reply
}

/** A HEAD counts nobody, but says what its GET would say (RFC 9110 section 9.3.2). */
function refusalOfHead (
  { table, server }: VisitorParts, request: RequestValue, client: Client, refusals: Refusals
): Reply | undefined {
  const { path, headers } = request
  const [isFull, isServerFull] = [table.isFull(), table.isServerFull(server)]
  if (!isFull && !isServerFull) return undefined
  if (countEffect({ method: 'GET', path, headers }) !== 'adds') return undefined
  const user = table.find(client)
  if (user === 'busy') return undefined
  const isHere = user?.server === server || user?.reservedServer === server
  if (isServerFull && !isHere) return refusals.toRouter(request)
  return isFull && user === undefined ? refusals.full : undefined
}

function deniedPage (
  parts: StaticHandlerParts, named: Client | undefined, address: Address
): Reply {
  const visitor = named === undefined ? formatAddress(address) : formatClient(named)
  const when = parts.wallNow?.() ?? new Date()
  return htmlReply(403, renderDeniedPage(parts.pages.denied, visitor, when), NO_STORE)
}

function notAllowed (method: string): Reply {
  const allow = PAGE_METHODS.join(', ')
  if (method === 'OPTIONS') return optionsReply(allow)
  return textReply(405, `Only ${allow} are answered here.\n`, ['Allow', allow, ...NO_STORE])
}
