/**
 * The person before a browser: comes by the router, loads pages, beats, goes to other servers,
 * leaves, and comes back as somebody else. Notes in the ledger what it was told, and complains of
 * answers that nobody should get. One request at a time.
 */
import { Browser, DECIDED, DENIED, targetOf, type Access, type Arrival } from './browser.ts'
import { errorOf, PageElsewhere, ticketIn, type Sent } from './page-elsewhere.ts'
import type { Answer } from './web.ts'
import type { World } from './world.ts'

/** Of the whole: where it goes when nothing draws it elsewhere. */
const WEIGHTS = {
  beat: 40, visit: 20, wander: 15, leave: 12, knock: 8, bookmark: 5, decide: 20
} as const
const DRAWN_SHARE = 0.5
const SOMEBODY_ELSE_SHARE = 0.3
/** Of all leaves. */
const BY_PAGE_SHARE = 0.5
/** Of all that is done at an application: its page has the router's script. */
const BY_SCRIPT_SHARE = 0.5
/** A beat that follows a page's leave so soon may be taken for one that was sent before it. */
const LATE_BEAT_MS = 1_000
const REPLACED_MS_MAX = 60_000

export class Client {
  /** While an operator does something to it that it should not run into. */
  isHeld = false
  isBusy = false
  /** Whether a beat was the last that a server has answered: then no page was opened since. */
  #hasBeaten = false
  /** The server that a page has left last, and until when its beats may count as that page's. */
  #left: { readonly port: number, readonly untilMs: number } | undefined
  readonly #world: World
  readonly #browser: Browser

  constructor (world: World) {
    this.#world = world
    this.#browser = new Browser(world)
  }

  get id (): string | undefined {
    return this.#browser.id
  }

  get access (): Access {
    return this.#browser.access
  }

  set access (access: Access) {
    this.#browser.access = access
  }

  /** Where it certainly is. */
  get place (): number | undefined {
    return this.#browser.place
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
    else if (apps.has(place) && this.id !== undefined && random.share() < BY_SCRIPT_SHARE) {
      if (what === 'leave') await this.#leave(place)
      else await this.#beatElsewhere(place)
    // Whoever is at an application is seen by its proxy alone otherwise.
    } else if (what === 'decide' || apps.has(place)) await this.#goTo(DECIDED, '/', 200)
    else if (what === 'beat') await this.#beat(place)
    else await this.#leave(place)
    this.isBusy = false
  }

  /** Whether a server, the router or the decision port refuses it as it has to. */
  async isRefusedAt (port: number, path: string): Promise<boolean> {
    const { status } = await this.#browser.ask(port, path)
    return status === DENIED
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
    const { random, apps } = this.#world
    const sent = await this.#knock()
    if (sent === undefined) return
    const ticket = ticketIn(sent.path)
    if (apps.has(sent.port) && ticket !== undefined && random.share() < BY_SCRIPT_SHARE) {
      await this.#atPage(sent.port, page => page.arrive(sent, ticket))
    } else {
      await this.#goTo(sent.port, sent.path, 200)
    }
  }

  /** Asks the router where to go, without going there. */
  async #knock (): Promise<Sent | undefined> {
    const { ledger } = this.#world
    let { life } = ledger
    const knock = (): Promise<Answer> => {
      life = ledger.life
      return this.#browser.askRouter('/')
    }
    const changes = this.#browser.accessChanges
    const answer = await this.#world.web.twice(
      'the router', knock, () => this.#world.web.patiently(knock))
    if (!this.#isServed(answer, changes, 302)) return undefined
    return { ...targetOf(answer!), atMs: performance.now(), life }
  }

  /** @param port DECIDED for wherever a decision says */
  async #goTo (port: number, path: string, served: number, method = 'GET'): Promise<void> {
    const { web, ledger, program } = this.#world
    const changes = this.#browser.accessChanges
    let arrival: Arrival | undefined
    let sentMs = 0
    const attempt = async (from: number): Promise<Answer> => {
      sentMs = performance.now()
      arrival = await this.#browser.arrive(from, path, method)
      return arrival.answer
    }
    const again = port === DECIDED ? port : program.routingPort
    const answer = await web.twice(`${path} at ${port}`, () => attempt(port), () =>
      web.patiently(() => attempt(again)))
    this.#hasBeaten = false
    const { at, key, life, isDecided = false } = arrival ??
      { at: port, key: this.#browser.key, life: ledger.life }
    if (!this.#isServed(answer, changes, isDecided ? 200 : served)) return
    this.#hasBeaten = path === '/heartbeat' && !isDecided
    ledger.set(key, at, life)
    if (this.#hasBeaten && this.#mayBeLate(at, sentMs)) ledger.maybe(key, undefined)
    if (key !== this.#browser.address) ledger.set(this.#browser.address, undefined)
    this.#browser.takeId(answer!)
  }

  async #beatElsewhere (port: number): Promise<void> {
    await this.#atPage(port, page => page.beat(port))
  }

  /** What a page of an application does that keeps its visitor there. */
  async #atPage (
    port: number, act: (page: PageElsewhere) => Promise<Answer | undefined>
  ): Promise<void> {
    const { ledger, apps } = this.#world
    const { address, accessChanges } = this.#browser
    const [id, phaseOf, { life }] = [this.id!, apps.watch(), ledger]
    const sentMs = performance.now()
    if (this.#browser.access !== 'denied') this.#browser.maybe(port)
    const answer = await act(new PageElsewhere(this.#world, id, address))
    this.#hasBeaten = false
    const mayBeRefused = answer?.status === 503 || errorOf(answer) === 'unknown_server'
    if (mayBeRefused && (answer?.status === 503 || phaseOf(port)?.kind !== 'well')) return
    if (!this.#isServed(answer, accessChanges, 204)) return
    this.#hasBeaten = true
    ledger.set(id, port, life)
    if (this.#mayBeLate(port, sentMs)) ledger.maybe(id, undefined)
    ledger.set(address, undefined)
  }

  /** At once, or as a page does it: then it is over by the next check, unless it comes back. */
  async #leave (port: number): Promise<void> {
    const { web, ledger, random, program, apps } = this.#world
    const [changes, phaseOf] = [this.#browser.accessChanges, apps.watch()]
    const isByPage = random.share() < BY_PAGE_SHARE
    const path = isByPage ? '/leave?page' : '/leave'
    const attempt = (): Promise<Answer> => {
      if (this.#browser.access !== 'denied') ledger.maybe(this.#browser.key, undefined)
      return web.ask(port, path, { ...this.#browser.asking, method: 'POST' })
    }
    const page = new PageElsewhere(this.#world, this.id ?? '', this.#browser.address)
    if (apps.has(port) && this.#browser.access !== 'denied') ledger.maybe(this.#browser.key, undefined)
    const answer = apps.has(port)
      ? await page.leave(port, isByPage)
      : await web.twice(`/leave at ${port}`, attempt, async () => {
        await program.until(() => program.isUp(program.ports.indexOf(port)), REPLACED_MS_MAX)
        return await attempt()
      })
    const mayBeGone = apps.has(port) && phaseOf(port)?.kind !== 'well'
    if (errorOf(answer) === 'unknown_server' && mayBeGone) return
    if (isByPage) this.#left = { port, untilMs: performance.now() + LATE_BEAT_MS }
    if (!this.#isServed(answer, changes, 200)) return
    // After a page was opened, the leave may be that of the page before: the client may be there.
    if (!isByPage || this.#hasBeaten) ledger.left(this.#browser.key, port)
    if (this.#browser.access === 'open' && random.share() < SOMEBODY_ELSE_SHARE) this.#browser.becomeSomebodyElse()
  }

  #mayBeLate (port: number, sentMs: number): boolean {
    return this.#left?.port === port && sentMs < this.#left.untilMs
  }

  /** Whether it got what it asked for; complains when that, or a refusal, should not have been. */
  #isServed (answer: Answer | undefined, changesBefore: number, served: number): boolean {
    if (answer === undefined) return false
    const isSure = this.#browser.accessChanges === changesBefore
    const isRefused = answer.status === DENIED
    if (!isRefused && answer.status !== served) {
      this.#world.complain(`${this.#browser.key} was answered ${answer.status}`)
      return false
    }
    if (isSure && isRefused && this.#browser.access === 'open') {
      this.#world.complain(`${this.#browser.key} was refused without being denied`)
    }
    if (isSure && !isRefused && this.#browser.access === 'denied') {
      this.#world.complain(`${this.#browser.key} was served although it is denied`)
    }
    return answer.status === served && this.#browser.access !== 'denied'
  }
}
