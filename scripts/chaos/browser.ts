/**
 * A browser: keeps the cookie, follows redirects, and asks the decision port as a proxy before all
 * servers does. Notes in the ledger where its requests may have brought it, and complains of being
 * sent where nobody may be sent.
 */
import { portOfServer, type Phase } from './apps.ts'
import type { Sent } from './page-elsewhere.ts'
import type { Answer, Asking } from './web.ts'
import type { World } from './world.ts'

/** changing: an operator is about to deny or to allow the client. */
export type Access = 'open' | 'changing' | 'denied'

/** Where it is, or was sent, and what it was told there. */
export interface Arrival {
  readonly answer: Answer
  readonly at: number
  /** Under which it is known there. */
  readonly key: string
  /** A proxy asked for a decision, and it is where that says. */
  readonly isDecided?: boolean
  /** Of the program, as the ledger counts it. */
  readonly life: number
}

export const DECIDE_PATH = '/decide'
/** In place of a port: wherever a decision says. */
export const DECIDED = 0
export const DENIED = 403
/** To the router, and to a server: whoever is sent on after that is sent in circles. */
const HOPS_MAX = 2
/** Longer than a place is held for who was sent there. */
const HELD_MS_MAX = 5_000
const LOG_MS_MAX = 5000

export class Browser {
  id: string | undefined
  /** Counts changes of access, so that a request knows whether one came in between. */
  accessChanges = 0
  #address = nextAddress()
  #access: Access = 'open'
  /** Where the router has sent it last: a decision sends it there, too, while the place is held. */
  #sent: { readonly port: number, readonly untilMs: number } | undefined
  readonly #world: World

  constructor (world: World) {
    this.#world = world
  }

  get address (): string {
    return this.#address
  }

  /** Under which it is known. */
  get key (): string {
    return this.id ?? this.#address
  }

  get access (): Access {
    return this.#access
  }

  set access (access: Access) {
    this.#access = access
    this.accessChanges++
    if (access === 'denied') this.#world.ledger.set(this.id!, undefined)
  }

  /** Where it certainly is. */
  get place (): number | undefined {
    return this.#world.ledger.certainPlaceOf(this.key)
  }

  /** What each request says of it. */
  get asking (): Asking {
    const cookie = this.id === undefined ? {} : { cookie: `client_id=${this.id}` }
    return { headers: { 'x-forwarded-for': this.#address, ...cookie } }
  }

  ask (port: number, path: string, method = 'GET'): Promise<Answer> {
    return this.#world.web.ask(port, path, { ...this.asking, method })
  }

  /** Goes on where it is sent to, as a browser does: a server that is full sends to the router. */
  async arrive (from: number, fromPath: string, method: string): Promise<Arrival> {
    const { program, apps } = this.#world
    let [at, path] = [from, fromPath]
    for (let hops = 0; ; hops++) {
      const { life } = this.#world.ledger
      if (at === DECIDED || apps.has(at)) return await this.#askForDecision()
      const key = this.key
      if (at !== program.routingPort && this.#access !== 'denied') this.maybe(at)
      const answer = at === program.routingPort
        ? await this.askRouter(path)
        : await this.ask(at, path, method)
      if (answer.status !== 302 || hops === HOPS_MAX) return { answer, at, key, life }
      const target = targetOf(answer)
      at = target.port
      if (method === 'GET') path = target.path
    }
  }

  /** As a proxy does in front of all servers, for a page that it was asked for. */
  async #askForDecision (): Promise<Arrival> {
    const { program, apps, ledger } = this.#world
    const { place } = this
    const [phaseOf, changes, { life }] = [apps.watch(), this.accessChanges, ledger]
    const downs = place === undefined ? 0 : program.downCount(place)
    this.#maybeReplaced()
    const answer = await this.ask(program.decisionPort, DECIDE_PATH)
    const at = portOfServer(String(answer.headers['x-usher-server']))
    if (answer.status === 200) {
      this.takeId(answer)
      const { hostname } = new URL(String(answer.headers['x-usher-upstream']))
      this.#checkSent(at, hostname, phaseOf(at))
      const isSure = this.accessChanges === changes && this.#access === 'open' && ledger.life === life
      const isExpected = this.#sent?.port === at && performance.now() < this.#sent.untilMs
      const isWell = place !== undefined && phaseOf(place)?.kind === 'well' && program.isUpElsewhere(place)
      const stays = isWell && at !== place && isSure && !isExpected
      // One that did not answer in time is down, too, and the log may be a moment behind.
      const isExplained = (): boolean =>
        program.downCount(place!) !== downs || ledger.life !== life
      if (stays && !await program.until(isExplained, LOG_MS_MAX)) {
        this.#world.complain(`${this.key} was at ${place}, which is well, and was sent to ${at}`)
      }
    }
    return { answer, at, key: this.key, isDecided: true, life }
  }

  #checkSent (port: number, host: string, phase: Phase | undefined): void {
    const { complain, apps } = this.#world
    if (phase?.kind === 'closed') {
      const what = apps.changing.some(app => app.port === port) ? 'was removed' : 'is down'
      complain(`${this.key} was sent to ${port}, which ${what}`)
    }
    if (phase?.host !== undefined && phase.host !== host) {
      complain(`${this.key} was sent to ${host}, where ${port} was before`)
    }
  }

  /** The table may have it there, and its address no more. */
  maybe (port: number): void {
    this.#world.ledger.maybe(this.key, port)
    this.#maybeReplaced()
  }

  /** Its id may take the place of its address, and be denied before it hears of that. */
  #maybeReplaced (): void {
    const isSeen = this.id !== undefined && this.#access !== 'denied'
    if (isSeen) this.#world.ledger.maybe(this.#address, undefined)
  }

  async askRouter (path: string): Promise<Answer> {
    const { ledger, program, apps } = this.#world
    const phaseOf = apps.watch()
    this.#maybeReplaced()
    const answer = await this.ask(program.routingPort, path)
    if (answer.status === 302) {
      const { port, host } = targetOf(answer)
      this.#checkSent(port, host, phaseOf(port))
      this.#sent = { port, untilMs: performance.now() + HELD_MS_MAX }
      this.takeId(answer)
      // A place is reserved for an id where its address is active.
      if (this.#access !== 'denied') ledger.maybeReplaced(this.#address, this.key)
    }
    return answer
  }

  takeId ({ headers }: Answer): void {
    const [, id] = /^client_id=([^;]+)/.exec(headers['set-cookie']?.[0] ?? '') ?? []
    this.id ??= id
  }

  becomeSomebodyElse (): void {
    this.id = undefined
    this.#address = nextAddress()
  }
}

let addresses = 0

/** Each client has an address of its own. */
function nextAddress (): string {
  const number = addresses++
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
}

export function targetOf ({ headers }: Answer): Pick<Sent, 'port' | 'host' | 'path'> {
  const { port, hostname, pathname, search } = new URL(headers.location!)
  return { port: Number(port), host: hostname, path: pathname + search }
}
