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

/** well: the program knows that it is up. closed: it knows that it is down. One is no other. */
interface Phase {
  readonly kind: 'well' | 'closed'
}

export interface TroubleParts {
  readonly program: {
    /** Whether the program says so of the server of that port. */
    isDown (port: number): boolean
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
  readonly ports: readonly number[]
  readonly #apps: readonly App[]

  /** @param seed the same has the same troubles, in the same order for each */
  constructor (count: number, seed: number) {
    const address = `127.${[0, 1, 2].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`
    this.#apps = Array.from({ length: count }, (_, at) =>
      new App(address, FIRST_PORT + at, new Random(seed, at)))
    this.ports = this.#apps.map(({ port }) => port)
  }

  /** As EXTERNAL_SERVERS has them. */
  get setting (): string {
    return this.#apps.map(({ port, url }) => `${this.nameOf(port)}=${url}`).join()
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
    for (const app of this.#apps) {
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
  watch (): (port: number) => Phase['kind'] | undefined {
    const before = this.#apps.map(({ phase }) => phase)
    return port => {
      const at = this.ports.indexOf(port)
      const phase = this.#apps[at]?.phase
      return phase === before[at] ? phase?.kind : undefined
    }
  }

  /** Nothing of them is left. */
  end (): void {
    for (const app of this.#apps) app.end()
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
      if (!await this.#until(program, () => !program.isDown(this.port))) {
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
