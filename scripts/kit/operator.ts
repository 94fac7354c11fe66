/** An operator who works by the monitor's interface, as a script with curl would. */
import http from 'node:http'
import https from 'node:https'
import type { Program } from './program.ts'

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; an empty object where it is none. */
  readonly json: Record<string, unknown>
}

export interface PostOptions {
  readonly headers?: Record<string, string>
}

export interface OperatorOptions {
  /** Otherwise every request has a connection of its own. */
  readonly isKeptAlive?: boolean
  /** The monitor speaks HTTPS; whatever its certificate is, it is trusted. */
  readonly isTls?: boolean
}

/** Far beyond what a living monitor takes on a busy machine. */
const ANSWER_MS_MAX = 60_000
const LOGINS_MAX = 5

export class Operator {
  readonly #port: number
  readonly #isKeptAlive: boolean
  readonly #isTls: boolean
  cookie: string | undefined

  constructor (
    { monitoringPort }: Pick<Program, 'monitoringPort'>,
    { isKeptAlive = true, isTls = false }: OperatorOptions = {}
  ) {
    this.#port = monitoringPort
    this.#isKeptAlive = isKeptAlive
    this.#isTls = isTls
  }

  /** Rejects when the login is refused. */
  static async loggedIn (
    program: Pick<Program, 'monitoringPort'>, username: string, password: string,
    options?: OperatorOptions
  ): Promise<Operator> {
    const operator = new Operator(program, options)
    const { status } = await operator.logIn(username, password)
    if (status !== 200) throw new Error(`${username} cannot log in: ${status}`)
    return operator
  }

  async logIn (username: string, password: string): Promise<Reply> {
    return this.#keepCookie(await this.post('/login', { username, password }))
  }

  /** As a browser does, goes on with the session that takes the place of this one. */
  async changePassword (current: string, next: string): Promise<Reply> {
    return this.#keepCookie(await this.post('/password', { current, next }))
  }

  /**
   * At a node of a fleet: nodes that start at once have an account each until they have heard of
   * each other. Then one of them stays, without the logins of the others.
   */
  async getLoggedIn (path: string, username: string, password: string): Promise<Reply> {
    for (let tries = 1; ; tries++) {
      const reply = await this.get(path)
      if (reply.status !== 401 || tries === LOGINS_MAX) return reply
      await this.logIn(username, password)
    }
  }

  get (path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.#ask('GET', path, headers)
  }

  /** @param body sent as JSON unless it is a text */
  post (path: string, body: unknown = {}, { headers = {} }: PostOptions = {}): Promise<Reply> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return this.#ask('POST', path, { 'content-type': 'application/json', ...headers }, text)
  }

  /** The events of a stream until it ends; `close` ends it from here. */
  async events (headers: Record<string, string> = {}): Promise<EventStream> {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get({
        host: '127.0.0.1', port: this.#port, path: '/events', agent: false, headers: this.#headers(headers)
      }, resolve).on('error', reject)
    })
    return new EventStream(response)
  }

  #keepCookie (reply: Reply): Reply {
    this.cookie = reply.headers['set-cookie']?.[0]?.split(';')[0] ?? this.cookie
    return reply
  }

  #ask (
    method: string, path: string, headers: Record<string, string>, body?: string
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request = (this.#isTls ? https : http).request({
        host: '127.0.0.1',
        rejectUnauthorized: false,
        port: this.#port,
        method,
        path,
        headers: this.#headers(headers),
        timeout: ANSWER_MS_MAX,
        ...(!this.#isKeptAlive && { agent: false })
      })
      request.on('timeout', () => { request.destroy(new Error(`${path}: no answer in time`)) })
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The monitor has closed an idle connection just when it was taken for this.
        const isStale = request.reusedSocket && error.code === 'ECONNRESET'
        if (isStale) resolve(this.#ask(method, path, headers, body))
        else reject(error)
      })
      request.on('response', response => {
        const chunks: Buffer[] = []
        response.on('error', reject)
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode!, headers: response.headers, text, json: parse(text)
          })
        })
      })
      request.end(body)
    })
  }

  #headers (headers: Record<string, string>): Record<string, string> {
    return { ...(this.cookie === undefined ? {} : { cookie: this.cookie }), ...headers }
  }
}

/** What arrives on /events. */
export class EventStream {
  readonly status: number
  readonly events: Array<{ readonly event: string, readonly data: Record<string, unknown> }> = []
  readonly ended: Promise<void>
  readonly #response: http.IncomingMessage
  #waiting: Array<() => void> = []

  constructor (response: http.IncomingMessage) {
    this.#response = response
    this.status = response.statusCode!
    let text = ''
    response.setEncoding('utf8')
    response.on('error', () => {}) // `ended` says enough.
    response.on('data', (chunk: string) => {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks) this.#take(block)
    })
    this.ended = new Promise(resolve => { response.once('close', resolve) })
  }

  /** Resolves with the first event, earlier ones included, that is as wanted. */
  async next (
    isWanted: (data: Record<string, unknown>) => boolean
  ): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.events.find(({ data }) => isWanted(data))
      if (found !== undefined) return found.data
      await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    }
  }

  close (): void {
    this.#response.destroy()
  }

  #take (block: string): void {
    const field = (name: string): string | undefined =>
      block.split('\n').find(line => line.startsWith(`${name}: `))?.slice(name.length + 2)
    const data = field('data')
    if (data === undefined) return // A comment that keeps the connection awake.
    this.events.push({ event: field('event') ?? 'message', data: parse(data) })
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

function parse (text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
