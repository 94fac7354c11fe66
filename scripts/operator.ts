/** An operator of a monitor, with a session of their own; a tool's, by its interface. */

const ASK_MS_MAX = 15_000

export class Operator {
  readonly #url: string
  readonly #name: string
  readonly #password: string
  #token = ''

  static async logIn (url: string, name: string, password: string): Promise<Operator> {
    const operator = new Operator(url, name, password)
    await operator.#logIn()
    return operator
  }

  private constructor (url: string, name: string, password: string) {
    this.#url = url
    this.#name = name
    this.#password = password
  }

  /** The value of the session's cookie. */
  get token (): string {
    return this.#token
  }

  /** Logs in anew when the session has ended. */
  async stayLoggedIn (): Promise<void> {
    const answer = await this.#ask('/user-info')
    await answer.arrayBuffer()
    if (answer.status === 401) await this.#logIn()
  }

  async get (path: string): Promise<unknown> {
    const answer = await this.#ask(path)
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`)
    return await answer.json()
  }

  /** @returns the status */
  async post (path: string, body: object): Promise<number> {
    const answer = await this.#ask(path, {
      method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' }
    })
    await answer.arrayBuffer()
    return answer.status
  }

  async #logIn (): Promise<void> {
    this.#token = ''
    const answer = await this.#ask('/login', {
      method: 'POST',
      body: JSON.stringify({ username: this.#name, password: this.#password }),
      headers: { 'content-type': 'application/json' }
    })
    await answer.arrayBuffer()
    const [, token] = /session_id=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '') ?? []
    if (token === undefined) throw new Error(`${this.#name} cannot log in: ${answer.status}`)
    this.#token = token
  }

  async #ask (path: string, options: RequestInit = {}): Promise<Response> {
    const cookie = this.#token === '' ? {} : { cookie: `session_id=${this.#token}` }
    return await fetch(`${this.#url}${path}`, {
      ...options,
      // A connection that is kept would count among the monitor's descriptors.
      headers: { connection: 'close', ...cookie, ...options.headers as Record<string, string> },
      redirect: 'manual',
      signal: AbortSignal.timeout(ASK_MS_MAX)
    })
  }
}
