/**
 * Applications of somebody else, to which the program sends visitors: each is in trouble now and
 * then, by its seed, and is well again afterwards. From when the program says that one is down
 * until it is well, nobody may be sent there. They answer health checks; who is there is counted by
 * decisions and reports.
 */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { Random } from '../kit/random.ts'

/** killed: no port listens. hangs: no answer comes. fails: it answers 500. */
type Trouble = 'killed' | 'hangs' | 'fails'

/**
 * well: the program knows that it is up, at that host. closed: it knows that it is down, or no
 * server of it any more. One is no other.
 */
export interface Phase {
  readonly kind: 'well' | 'closed'
  readonly host?: string
}

export interface TroubleParts {
  readonly program: {
    /** Whether the program says so of the server of that port. */
    isDown (port: number): boolean
    isUpElsewhere (port: number): boolean
    /** False when it was not so within that time. */
    until (isTrue: () => boolean, ms: number): Promise<boolean>
  }
  readonly note: (what: string) => void
  readonly complain: (what: string) => void
}

/** Below those that the kernel gives out, so that no server of the program has the same. */
const FIRST_PORT = 20_601
const WEIGHTS: Readonly<Record<Trouble, number>> = { killed: 1, hangs: 1, fails: 1 }
const WELL_MS_MAX = 3000
/** For visitors to come meanwhile. */
const DOWN_MS_MAX = 1500
const NOTICED_MS_MAX = 60_000

/** Before the port of an application, in its name. */
const PREFIX = 'app-'

/** Of any server, by its name. */
export function portOfServer (name: string): number {
  return Number(name.replace(PREFIX, ''))
}

export class Apps {
  /** Of all, those included that are no servers of the program at the moment. */
  readonly ports: readonly number[]
  /** They come and go as servers of the program, and are in no trouble. */
  readonly changing: readonly ChangingApp[]
  readonly #troubled: readonly App[]
  readonly #apps: readonly (App | ChangingApp)[]

  /** @param seed the same has the same troubles, in the same order for each */
  constructor (count: number, changingCount: number, seed: number) {
    const address = anAddress()
    this.#troubled = Array.from({ length: count }, (_, at) =>
      new App(address, FIRST_PORT + at, new Random(seed, at)))
    this.changing = Array.from({ length: changingCount }, (_, at) =>
      new ChangingApp([address, anAddress()], FIRST_PORT + count + at, at % 2 === 1))
    this.#apps = [...this.#troubled, ...this.changing]
    this.ports = this.#apps.map(({ port }) => port)
  }

  /** As EXTERNAL_SERVERS has them at the moment. */
  get setting (): string {
    const changing = this.changing.filter(({ isOfSettings, isWanted }) => isOfSettings && isWanted)
    return [...this.#troubled, ...changing]
      .map(({ port, url }) => `${this.nameOf(port)}=${url}`).join()
  }

  /** The names of those that are servers of the program. */
  get wantedNames (): readonly string[] {
    const changing = this.changing.filter(({ isWanted }) => isWanted)
    return [...this.#troubled, ...changing].map(({ port }) => this.nameOf(port))
  }

  /** Of any server: the program's own are called by their ports. */
  nameOf (port: number): string {
    return this.has(port) ? `${PREFIX}${port}` : String(port)
  }

  async start (): Promise<void> {
    for (const app of this.#apps) await app.listen()
  }

  /** Until `end`. */
  startTroubles (parts: TroubleParts): void {
    for (const app of this.#troubled) {
      app.live(parts).catch((error: Error) => { parts.complain(error.stack ?? error.message) })
    }
  }

  has (port: number): boolean {
    return this.ports.includes(port)
  }

  /**
   * To be called before a request: what it gives tells after it how that port was all the time;
   * undefined where that is not known, or it is none of these.
   */
  watch (): (port: number) => Phase | undefined {
    const before = this.#apps.map(({ phase }) => phase)
    return port => {
      const at = this.ports.indexOf(port)
      const phase = this.#apps[at]?.phase
      return phase === before[at] ? phase : undefined
    }
  }

  /** Nothing of them is left. */
  end (): void {
    for (const app of this.#apps) app.end()
  }
}

function anAddress (): string {
  return `127.${[0, 1, 2].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`
}

/** One that is always well, at two addresses of the same port. */
export class ChangingApp {
  readonly port: number
  /** Named by EXTERNAL_SERVERS, when it is a server; else by the console. */
  readonly isOfSettings: boolean
  isWanted = false
  phase: Phase | undefined = { kind: 'closed' }
  #hosts: readonly [now: string, other: string]
  readonly #servers: readonly Server[]

  constructor (hosts: readonly [string, string], port: number, isOfSettings: boolean) {
    this.#hosts = hosts
    this.port = port
    this.isOfSettings = isOfSettings
    this.#servers = hosts.map(() => createServer((_request, response) => { response.end() }))
  }

  get url (): string {
    return `http://${this.#hosts[0]}:${this.port}`
  }

  get host (): string {
    return this.#hosts[0]
  }

  /** From now on it is at the other address. */
  move (): void {
    this.#hosts = [this.#hosts[1], this.#hosts[0]]
  }

  async listen (): Promise<void> {
    for (const [at, server] of this.#servers.entries()) {
      await once(server.listen(this.port, this.#hosts[at]), 'listening')
    }
  }

  end (): void {
    for (const server of this.#servers) {
      server.close()
      server.closeAllConnections()
    }
  }
}

class App {
  readonly port: number
  readonly url: string
  /** Undefined while the program need not have noticed. */
  phase: Phase | undefined = { kind: 'well' }
  readonly #address: string
  readonly #random: Random
  #server: Server | undefined
  #trouble: Trouble | undefined
  #isOver = false

  constructor (address: string, port: number, random: Random) {
    this.#address = address
    this.port = port
    this.url = `http://${address}:${port}`
    this.#random = random
  }

  async listen (): Promise<void> {
    const server = createServer((_request, response) => { this.#answer(response) })
    this.#server = server
    await once(server.listen(this.port, this.#address), 'listening')
  }

  async live ({ program, note, complain }: TroubleParts): Promise<void> {
    while (!this.#isOver) {
      await setTimeout(this.#random.share() * WELL_MS_MAX)
      const trouble = this.#random.pickByWeight(WEIGHTS)
      const downMs = this.#random.share() * DOWN_MS_MAX
      if (this.#isOver) return
      note(`${this.port} ${trouble}`)
      this.phase = undefined
      await this.#set(trouble)
      if (!await this.#until(program, () => program.isDown(this.port))) {
        return complain(`${this.port} ${trouble}, and is not said to be down`)
      }
      this.phase = { kind: 'closed' }
      await setTimeout(downMs)
      this.phase = undefined
      await this.#set(undefined)
      if (!await this.#until(program, () => program.isUpElsewhere(this.port))) {
        return complain(`${this.port} is well, and is not said to be up`)
      }
      this.phase = { kind: 'well' }
    }
  }

  end (): void {
    this.#isOver = true
    this.#close()
  }

  async #until (program: TroubleParts['program'], isTrue: () => boolean): Promise<boolean> {
    return await program.until(() => this.#isOver || isTrue(), NOTICED_MS_MAX)
  }

  async #set (trouble: Trouble | undefined): Promise<void> {
    const wasKilled = this.#trouble === 'killed'
    this.#trouble = trouble
    if (trouble === 'killed') this.#close()
    else if (wasKilled && !this.#isOver) await this.listen()
    else this.#server?.closeAllConnections() // Who hangs on it is not kept.
  }

  #answer (response: ServerResponse): void {
    if (this.#trouble === 'hangs') return
    response.writeHead(this.#trouble === 'fails' ? 500 : 200).end()
  }

  #close (): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
  }
}
