/**
 * Operators at their consoles, at a constant rate: streams that are opened and closed, searches,
 * users disconnected and denied, and allowed again, logins and logouts. Each operator does one
 * thing after the other.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { Operator } from '../kit/operator.ts'
import type { Program } from '../kit/program.ts'
import type { Visitors } from './visitors.ts'

const OPERATORS = 3
/** Of one operator; what takes longer makes the round longer. */
const ROUND_MS = 3000
const STREAM_MS = 1500
/** A login takes 50 ms of a core: every so many rounds. */
const ROUNDS_PER_LOGIN = 4

export interface ConsoleParts {
  readonly program: Program
  readonly visitors: Visitors
  readonly name: string
  readonly password: string
}

export class Console {
  readonly #parts: ConsoleParts
  readonly #failures: string[] = []
  #auditCount = 0

  constructor (parts: ConsoleParts) {
    this.#parts = parts
  }

  /** Entries that the audit has got by all of this. */
  get auditCount (): number {
    return this.#auditCount
  }

  get failures (): readonly string[] {
    return this.#failures
  }

  async operate (endMs: number): Promise<void> {
    await Promise.all(Array.from({ length: OPERATORS }, async (_, at) => {
      try {
        await wait(at * ROUND_MS / OPERATORS)
        await this.#sit(endMs)
      } catch (error) {
        this.#failures.push(`an operator gave up: ${(error as Error).message}`)
      }
    }))
  }

  async #sit (endMs: number): Promise<void> {
    const operator = await this.#logIn()
    for (let round = 1; performance.now() < endMs; round++) {
      const startMs = performance.now()
      await Promise.all([this.#watch(operator), this.#look(operator, round)])
      await this.#throwOut(operator)
      if (round % ROUNDS_PER_LOGIN === 0) await this.#logOut(await this.#logIn())
      const nextMs = Math.min(startMs + ROUND_MS, endMs)
      await wait(Math.max(0, nextMs - performance.now()))
    }
    await this.#logOut(operator)
  }

  async #logIn (): Promise<Operator> {
    const { program, name, password } = this.#parts
    this.#auditCount++
    // A connection that is kept would count among the program's descriptors.
    return await Operator.loggedIn(program, name, password, { isKeptAlive: false })
  }

  async #logOut (operator: Operator): Promise<void> {
    await this.#post(operator, '/logout', {})
  }

  /** A stream, closed in the middle. */
  async #watch (operator: Operator): Promise<void> {
    const stream = await operator.events()
    await wait(STREAM_MS)
    stream.close()
  }

  async #look (operator: Operator, round: number): Promise<void> {
    const paths = [
      '/stats?limit=10', `/users?q=${(round % 16).toString(16)}&sort=last_seen`,
      '/users?offset=20&limit=20&sort=first_seen', '/history?minutes=60',
      '/audit?limit=20&q=denied', '/denied'
    ]
    for (const path of paths) {
      const { status } = await operator.get(path)
      if (status !== 200) this.#failures.push(`${path} answered ${status}`)
    }
  }

  /** A user who is here, and one who never was; both are allowed again. */
  async #throwOut (operator: Operator): Promise<void> {
    const stranger = { userId: crypto.randomUUID() }
    await this.#post(operator, '/deny', { ...stranger, minutes: 5 })
    await this.#post(operator, '/allow', stranger)
    const userId = this.#parts.visitors.takeOne()
    if (userId === undefined) return
    // A user who has just left cannot be disconnected.
    const { status } = await operator.post('/disconnect', { userId, reason: 'soak' })
    if (status === 404) return
    this.#auditCount++
    if (status === 200) await this.#post(operator, '/allow', { userId })
    else this.#failures.push(`/disconnect answered ${status}`)
  }

  async #post (operator: Operator, path: string, body: object): Promise<void> {
    this.#auditCount++
    const { status } = await operator.post(path, body)
    if (status !== 200) this.#failures.push(`${path} answered ${status}`)
  }
}
