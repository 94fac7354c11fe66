/**
 * A program for the fuzzer: short times, a small user table, a site with files beside it that must
 * not be served, a session for each kind of operator; and the questions that it must always answer.
 */
import { setTimeout } from 'node:timers/promises'
import type { Operator } from '../kit/operator.ts'
import { ROOT } from '../kit/places.ts'
import { ProcessProbe, type ProcessFigures } from '../measure/process-figures.ts'
import { startProgram, type LogLine, type Program } from '../kit/program.ts'
import {
  EXPIRED_TICKET_MARK, PORT_MARKS, SESSION_MARK, TICKET_MARK, TOKEN_MARK, type RequestInput
} from './inputs.ts'
import type { Secrets } from './judge.ts'
import { INDEX, makeSite, SECRET } from './planted-site.ts'
import { PROXY_ADDRESS } from './proxy-headers.ts'
import { PASSWORD, PERMISSIONS, stayLoggedIn, takeSeats, type Role, type Seats } from './seats.ts'
import { ADDED_NAMES, SHOP_NAME, startShop, type Shop } from './shop.ts'
import { signTickets, type SignedTickets } from './signed-tickets.ts'
import type { Subject } from './subject.ts'

/** What a program of each may, by a token of this name, which no input has. */
const SCOPES: Readonly<Record<Role, readonly string[]>> = {
  viewer: ['view'], administrator: ['view', 'disconnect', 'drain', 'report']
}
const TOKEN_NAME = (role: Role): string => `fuzz program of ${role}`
const PUBLIC_HOST = 'shop.example'
const MAX_USERS = 128
const SETTINGS = {
  HTML_DIRS: 'site',
  MAX_USERS: String(MAX_USERS),
  DELAY_BETWEEN_ROUTING: '0.01',
  DECISION_PORT: '0',
  SOCKET_TIMEOUT: '1',
  HEARTBEAT_INTERVAL: '0.5',
  TIMEOUT_THRESHOLD: '3',
  RESERVATION_TTL: '1',
  PUBLIC_HOSTS: PUBLIC_HOST,
  ALLOWED_ORIGINS: 'https://page.example,http://page.example',
  METRICS_TOKEN: SECRET.repeat(2),
  ADMIN_PASSWORD: `${SECRET} of admin`
}
/** That one has capacities, too: less than what comes. */
const CAPACITY = 24
const BEHIND_PROXY = {
  TRUST_PROXY: PROXY_ADDRESS, PROXY_PROTOCOL: 'trusted', CAPACITY: String(CAPACITY), RETURN_GRACE: '1'
}
/** A check of an external server in between would change what the process has open. */
const ELSEWHERE = { HEALTH_INTERVAL: '3600' }
/** In which whoever came last is gone, and there is room again. */
const ROOM_MS_MAX = 60_000
const ROOM_LOOK_MS = 500
/** Error and fatal, as pino numbers them. */
const GRAVE_LEVEL = 50
const COMPLAINTS_MAX = 20
/** Main thread, three servers, monitor: those that take requests. */
const THREAD_COUNT = 5
const ASK_MS_MAX = 60_000
/** Never in an input. Seen twice, so that it is never displaced. */
const PROBE_ID = '0badcafe-0000-4000-8000-00000000f00d'

const ENDING = /logout|password/i

export class FuzzedProgram implements Subject {
  readonly #program: Program
  readonly #shop: Shop
  readonly #heaps: ProcessProbe
  readonly #complaints: string[]
  readonly #operators: ReadonlyMap<Role, Seats>
  readonly #tokens = new Map<Role, string>()
  #tickets: readonly SignedTickets[] = []
  #isStopping = false

  /** @param isProxied whether a proxy is believed for whom it speaks */
  static async start (isProxied: boolean): Promise<FuzzedProgram> {
    const heaps = new ProcessProbe()
    const complaints: string[] = []
    const complain = (text: string): void => {
      if (complaints.length < COMPLAINTS_MAX) complaints.push(text)
    }
    const shop = await startShop()
    const program = await startProgram({
      ...SETTINGS,
      ...ELSEWHERE,
      EXTERNAL_SERVERS: shop.setting,
      ...heaps.env,
      ...(isProxied && BEHIND_PROXY)
    }, {
      nodeOptions: heaps.nodeOptions,
      prepare: makeSite,
      onLine: line => { if (isGrave(line)) complain(`logged: ${JSON.stringify(line)}`) },
      onComplaint: text => complain(`said: ${text}`)
    })
    const operators = await takeSeats(program)
    const fuzzed = new FuzzedProgram(program, shop, heaps, complaints, operators)
    await fuzzed.#resetTokens()
    await fuzzed.#resetTickets()
    return fuzzed
  }

  private constructor (
    program: Program, shop: Shop, heaps: ProcessProbe, complaints: string[],
    operators: ReadonlyMap<Role, Seats>
  ) {
    this.#program = program
    this.#shop = shop
    this.#heaps = heaps
    this.#complaints = complaints
    this.#operators = operators
    void program.exited.then(code => {
      if (!this.#isStopping) complaints.push(`the program ended with ${code}`)
    })
  }

  get secrets (): Secrets {
    const texts = [SECRET, PASSWORD, this.#program.folder, ROOT]
    return { texts, publicHosts: [PUBLIC_HOST] }
  }

  portOf ({ to, server = 0 }: RequestInput): number {
    const { routerUrl, serverUrls, monitorUrl, decisionPort } = this.#program
    if (to === 'router') return portIn(routerUrl)
    if (to === 'decision') return decisionPort!
    return portIn(to === 'server' ? serverUrls[server]! : monitorUrl)
  }

  fill ({ to, server = 0 }: RequestInput, wire: string): string {
    const seats = this.#operators.get(to as Role)
    const ported = PORT_MARKS.reduce((text, mark, at) =>
      text.replaceAll(mark, String(portIn(this.#program.serverUrls[at]!))), wire)
      .replaceAll(TICKET_MARK, this.#tickets[server]!.good)
      .replaceAll(EXPIRED_TICKET_MARK, this.#tickets[server]!.expired)
    if (seats === undefined) return ported
    const { operator } = ENDING.test(wire) ? seats.leaver : seats.stayer
    return ported.replaceAll(SESSION_MARK, operator.cookie!.replace('session_id=', ''))
      .replaceAll(TOKEN_MARK, this.#tokens.get(to as Role)!)
  }

  complaints (): readonly string[] {
    return this.#complaints.splice(0)
  }

  async check (): Promise<readonly string[]> {
    try {
      await this.#reset()
      const endMs = performance.now() + ROOM_MS_MAX
      for (;;) {
        const wrongs = await Promise.all([this.#checkRedirect(), this.#checkPages()])
        const all = [...wrongs.flat(), ...await this.#checkTable()]
        if (all.length === 0 || performance.now() > endMs) return all
        await setTimeout(ROOM_LOOK_MS)
      }
    } catch (error) {
      return [`a check failed: ${(error as Error).message}`]
    }
  }

  async figures (): Promise<ProcessFigures> {
    return await this.#heaps.figures(this.#program.process.pid!, THREAD_COUNT)
  }

  /** @returns what was wrong with its end */
  async stop (): Promise<readonly string[]> {
    this.#isStopping = true
    await this.#program.stop()
    this.#shop.close()
    this.#heaps.close()
    const code = await this.#program.exited
    return code === 0 ? this.complaints() : [`the stop ended with ${code}`, ...this.complaints()]
  }

  get #ownUrls (): readonly string[] {
    return this.#program.serverUrls.slice(0, PORT_MARKS.length)
  }

  get #administrator (): Operator {
    return this.#operators.get('administrator')!.stayer.operator
  }

  async #reset (): Promise<void> {
    for (const { stayer, leaver } of this.#operators.values()) {
      await stayLoggedIn(stayer)
      // Too many wrong passwords: then another time.
      await stayLoggedIn(leaver).catch(() => {})
    }
    const administrator = this.#administrator
    const { denied } = await answerOf(administrator, '/denied') as {
      denied: Array<Record<string, string>>
    }
    for (const { userId, address } of denied) {
      await administrator.post('/allow', userId === undefined ? { address } : { userId })
    }
    await this.#resetTokens()
    await this.#resetTickets()
    for (const name of ADDED_NAMES) {
      await administrator.post(`/servers/${name}/remove`, { force: true })
    }
    for (const name of [...this.#ownUrls.map(portIn), SHOP_NAME]) {
      await administrator.post(`/servers/${name}/ready`, {})
    }
  }

  /** Inputs have made tokens, and may have revoked those that they are sent with. */
  async #resetTokens (): Promise<void> {
    const administrator = this.#administrator
    const { tokens } = await answerOf(administrator, '/tokens') as {
      tokens: Array<{ id: number, name: string }>
    }
    const own = PERMISSIONS.map(([role]) => TOKEN_NAME(role))
    for (const { id, name } of tokens) {
      if (!own.includes(name)) await administrator.post('/tokens/revoke', { id })
    }
    for (const [role] of PERMISSIONS) {
      if (tokens.some(({ name }) => name === TOKEN_NAME(role))) continue
      const wanted = { name: TOKEN_NAME(role), scopes: SCOPES[role] }
      const { status, json } = await administrator.post('/tokens', wanted)
      if (status !== 200) throw new Error(`no token of ${role}: ${status}`)
      this.#tokens.set(role, json['token'] as string)
    }
  }

  async #resetTickets (): Promise<void> {
    const servers = this.#ownUrls.map(url => String(portIn(url)))
    this.#tickets = await signTickets(this.#program.folder, servers)
  }

  async #checkRedirect (): Promise<string[]> {
    const answer = await ask(`${this.#program.routerUrl}/probe?x=1`)
    const location = answer.headers.get('location') ?? ''
    const isRight = answer.status === 302 &&
      this.#program.serverUrls.some(url => location === `${url}/probe?x=1`)
    return isRight ? [] : [`a plain redirect is ${answer.status} to ${JSON.stringify(location)}`]
  }

  async #checkPages (): Promise<string[]> {
    const wrongs: string[] = []
    for (const url of this.#ownUrls) {
      const answer = await ask(`${url}/`)
      const isRight = answer.status === 200 && await answer.text() === INDEX
      if (!isRight) wrongs.push(`a plain page is ${answer.status}`)
    }
    const { status } = await ask(`${this.#program.monitorUrl}/healthz`)
    return status === 200 ? wrongs : [...wrongs, `/healthz is ${status}`]
  }

  async #checkTable (): Promise<string[]> {
    const stats = await answerOf(this.#administrator, '/stats?limit=0') as {
      total_users: number
      table: { used: number }
      servers: Record<string, { load: number, capacity?: number }>
    }
    const used = Math.max(stats.total_users, stats.table.used)
    const tooFull = Object.entries(stats.servers).filter(([, { load, capacity }]) =>
      load > (capacity ?? Infinity))
    return [
      ...(used <= MAX_USERS ? [] : [`${used} users in a table for ${MAX_USERS}`]),
      ...tooFull.map(([name, { load }]) => `${load} users at ${name}, which admits ${CAPACITY}`)
    ]
  }
}

async function answerOf (operator: Operator, path: string): Promise<unknown> {
  const { status, json } = await operator.get(path)
  if (status !== 200) throw new Error(`${path} answered ${status}`)
  return json
}

async function ask (url: string): Promise<Response> {
  return await fetch(url, {
    redirect: 'manual',
    headers: { cookie: `client_id=${PROBE_ID}` },
    signal: AbortSignal.timeout(ASK_MS_MAX)
  })
}

function isGrave ({ level }: LogLine): boolean {
  return typeof level === 'number' && level >= GRAVE_LEVEL
}

function portIn (url: string): number {
  return Number(new URL(url).port)
}
