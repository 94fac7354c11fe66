/**
 * A browser and the person before it: comes by the router, loads pages, beats, goes to other
 * servers, leaves, and comes back as somebody else. Notes in the ledger what it was told, and
 * complains of answers that nobody should get. One request at a time.
 */
import { portOfServer, type Apps } from './apps.ts'
import type { Answer, Asking } from './web.ts'
import type { World } from './world.ts'

/** changing: an operator is about to deny or to allow the client. */
export type Access = 'open' | 'changing' | 'denied'

/** Where it is, or was sent, and what it was told there. */
interface Arrival {
  readonly answer: Answer
  readonly at: number
  /** Under which it is known there. */
  readonly key: string
  /** A proxy asked for a decision, and it is where that says. */
  readonly isDecided?: boolean
}

export const DECIDE_PATH = '/decide'
/** Of the whole: where it goes when nothing draws it elsewhere. */
const WEIGHTS = {
  beat: 40, visit: 20, wander: 15, leave: 12, knock: 8, bookmark: 5, decide: 20
} as const
/** In place of a port: wherever a decision says. */
const DECIDED = 0
/** To the router, and to a server: whoever is sent on after that is sent in circles. */
const HOPS_MAX = 2
const DRAWN_SHARE = 0.5
const SOMEBODY_ELSE_SHARE = 0.3
/** Of all leaves. */
const BY_PAGE_SHARE = 0.5
/** A beat that follows a page's leave so soon may be taken for one that was sent before it. */
const LATE_BEAT_MS = 1_000
const REPLACED_MS_MAX = 30_000
const LOG_MS_MAX = 5000
const DENIED = 403

export class Client {
  id: string | undefined
  /** While an operator does something to it that it should not run into. */
  isHeld = false
  isBusy = false
  #address = nextAddress()
  #access: Access = 'open'
  /** Whether a beat was the last that a server has answered: then no page was opened since. */
  #hasBeaten = false
  /** The server that a page has left last, and until when its beats may count as that page's. */
  #left: { readonly port: number, readonly untilMs: number } | undefined
  /** Counts changes of access, so that a request knows whether one came in between. */
  #changes = 0
  readonly #world: World

  constructor (world: World) {
    this.#world = world
  }

  get access (): Access {
    return this.#access
  }

  set access (access: Access) {
    this.#access = access
    this.#changes++
    if (access === 'denied') this.#world.ledger.set(this.id!, undefined)
  }

  /** Where it certainly is. */
  get place (): number | undefined {
    return this.#world.ledger.certainPlaceOf(this.#key)
  }

  /** One thing that people do. */
  async act (): Promise<void> {
    this.isBusy = true
    const { random, wanted, program, apps } = this.#world
    const { place } = this
    const isDrawn = wanted.size > 0 && random.share() < DRAWN_SHARE
    const what = isDrawn ? 'wander' : random.pickByWeight(WEIGHTS)
    const elsewhere = (): number => random.pick(isDrawn ? [...wanted] : program.ports)
    if (what === 'wander') await this.#beat(elsewhere())
    else if (what === 'knock') await this.#knock()
    else if (what === 'bookmark') await this.#load(elsewhere())
    else if (what === 'visit' || place === undefined) await this.#visit()
    // Whoever is at an application is seen by its proxy alone.
    else if (what === 'decide' || apps.has(place)) await this.#goTo(DECIDED, '/', 200)
    else if (what === 'beat') await this.#beat(place)
    else await this.#leave(place)
    this.isBusy = false
  }

  /** Whether a server, the router or the decision port refuses it as it has to. */
  async isRefusedAt (port: number, path: string): Promise<boolean> {
    const { status } = await this.#world.web.ask(port, path, this.#asking())
    return status === DENIED
  }

  get #key (): string {
    return this.id ?? this.#address
  }

  /** Before it has an id it is known by its address, as a page that is opened by a bookmark. */
  async #load (port: number): Promise<void> {
    await this.#goTo(port, '/', 200)
  }

  async #beat (port: number): Promise<void> {
    // A page beats when it has been loaded, and has its id by then.
    if (this.id === undefined) await this.#load(port)
    else await this.#goTo(port, '/heartbeat', 204, 'POST')
  }

  async #visit (): Promise<void> {
    const sent = await this.#knock()
    if (sent !== undefined) await this.#goTo(sent.port, sent.path, 200)
  }

  /** Asks the router where to go, without going there. */
  async #knock (): Promise<{ readonly port: number, readonly path: string } | undefined> {
    const knock = (): Promise<Answer> => this.#askRouter('/')
    const changes = this.#changes
    const answer = await this.#world.web.twice(
      'the router', knock, () => this.#world.web.patiently(knock))
    return this.#isServed(answer, changes, 302) ? targetOf(answer!) : undefined
  }

  /** @param port DECIDED for wherever a decision says */
  async #goTo (port: number, path: string, served: number, method = 'GET'): Promise<void> {
    const { web, ledger, program } = this.#world
    const changes = this.#changes
    let arrival: Arrival | undefined
    let sentMs = 0
    const attempt = async (from: number): Promise<Answer> => {
      sentMs = performance.now()
      arrival = await this.#arrive(from, path, method)
      return arrival.answer
    }
    const again = port === DECIDED ? port : program.routingPort
    const answer = await web.twice(`${path} at ${port}`, () => attempt(port), () =>
      web.patiently(() => attempt(again)))
    this.#hasBeaten = false
    const { at, key, isDecided = false } = arrival ?? { at: port, key: this.#key }
    if (!this.#isServed(answer, changes, isDecided ? 200 : served)) return
    this.#hasBeaten = path === '/heartbeat' && !isDecided
    ledger.set(key, at)
    if (this.#hasBeaten && this.#mayBeLate(at, sentMs)) ledger.maybe(key, undefined)
    if (key !== this.#address) ledger.set(this.#address, undefined)
    this.#takeId(answer!)
  }

  /** Goes on where it is sent to, as a browser does: a server that is full sends to the router. */
  async #arrive (from: number, fromPath: string, method: string): Promise<Arrival> {
    const { web, program, apps } = this.#world
    let [at, path] = [from, fromPath]
    for (let hops = 0; ; hops++) {
      if (at === DECIDED || apps.has(at)) return await this.#askForDecision()
      const key = this.#key
      if (at !== program.routingPort && this.#access !== 'denied') this.#maybe(at)
      const answer = at === program.routingPort
        ? await this.#askRouter(path)
        : await web.ask(at, path, { ...this.#asking(), method })
      if (answer.status !== 302 || hops === HOPS_MAX) return { answer, at, key }
      const target = targetOf(answer)
      at = target.port
      if (method === 'GET') path = target.path
    }
  }

  /** As a proxy does in front of all servers, for a page that it was asked for. */
  async #askForDecision (): Promise<Arrival> {
    const { web, program, apps } = this.#world
    const { place } = this
    const [phaseOf, changes] = [apps.watch(), this.#changes]
    const downs = place === undefined ? 0 : program.downCount(place)
    this.#maybeReplaced()
    const answer = await web.ask(program.decisionPort, DECIDE_PATH, this.#asking())
    const at = portOfServer(String(answer.headers['x-usher-server']))
    if (answer.status === 200) {
      this.#takeId(answer)
      this.#checkSent(at, phaseOf(at))
      const isSure = this.#changes === changes && this.#access === 'open'
      const stays = place !== undefined && at !== place && isSure && phaseOf(place) === 'well'
      // One that did not answer in time is down, too, and the log may be a moment behind.
      if (stays && !await program.until(() => program.downCount(place) !== downs, LOG_MS_MAX)) {
        this.#world.complain(`${this.#key} was at ${place}, which is well, and was sent to ${at}`)
      }
    }
    return { answer, at, key: this.#key, isDecided: true }
  }

  #checkSent (port: number, phase: ReturnType<ReturnType<Apps['watch']>>): void {
    if (phase === 'closed') this.#world.complain(`${this.#key} was sent to ${port}, which is down`)
  }

  /** At once, or as a page does it: then it is over by the next check, unless it comes back. */
  async #leave (port: number): Promise<void> {
    const { web, ledger, random, program } = this.#world
    const changes = this.#changes
    const isByPage = random.share() < BY_PAGE_SHARE
    const path = isByPage ? '/leave?page' : '/leave'
    const attempt = (): Promise<Answer> => {
      if (this.#access !== 'denied') ledger.maybe(this.#key, undefined)
      return web.ask(port, path, { ...this.#asking(), method: 'POST' })
    }
    const answer = await web.twice(`/leave at ${port}`, attempt, async () => {
      await program.until(() => program.isUp(program.ports.indexOf(port)), REPLACED_MS_MAX)
      return await attempt()
    })
    if (isByPage) this.#left = { port, untilMs: performance.now() + LATE_BEAT_MS }
    if (!this.#isServed(answer, changes, 200)) return
    // After a page was opened, the leave may be that of the page before: the client may be there.
    if (!isByPage || this.#hasBeaten) ledger.left(this.#key, port)
    if (this.#access === 'open' && random.share() < SOMEBODY_ELSE_SHARE) this.#becomeSomebodyElse()
  }

  #mayBeLate (port: number, sentMs: number): boolean {
    return this.#left?.port === port && sentMs < this.#left.untilMs
  }

  #becomeSomebodyElse (): void {
    this.id = undefined
    this.#address = nextAddress()
  }

  /** The table may have it there, and its address no more. */
  #maybe (port: number): void {
    this.#world.ledger.maybe(this.#key, port)
    this.#maybeReplaced()
  }

  /** Its id may take the place of its address, and be denied before it hears of that. */
  #maybeReplaced (): void {
    const isSeen = this.id !== undefined && this.#access !== 'denied'
    if (isSeen) this.#world.ledger.maybe(this.#address, undefined)
  }

  async #askRouter (path: string): Promise<Answer> {
    const { web, ledger, program, apps } = this.#world
    const phaseOf = apps.watch()
    this.#maybeReplaced()
    const answer = await web.ask(program.routingPort, path, this.#asking())
    if (answer.status === 302) {
      const { port } = targetOf(answer)
      this.#checkSent(port, phaseOf(port))
      this.#takeId(answer)
      // A place is reserved for an id where its address is active.
      if (this.#access !== 'denied') ledger.maybeReplaced(this.#address, this.#key)
    }
    return answer
  }

  /** Whether it got what it asked for; complains when that, or a refusal, should not have been. */
  #isServed (answer: Answer | undefined, changesBefore: number, served: number): boolean {
    if (answer === undefined) return false
    const isSure = this.#changes === changesBefore
    const isRefused = answer.status === DENIED
    if (!isRefused && answer.status !== served) {
      this.#world.complain(`${this.#key} was answered ${answer.status}`)
      return false
    }
    if (isSure && isRefused && this.#access === 'open') {
      this.#world.complain(`${this.#key} was refused without being denied`)
    }
    if (isSure && !isRefused && this.#access === 'denied') {
      this.#world.complain(`${this.#key} was served although it is denied`)
    }
    return answer.status === served && this.#access !== 'denied'
  }

  #takeId ({ headers }: Answer): void {
    const [, id] = /^client_id=([^;]+)/.exec(headers['set-cookie']?.[0] ?? '') ?? []
    this.id ??= id
  }

  #asking (): Asking {
    const cookie = this.id === undefined ? {} : { cookie: `client_id=${this.id}` }
    return { headers: { 'x-forwarded-for': this.#address, ...cookie } }
  }
}

let addresses = 0

/** Each client has an address of its own. */
function nextAddress (): string {
  const number = addresses++
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
}

function targetOf ({ headers }: Answer): { readonly port: number, readonly path: string } {
  const { port, pathname, search } = new URL(headers.location!)
  return { port: Number(port), path: pathname + search }
}
