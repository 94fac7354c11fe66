/**
 * Operators at the monitor: they log in, look, disconnect, deny, allow and log out; and a program
 * with a token, which reports who is on a server. Notes whom they denied and which sessions stand,
 * and complains when the monitor has forgotten either, or the token.
 */
import { portOfServer } from './apps.ts'
import type { Client } from './client.ts'
import { MONITOR } from './schedule.ts'
import type { Answer } from './web.ts'
import type { World } from './world.ts'

export interface ListedUsers {
  /** The port of each one's server, by key. */
  readonly users: ReadonlyMap<string, number>
  /** Keys that were listed more than once. */
  readonly twice: readonly string[]
}

export interface Stats {
  readonly servers: Readonly<Record<string, {
    readonly index: number
    readonly active_users: number
  }>>
  readonly total_users: number
  readonly denied_users: number
}

export const PASSWORD = 'a password of the chaos run'

type Credentials = { readonly cookie?: string, readonly authorization?: string }

const WEIGHTS = {
  users: 40, stats: 15, disconnect: 12, deny: 6, allow: 16, out: 6, session: 5, report: 12
} as const
/** Of all reports. */
const LEFT_SHARE = 0.3
const DENIED_MAX = 12
const SESSIONS_MAX = 5
const PAGE_USERS = 100
const REPLACED_MS_MAX = 60_000
const FROM = { 'x-forwarded-for': '192.0.2.1' }

export class Operators {
  readonly #world: World
  readonly #clients: readonly Client[]
  #session = ''
  #token = ''
  /** Others that are logged in, oldest first; and those that were ended. */
  readonly #sessions: string[] = []
  readonly #ended: string[] = []

  constructor (world: World, clients: readonly Client[]) {
    this.#world = world
    this.#clients = clients
  }

  async start (): Promise<void> {
    this.#session = await this.#logIn() ?? ''
    const answer = await this.#post('/tokens', { name: 'chaos', scopes: ['report'] })
    if (answer?.status === 200) this.#token = (JSON.parse(answer.body) as { token: string }).token
    else this.#complain('/tokens', answer)
  }

  /** One thing that operators do. */
  async act (): Promise<void> {
    const { random } = this.#world
    switch (random.pickByWeight(WEIGHTS)) {
      case 'users': await this.users(); break
      case 'stats': await this.stats(); break
      case 'disconnect': await this.#deny('/disconnect'); break
      case 'deny': await this.#deny('/deny'); break
      case 'allow': await this.#allow(); break
      case 'out': await this.#sendAway(); break
      case 'session': await this.#changeSessions(); break
      case 'report': await this.#report()
    }
  }

  /** Only looks. */
  async look (): Promise<void> {
    await this.#get(`/users?limit=${PAGE_USERS}`)
  }

  get denied (): readonly Client[] {
    return this.#clients.filter(({ access }) => access === 'denied')
  }

  /** All active users, page by page; undefined when a page was not to be had. */
  async users (): Promise<ListedUsers | undefined> {
    const users = new Map<string, number>()
    const twice: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const from: string = cursor === '' ? '' : `&cursor=${cursor}`
      const page = await this.#get<{
        users: ReadonlyArray<{ id: string, server: string }>
        next_cursor: string | null
      }>(`/users?limit=${PAGE_USERS}${from}`)
      if (page === undefined) return undefined
      for (const { id, server } of page.users) {
        if (users.has(id)) twice.push(id)
        users.set(id, portOfServer(server))
      }
      cursor = page.next_cursor
    }
    return { users, twice }
  }

  stats (): Promise<Stats | undefined> {
    return this.#get<Stats>('/stats?limit=10000')
  }

  /** Whether that was done; by an earlier attempt, if this one finds it so. */
  async changeServers (path: string, body: object): Promise<boolean> {
    const answer = await this.#post(path, body)
    const status = answer?.status
    // 202: threads that are dying, or starting, are told again.
    const isDone = status === 200 || status === 202 || (status === 409 && path === '/servers') ||
      (status === 404 && path.endsWith('/remove'))
    if (!isDone) this.#complain(path, answer)
    return isDone
  }

  /** Sessions that should stand and do not, or the other way round. */
  async wrongSessions (): Promise<string[]> {
    const wrong: string[] = []
    const look = async (sessions: readonly string[], status: number): Promise<void> => {
      for (const session of sessions) {
        const answer = await this.#ask('GET', '/user-info', undefined, { cookie: session })
        if (answer === undefined || answer.status === status) continue
        wrong.push(`a session is answered ${answer.status}, not ${status}`)
      }
    }
    await look([this.#session, ...this.#sessions], 200)
    await look(this.#ended, 401)
    this.#ended.length = 0
    return wrong
  }

  async #deny (path: '/disconnect' | '/deny'): Promise<void> {
    if (this.denied.length >= DENIED_MAX) return
    const client = this.#oneOfOpen()
    if (client === undefined) return
    client.access = 'changing'
    // Again by /deny: after a disconnect that was half done the user may not be here any more.
    const answer = await this.#post(path, { userId: client.id }, '/deny')
    if (answer?.status === 200) client.access = 'denied'
    else if (answer?.status === 404 && path === '/disconnect') client.access = 'open'
    else this.#complain(path, answer)
  }

  async #allow (): Promise<void> {
    const { denied } = this
    if (denied.length === 0) return
    const client = this.#world.random.pick(denied)
    client.access = 'changing'
    const answer = await this.#post('/allow', { userId: client.id })
    client.access = 'open'
    if (answer?.status !== 200 && answer?.status !== 404) this.#complain('/allow', answer)
  }

  /** The client may come back at once, so it is kept from doing so until its going is noted. */
  async #sendAway (): Promise<void> {
    const client = this.#oneOfOpen()
    if (client === undefined || client.isBusy) return
    client.isHeld = true
    this.#world.ledger.maybe(client.id!, undefined)
    const answer = await this.#post('/disconnect', { userId: client.id, deny: false })
    const isGone = answer?.status === 200 || answer?.status === 404
    if (isGone) this.#world.ledger.set(client.id!, undefined)
    else this.#complain('/disconnect', answer)
    client.isHeld = false
  }

  /** Of one who is known by an id, so that no entry under the address is there too. */
  async #report (): Promise<void> {
    const { random, program, ledger, apps } = this.#world
    const client = this.#oneOfOpen()
    if (client === undefined || client.isBusy || client.place === undefined) return
    client.isHeld = true
    const id = client.id!
    const port = random.pick([...program.ports, ...apps.ports])
    const [{ life }, phaseOf] = [ledger, apps.watch()]
    const hasLeft = random.share() < LEFT_SHARE
    ledger.maybe(id, hasLeft ? undefined : port)
    const path = `/servers/${apps.nameOf(port)}/users`
    const users = [hasLeft ? { id, left: true } : { id, seen: true }]
    const answer = await this.#ask('POST', path, { users }, { authorization: `Bearer ${this.#token}` })
    const mayBeGone = apps.has(port) && phaseOf(port)?.kind !== 'well'
    if (answer?.status === 404 && mayBeGone) ledger.maybe(id, client.place)
    else if (answer?.status !== 200) this.#complain(path, answer)
    else if (hasLeft) ledger.left(id, port)
    else if ((JSON.parse(answer.body) as { refused: unknown[] }).refused.length === 0) {
      ledger.set(id, port, life)
    }
    client.isHeld = false
  }

  async #changeSessions (): Promise<void> {
    if (this.#sessions.length < SESSIONS_MAX) {
      const session = await this.#logIn()
      if (session !== undefined) this.#sessions.push(session)
      return
    }
    const session = this.#sessions.shift()!
    const answer = await this.#ask('POST', '/logout', {}, { cookie: session })
    // Again after it was done: there is no such session any more.
    if (answer?.status === 200 || answer?.status === 401) this.#ended.push(session)
    else this.#complain('/logout', answer)
  }

  async #logIn (): Promise<string | undefined> {
    const answer = await this.#ask('POST', '/login', { username: 'admin', password: PASSWORD }, {})
    if (answer?.status === 200) return answer.headers['set-cookie']![0]!.split(';')[0]!
    this.#complain('/login', answer)
    return undefined
  }

  #oneOfOpen (): Client | undefined {
    const open = this.#clients.filter(({ access, id, isHeld }) =>
      access === 'open' && id !== undefined && !isHeld)
    return open.length === 0 ? undefined : this.#world.random.pick(open)
  }

  async #get<T> (path: string): Promise<T | undefined> {
    const answer = await this.#ask('GET', path, undefined, { cookie: this.#session })
    if (answer?.status === 200) return JSON.parse(answer.body) as T
    this.#complain(path, answer)
    return undefined
  }

  #post (path: string, body: object, pathAgain = path): Promise<Answer | undefined> {
    return this.#ask('POST', path, body, { cookie: this.#session }, pathAgain)
  }

  /** Again when the monitor is back. */
  async #ask (
    method: string, path: string, body: object | undefined, credentials: Credentials,
    pathAgain = path
  ): Promise<Answer | undefined> {
    const { program, web } = this.#world
    const attempt = (path: string): Promise<Answer> => web.ask(program.monitoringPort, path, {
      method,
      headers: {
        ...FROM,
        ...credentials,
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    return await web.twice(`${path} of the monitor`, () => attempt(path), async () => {
      await program.until(() => program.isUp(MONITOR), REPLACED_MS_MAX)
      return await web.patiently(() => attempt(pathAgain))
    })
  }

  /** A request that failed twice has been counted already. */
  #complain (path: string, answer: Answer | undefined): void {
    if (answer === undefined) return
    this.#world.complain(`${path} was answered ${answer.status}: ${answer.body.slice(0, 200)}`)
  }
}
