/**
 * A page of an application with the router's script in it, as its visitor's browser runs it: shows
 * the ticket of the redirect once, then beats and leaves by the id, all at the router. Complains of
 * a ticket that is refused though it is good, and of one that is taken twice.
 */
import type { Answer } from './web.ts'
import type { UsedTicket, World } from './world.ts'

/** Where a redirect leads. */
export interface Sent {
  readonly port: number
  readonly host: string
  readonly path: string
  /** When it was answered. */
  readonly atMs: number
  /** Of the program's life: see Ledger. */
  readonly life: number
}

/** As the program's ALLOWED_ORIGINS has it. */
export const PAGE_ORIGIN = 'http://apps.example'
const PARAMETER = 'usher_ticket'
/** Far below the life of a ticket, and of the key that has signed it. */
const GOOD_MS_MAX = 5000
const TWICE_AT_ONCE_SHARE = 0.2
const REPLAY_SHARE = 0.3
const USED_MAX = 20
/** Of somebody who was passed the address of a page. */
const STRANGER = '198.51.100.7'

export function ticketIn (path: string): string | undefined {
  return new URL(path, PAGE_ORIGIN).searchParams.get(PARAMETER) ?? undefined
}

export class PageElsewhere {
  readonly #world: World
  readonly #id: string
  readonly #address: string

  constructor (world: World, id: string, address: string) {
    this.#world = world
    this.#id = id
    this.#address = address
  }

  /** Undefined when no answer was to be had. */
  async arrive (sent: Sent, ticket: string): Promise<Answer | undefined> {
    const { web, complain, kids } = this.#world
    const { kid, sub } = readTicket(ticket)
    kids.add(kid)
    if (sub !== this.#id) complain(`${this.#id} was sent to ${sent.port} as ${sub}`)
    let shown: Answer | undefined
    const answer = await web.twice(`a ticket at ${sent.port}`, async () => {
      shown = await this.#show(sent.port, ticket)
      return shown
    }, () => web.patiently(() => this.#post('/heartbeat', sent.port)), hasAnswered)
    const fault = errorOf(shown)
    if (shown?.status === 204) await this.#noteUse({ ticket, port: sent.port })
    if (!fault.startsWith('ticket_')) return answer
    if (this.#isGood(sent)) complain(`${this.#id} came to ${sent.port} with a good ticket: ${fault}`)
    return await this.beat(sent.port)
  }

  async beat (port: number): Promise<Answer | undefined> {
    return await this.#twice('/heartbeat', port)
  }

  async leave (port: number, isByPage: boolean): Promise<Answer | undefined> {
    return await this.#twice(isByPage ? '/leave?page' : '/leave', port)
  }

  async #twice (path: string, port: number): Promise<Answer | undefined> {
    const { web } = this.#world
    const attempt = (): Promise<Answer> => this.#post(path, port)
    return await web.twice(
      `${path} for ${port}`, attempt, () => web.patiently(attempt), hasAnswered)
  }

  /** By two loads of the page at once, too: then one of them has to be refused. */
  async #show (port: number, ticket: string): Promise<Answer> {
    const { random, complain } = this.#world
    const show = (): Promise<Answer> => showTicket(this.#world, { ticket, port }, this.#address)
    if (random.share() >= TWICE_AT_ONCE_SHARE) return await show()
    const answers = await Promise.all([show(), show()])
    const taken = answers.filter(({ status }) => status === 204)
    if (taken.length > 1) complain(`${this.#id}: a ticket for ${port} was taken twice, at once`)
    // The one that came second may be told so before the first is refused for the moment.
    return taken[0] ?? answers.find(answer => errorOf(answer) !== 'ticket_used') ?? answers[0]
  }

  async #noteUse (used: UsedTicket): Promise<void> {
    const { usedTickets, random } = this.#world
    usedTickets.push(used)
    if (usedTickets.length > USED_MAX) usedTickets.shift()
    if (random.share() < REPLAY_SHARE) await replay(this.#world, random.pick(usedTickets))
  }

  #isGood ({ life, atMs }: Sent): boolean {
    return this.#world.ledger.life === life && performance.now() - atMs < GOOD_MS_MAX
  }

  #post (path: string, port: number): Promise<Answer> {
    const query = `server=${this.#world.apps.nameOf(port)}&client_id=${this.#id}`
    const target = `${path}${path.includes('?') ? '&' : '?'}${query}`
    return postToRouter(this.#world, target, this.#address)
  }
}

/** Somebody else comes with a ticket that was used. */
export async function replay (world: World, used: UsedTicket): Promise<void> {
  const { web, complain } = world
  const attempt = (): Promise<Answer> => showTicket(world, used, STRANGER)
  const answer = await web.twice(`a used ticket at ${used.port}`, attempt, attempt)
  const isRefused = answer === undefined || /^(ticket_|unknown_server)/.test(errorOf(answer))
  if (!isRefused) complain(`a ticket for ${used.port} was taken twice: ${answer.status} ${answer.body}`)
}

function showTicket (
  world: World, { ticket, port }: UsedTicket, address: string
): Promise<Answer> {
  const target = `/heartbeat?ticket=${ticket}&server=${world.apps.nameOf(port)}`
  return postToRouter(world, target, address)
}

function postToRouter ({ web, program }: World, path: string, address: string): Promise<Answer> {
  return web.ask(program.routingPort, path, {
    method: 'POST', headers: { origin: PAGE_ORIGIN, 'x-forwarded-for': address }
  })
}

/** Servers elsewhere are down, full or gone: a page tries again later, by itself. */
function hasAnswered ({ status }: Answer): boolean {
  return status < 500 || status === 503
}

/** What an answer of the router's refuses by. */
export function errorOf (answer: Answer | undefined): string {
  if (answer === undefined || answer.status < 400) return ''
  try {
    return (JSON.parse(answer.body) as { readonly error: string }).error
  } catch {
    return String(answer.status)
  }
}

function readTicket (ticket: string): { readonly kid: string, readonly sub: string } {
  const [{ kid }, { sub }] = ticket.split('.').slice(0, 2).map(part =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, string>) as
    [Record<string, string>, Record<string, string>]
  return { kid: kid!, sub: sub! }
}
